"""One rule set, three checkers: they agree on every bundle."""

from __future__ import annotations

import ast
import re
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from nhi_evidence.evidence import bundle, proof
from nhi_evidence.evidence.bundle import check_proof
from nhi_evidence.investigate.case import contents
from nhi_evidence.terminal import proof_report
from tests.proofs import disagreements, mutations, resealed, sealed
from tests.proofs.__main__ import PAGE, released, stated
from tests.proofs.three_checkers import by_file, by_package, walk

KEPT = "aws_cloudtrail records 1 1"
SAMPLE = 400
DEEP = 100_000
WALKED, WALKED_DEEP = 6, 1_000


@pytest.fixture(scope="module", name="bundles")
def _bundles() -> dict[str, resealed.Files]:
    """Return a proof of every form, in objects of one unit that can be sealed again."""
    every = sealed.every_bundle(sealed.build())
    chosen = {
        name: files
        for name, files in every.items()
        if name.startswith("aws_cloudtrail") or name.endswith(" 1 0")
    }
    return {name: resealed.one_unit(files) for name, files in chosen.items()}


def test_a_record_of_every_form_is_proven(bundles: dict[str, resealed.Files]) -> None:
    """Proofs of kept, rejected, out-of-scope records and companions hold, with the same output."""
    key = sealed.build().key
    by_name = {name: by_package(files, key) for name, files in bundles.items()}
    assert by_name == {name: by_file(files, key) for name, files in bundles.items()}
    forms = {facts[1] for facts in by_name.values() if facts is not None}
    assert {"kept", "rejected", "out_of_scope", "companion"} == forms
    assert None not in by_name.values()


@pytest.mark.parametrize("form", ["kept", "rejected", "out_of_scope", "companion"])
def test_the_place_is_named_alike(
    bundles: dict[str, resealed.Files], form: str, tmp_path: Path
) -> None:
    """Of one bundle, one checker said `record 1 of` and two `kept 1 of`."""
    key = sealed.build().key
    files, checked = next(
        (files, checked)
        for files in bundles.values()
        if (checked := check_proof.check(dict(files), str(key)))["form"] == form
    )
    lines = proof_report.lines(proof.check(files, (key,), sealed.NAME))
    (place,) = (line for line in lines if line.startswith("place "))
    assert place in check_proof.report(checked)
    walked = walk(files, key, tmp_path)
    assert f"({place.removeprefix('place').strip()}) was sealed in" in walked.stdout


@pytest.mark.parametrize("row", disagreements.ROWS, ids=lambda row: row.name)
def test_the_corpus(bundles: dict[str, resealed.Files], row: disagreements.Row) -> None:
    """Bundles on which two checkers once disagreed now get the same verdict from both."""
    files, key = row.change(dict(bundles[KEPT])), sealed.build().key
    facts = by_package(files, key)
    assert (row.holds, facts) == (facts is not None, by_file(files, key))


@pytest.mark.slow
@pytest.mark.parametrize("row", disagreements.ROWS, ids=lambda row: row.name)
def test_the_walkthrough_agrees_on_the_corpus(
    bundles: dict[str, resealed.Files], row: disagreements.Row, tmp_path: Path
) -> None:
    """The walkthrough gives the same verdicts on the corpus."""
    walked = walk(row.change(dict(bundles[KEPT])), sealed.build().key, tmp_path)
    assert row.holds is (walked.returncode == 0), walked.stderr
    assert row.holds or walked.stderr.startswith("DOES NOT HOLD ")


def _compared(bundles: dict[str, resealed.Files], seeds: range) -> tuple[int, list[int]]:
    """Return how many mutated bundles hold, and the seeds on which two checkers differ."""
    key = sealed.build().key
    holding, differing = 0, []
    for seed in seeds:
        files = _mutated(bundles, seed)
        facts = by_package(files, key)
        holding += facts is not None
        if facts != by_file(files, key):
            differing.append(seed)
    return holding, differing


def _mutated(bundles: dict[str, resealed.Files], seed: int) -> resealed.Files:
    random = Random(seed)  # noqa: S311 repeatable by its seed, and keeps no secret
    return mutations.mutate(bundles[random.choice(sorted(bundles))], random)


def test_mutated_bundles(bundles: dict[str, resealed.Files]) -> None:
    """In a seeded sample there is no disagreement, no traceback, and both outcomes occur."""
    holding, differing = _compared(bundles, range(SAMPLE))
    assert [] == differing
    assert SAMPLE // 20 < holding < SAMPLE // 2


@pytest.mark.deep
def test_many_mutated_bundles(bundles: dict[str, resealed.Files]) -> None:
    """A hundred thousand."""
    holding, differing = _compared(bundles, range(DEEP))
    assert [] == differing
    assert holding > DEEP // 20


def _walked(bundles: dict[str, resealed.Files], seeds: range, folder: Path) -> list[int]:
    key = sealed.build().key
    differing = []
    for seed in seeds:
        files = _mutated(bundles, seed)
        place = folder / str(seed)
        place.mkdir()
        if (by_file(files, key) is not None) is not (walk(files, key, place).returncode == 0):
            differing.append(seed)
    return differing


def test_the_walkthrough_agrees_on_mutated_bundles(
    bundles: dict[str, resealed.Files], tmp_path: Path
) -> None:
    """A small seeded sample of the same, by the walkthrough."""
    assert [] == _walked(bundles, range(WALKED), tmp_path)


@pytest.mark.deep
def test_the_walkthrough_agrees_on_many_mutated_bundles(
    bundles: dict[str, resealed.Files], tmp_path: Path
) -> None:
    """A thousand, by the walkthrough."""
    assert [] == _walked(bundles, range(WALKED_DEEP), tmp_path)


def test_a_post_quantum_signature_is_never_counted_as_checked(
    bundles: dict[str, resealed.Files], tmp_path: Path
) -> None:
    """The program and the guide in the bundle state that they did not check it."""
    (row,) = (row for row in disagreements.ROWS if row.name == "a post-quantum signature")
    files, key = dict(row.change(dict(bundles[KEPT]))), sealed.build().key
    assert any(
        line.startswith("ML-DSA   not checked")
        for line in check_proof.report(check_proof.check(files, str(key)))
    )
    assert "ML-DSA not checked" in walk(files, key, tmp_path).stdout


def test_the_program_runs_on_python_3_8() -> None:
    """Its grammar is 3.8's, and it imports the standard library alone."""
    text = Path(check_proof.__file__ or "").read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    allowed = {"base64", "hashlib", "io", "re", "stat", "struct", "sys", "zipfile", "zlib"}
    assert allowed == imported
    assert not re.search(
        r"removeprefix|removesuffix|\bmatch \w+:$|int\.from_bytes\([^,]*\)\n", text
    )


def test_the_published_hashes_are_those_of_the_files() -> None:
    """docs/auditor.md states each SHA-256, so that they can be obtained outside a bundle."""
    page = PAGE.read_text(encoding="utf-8")
    assert stated(page) == page, "run: python -m tests.proofs"
    assert {bundle.CHECKER, bundle.WALKTHROUGH, contents.CHECKER} == set(released())
    for name, data in released().items():
        assert f"| `{name}` | `{sha256(data).hexdigest()}` |" in page
