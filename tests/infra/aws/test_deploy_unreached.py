"""`make deploy` without access to AWS: the plan, the requirements, and none as checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.deploy import aws
from infra.deploy.__main__ import main
from infra.deploy.access import Unreached
from infra.deploy.assembly import stacks
from infra.deploy.requirement import NOTHING_ASKED, Requirement, Standing, nothing_asked
from nhi_evidence.config import read
from tests.cli.next_steps import unknown
from tests.infra.aws.conftest import production
from tests.infra.aws.estate import ARCHIVE, EVIDENCE, MANAGEMENT

Deploy = Callable[..., tuple[int, str, str]]


@pytest.fixture
def deploy(
    assembly: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Deploy:
    """Run `make deploy` on synthesized stacks; return exit code and outputs."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr(aws, "synthesize", lambda *_: 0)
    config = tmp_path / "nhi-evidence.toml"
    config.write_text(production())

    def done(*arguments: str) -> tuple[int, str, str]:
        # If anything were run, it would fail: there is no such command.
        options = ["--config", str(config), "--out", str(assembly), "--cdk", "/nonexistent/cdk"]
        code = main([*options, *arguments])
        printed = capsys.readouterr()
        assert [] == unknown(printed.out + printed.err), "printed, and not to be run"
        return code, printed.out, printed.err

    return done


@pytest.mark.parametrize("arguments", [("aws",), ("--check", "aws"), ("--yes", "aws")])
def test_the_plan_and_what_must_be_there_are_shown_without_credentials(
    deploy: Deploy, assembly: Path, arguments: tuple[str, ...]
) -> None:
    """Every stack with its place, each requirement as not checked, and a separate exit code."""
    code, out, err = deploy(*arguments)
    assert NOTHING_ASKED == code
    assert "Unable to locate credentials" in err
    assert "AWS_PROFILE=" in err
    lines = out.splitlines()
    assert lines[0].startswith("not ready: 1 missing, ")
    for stack in stacks(assembly):
        assert any(f"{stack.account} {stack.region:15} {stack.name} " in line for line in lines)
    unseen = [line for line in lines if line.startswith("  not checked  ")]
    for account, region in {(one.account, one.region) for one in stacks(assembly)}:
        assert f"  not checked  {account} {region}: whether it is bootstrapped" in unseen
    assert not [line for line in lines if line.startswith("  ok ")], "nothing was seen"
    assert "nothing could be checked without credentials, and nothing was deployed" == lines[-1]


def test_every_requirement_is_listed(assembly: Path) -> None:
    """All that docs/deploy.md says is checked, for an estate with everything."""
    config = read(production())
    texts = [str(one) for one in aws._requirements(Unreached(), config, stacks(assembly))]
    for wanted in (
        f"{EVIDENCE} eu-central-1: whether it is bootstrapped",
        f"{MANAGEMENT} us-east-1: whether it is bootstrapped",
        "whether nhi-evidence-222233334444 and https://sts.windows.net/",
        "organization o-exampleorg1: whether it trusts CloudTrail",
        "organization o-exampleorg1: whether both types of policies are on",
        "whether a trail delivers here",
        f"whether it is in {ARCHIVE}, eu-central-1",
        "whether it already notifies anything else of the same keys",
    ):
        assert any(wanted in text for text in texts), wanted
    assert all(text.startswith("  not checked  ") for text in texts), texts


def test_bootstrap_without_credentials_has_the_same_code(deploy: Deploy) -> None:
    """There is nothing to show: it goes to the account of the credentials."""
    code, out, err = deploy("bootstrap")
    assert (NOTHING_ASKED, "") == (code, out)
    assert "Unable to locate credentials" in err


def test_only_an_account_is_trusted(deploy: Deploy) -> None:
    """The placeholder in the documents would be written into roles literally."""
    code, out, _ = deploy("--trust", "LOG-ARCHIVE", "bootstrap")
    assert 1 == code
    assert out.startswith("TRUST=LOG-ARCHIVE is not an account of this deployment, which has ")
    assert ARCHIVE in out
    code, *_ = deploy("--trust", "123456789012", "bootstrap")
    assert NOTHING_ASKED == code, "an account of the pipeline's own is trusted, too"


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ((Standing.UNSEEN, Standing.UNSEEN), True),
        ((Standing.UNSEEN, Standing.NOTE), True),
        ((Standing.UNSEEN, Standing.OK), False),
        ((Standing.MISSING,), False),
        ((), False),
    ],
)
def test_nothing_asked_is_neither_ready_nor_missing(
    standings: tuple[Standing, ...], expected: bool
) -> None:
    """A check that saw nothing does not end like one that found everything ok."""
    assert expected == nothing_asked([Requirement("x", one, "y") for one in standings])
