"""Count words of a private dialect: names that do not tell what they hold, and odd phrases.

`make check` fails on any that `ALLOWED` does not list (tests/architecture/test_words.py).

python -m tests.words                 the checkout
python -m tests.words REVISION        a revision of its history, for comparison
python -m tests.words --where         with the places of what is left

A name may be such a word inside a comprehension, where what it holds stands beside it.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
GIT = shutil.which("git") or "git"
FOLDERS = ("shared/", "functions/", "infra/", "tests/")
NAMES = (
    *("asked", "found", "given", "heard", "held", "made", "one", "said", "shown", "told"),
    "whole",
)
"""Past participles and pronouns that were names of values of every kind (decision 210)."""
REPLACED = (
    "aws_line",
    "came_of_it",
    "circumstances",
    "left_out",
    "looker",
    "remembered",
    "told_by",
    "vouched",
    "wallet_alarms",
)
"""Names of things for which the field has a word."""
PHRASES = {
    "not to be had": r"not to be had",
    "has not the": r"\b(?:has|have|had) not (?:the|its|this|that|any|a)\b",
    "is said": r"\b(?:is|are|was|were) said\b(?! (?:to|of))",
    "came of": r"\bcame of\b",
    "must not be": r"which must not be\b",
    "British spelling": (
        r"\b(?:(?:normal|organ|recogn|serial)is[aei]|defen[c]e|behavi[o]ur|colo[u]r)\w*"
    ),
}
"""Turns of phrase in docstrings, comments, messages and pages."""
ALLOWED = {
    ("asked", "shared/nhi_evidence/coverage/absence/document.py"): "a member of the statement",
    ("made", "shared/nhi_evidence/coverage/offboarding.py"): "a member of offboarding --json",
    ("shown", "shared/nhi_evidence/investigate/case/check_case.py"): "its hash is published",
    ("found", "shared/nhi_evidence/completeness/records.py"): "expected and found of a statement",
    ("found", "shared/nhi_evidence/completeness/signed_files.py"): "the same, of signed files",
    (
        "found",
        "shared/nhi_evidence/completeness/statement.py",
    ): "a member of the format",
    ("found", "shared/nhi_evidence/completeness/statement_file.py"): "the same, as it is written",
    ("found", "shared/nhi_evidence/terminal/reconcile_report.py"): "a member of reconcile --json",
    ("found", "shared/nhi_evidence/cli/replay_aws.py"): "a member of replay --json",
    ("found", "shared/nhi_evidence/cli/replay_azure.py"): "a member of replay --json",
    ("found", "shared/nhi_evidence/cli/replay_gcp.py"): "a member of replay --json",
    ("made", "shared/nhi_evidence/evidence/anchoring.py"): "a member of anchor --json",
    ("shown", "shared/nhi_evidence/cli/check_proof.py"): "a member of check-proof --json",
    ("shown", "shared/nhi_evidence/evidence/bundle/check_proof.py"): "its hash is published",
}
"""A name and the file that may bind it, since its format or its JSON has the word."""


def bound(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the names a module binds, with their lines; not those of comprehensions."""
    inside = {
        id(name)
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in inside:
                yield name, node.lineno
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name, node.lineno
            case _:
                pass


def files(revision: str | None) -> Iterator[tuple[str, str]]:
    """Yield path and text of what is written by hand: Python and pages."""
    listing = ["ls-tree", "-r", "--name-only", revision] if revision else ["ls-files"]
    for name in _git(*listing).splitlines():
        if name.endswith((".py", ".md")) and (
            name.startswith((*FOLDERS, "docs/")) or "/" not in name
        ):
            path = ROOT / name
            if revision is not None:
                yield name, _git("show", f"{revision}:{name}")
            elif path.is_file():
                yield name, path.read_text(encoding="utf-8")


def dialect(revision: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Yield what is counted, a word and a place, over code, tests and prose."""
    for name, text in files(revision):
        if name == "tests/words.py":
            continue
        if name.endswith(".py"):
            kind = "names in tests" if name.startswith("tests/") else "names in code"
            for identifier, line in bound(ast.parse(text)):
                word = identifier.strip("_").lower()
                if word in (*NAMES, *REPLACED):
                    yield kind, word, f"{name}:{line}"
        for phrase, pattern in PHRASES.items():
            for match in re.finditer(pattern, text):
                yield "phrases", phrase, f"{name}:{text.count(chr(10), 0, match.start()) + 1}"


def _git(*arguments: str) -> str:
    return subprocess.run(
        [GIT, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("revision", nargs="?")
    parser.add_argument("--where", action="store_true", help="print every place")
    options = parser.parse_args()
    places: dict[tuple[str, str], list[str]] = {}
    for kind, word, place in dialect(options.revision):
        places.setdefault((kind, word), []).append(place)
    for (kind, word), where in sorted(places.items()):
        sys.stdout.write(f"{len(where):5}  {kind}: {word}\n")
        if options.where:
            sys.stdout.write("".join(f"       {place}\n" for place in where))
    total = sum(len(where) for where in places.values())
    sys.stdout.write(f"{total:5}  in all\n")


if __name__ == "__main__":
    main()
