"""Values of a configuration that look right, but mean something else, or fail at deployment."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

from nhi_evidence import config
from nhi_evidence.config import kinds
from nhi_evidence.config.aws.feeds import feeds
from tests.unit.test_config import changed, problems

TEXTS: dict[str, Any] = {
    name: kind
    for name, kind in vars(kinds).items()
    if get_origin(kind) is Annotated and get_args(kind)[0] is str
}


_ARABIC_ZERO = 0x660


def other_digits(text: str) -> str:
    """Return the text with its digits in Arabic."""
    return "".join(chr(_ARABIC_ZERO + int(one)) if one.isdecimal() else one for one in text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_value_has_no_line_break_and_no_digits_of_other_scripts(name: str) -> None:
    """The end of a line and a digit match more in a pattern than they seem to."""
    kind = TEXTS[name]
    (meta,) = (one for one in get_args(kind) if isinstance(one, msgspec.Meta))
    for example in meta.examples or ():
        msgspec.convert(example, kind, strict=True)
        for wrong in {f"{example}\n", f"\n{example}", other_digits(example)} - {example}:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(wrong, kind, strict=True)


FILES = """[[sources]]
source = "okta_system"
evidence = "main"
files = {{ account = "111122223333", bucket = "{}", region = "eu-central-1", prefix = "{}"{} }}
keep_out_of_scope_raw = true
silence_hours = 0

"""
KEY = ', kms_key = "arn:aws-us-gov:kms:eu-central-1:111122223333:key/1234abcd"'
REPLICA = """[evidence.buckets.replica]
account = "555566667777"
region = "eu-west-1"
bucket = "one-replica"
"""
SECOND = """
[[evidence.buckets]]
name = "second"
bucket = "nhi-evidence-second-222233334444"
region = "eu-central-1"
log = "example.org/second"
"""
ATHENA = """[evidence.buckets.athena]
results = "nhi-evidence-lines"
since = "2026-01-01"
gigabytes_a_query = 1
"""
SUBSCRIBER = """[[subscribers]]
evidence = "main"
bucket = "nhi-evidence-lines"
principals = ["arn:aws:iam::777788889999:role/siem"]

"""
COVERAGE = """[coverage]
accounts = ["333344445555"]
identities = [{}]

"""
USER = '"arn:{}:iam::333344445555:user/deployer"'
PROJECTS = '# reconcile_projects = ["example-payments"]'
SUBSCRIPTION = '"22222222-3333-4444-5555-666666666666"'


def before(header: str, text: str) -> tuple[str, str]:
    return header, text + header


WRONG = {
    "one bucket for two exporters of a name": (
        [before("[gcp]", FILES.format("logs", "a/", "") + FILES.format("logs", "b/", ""))],
        "sources.files",
        "has an exporter of the same name as entry 4, nhi-evidence-main-170b2e-okta_system-logs",
    ),
    "buckets whose exporters get one name": (
        [before("[gcp]", FILES.format("a.b", "", "") + FILES.format("a-b", "", ""))],
        "sources.files",
        "has an exporter of the same name as entry 4",
    ),
    "one replica for two buckets": (
        [before("# A second locked copy", REPLICA + SECOND + REPLICA)],
        "evidence.buckets.replica.bucket",
        "is another bucket's replica: name another",
    ),
    "one bucket for lines and results": (
        [before("# A second locked copy", ATHENA), before("[alarms]", SUBSCRIBER)],
        "subscribers.bucket",
        "is for Athena's results",
    ),
    "a key of another partition": (
        [before("[gcp]", FILES.format("logs", "", KEY))],
        "sources.files.kms_key",
        "must begin with arn:aws:",
    ),
    "an identity of another partition": (
        [before("[alarms]", COVERAGE.format(USER.format("aws-cn")))],
        "coverage.identities",
        "must begin with arn:aws:",
    ),
    "an identity twice": (
        [before("[alarms]", COVERAGE.format(f"{USER}, {USER}".replace("{}", "aws")))],
        "coverage.identities",
        '"arn:aws:iam::333344445555:user/deployer" is listed twice',
    ),
    "a provider that lists nothing": (
        [("# reconcile_provider", "reconcile_provider")],
        "gcp.reconcile_provider",
        "lists nothing without reconcile_projects",
    ),
    "a project twice": (
        [(PROJECTS, 'reconcile_projects = ["example-payments", "example-payments"]')],
        "gcp.reconcile_projects",
        '"example-payments" is listed twice: remove one',
    ),
    "a subscription twice": (
        [
            ("# subscription =", "subscription ="),
            (f"[{SUBSCRIPTION}]", f"[{SUBSCRIPTION}, {SUBSCRIPTION}]"),
        ],
        "azure.subscriptions",
        "is listed twice",
    ),
    "a type twice, in other capitals": (
        [before('    "Microsoft.Storage', '    "Microsoft.Keyvault/Vaults",\n')],
        "azure.resource_types",
        '"Microsoft.Keyvault/Vaults" is listed twice',
    ),
    "a principal twice": (
        [('principals = ["arn:', 'principals = ["arn:aws:iam::444455556666:role/auditor", "arn:')],
        "auditors.principals",
        "is listed twice",
    ),
    "an account of a trail twice": (
        [('# accounts = ["333344445555"]', 'accounts = ["333344445555", "333344445555"]')],
        "trails.accounts",
        '"333344445555" is listed twice',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_it_is_named_with_the_fix(kind: str) -> None:
    changes, key, message = WRONG[kind]
    (problem,) = problems(changed(*changes))
    assert key == problem.key
    assert message in problem.text


def test_projects_may_be_named_before_their_provider_is_known() -> None:
    """The identity stack makes the provider for them, and prints it."""
    config.read(changed((PROJECTS, PROJECTS.removeprefix("# "))))


def test_an_exporter_of_a_bucket_with_dots_has_none_in_its_name() -> None:
    """Functions and queues cannot have any."""
    read = config.read(changed(before("[gcp]", FILES.format("logs.example.org", "", ""))))
    feed = next(one for one, _ in feeds(read) if one.source == "okta_system")
    assert "nhi-evidence-main-170b2e-okta_system-logs-example-org" == feed.exporter
    assert "logs.example.org" == feed.bucket


def test_alarms_have_to_reach_the_region_of_a_replica() -> None:
    """The alarms on its latency are there; a topic of the bucket's region cannot be notified."""
    topic = 'topics = ["arn:aws:sns:eu-central-1:111122223333:alarms"]'
    (problem,) = [
        one
        for one in problems(
            changed(
                before("# A second locked copy", REPLICA),
                ('email = "security@example.org"', topic),
            )
        )
        if one.key == "alarms"
    ]
    assert "reaches nobody in eu-west-1" in problem.text
