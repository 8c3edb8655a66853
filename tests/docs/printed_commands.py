"""The command lines that pages show, taken apart as a shell and our parser would."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import typer

from nhi_evidence.cli.commands import COMMANDS, find

ROOT = Path(__file__).parents[2]
PAGES = (
    *sorted(ROOT.glob("*.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "decisions"),
)
PROGRAM = "nhi-evidence"
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SHELL = {"", "sh", "bash", "console", "demo"}
"""Labels of blocks that show commands; help texts are compared with the program elsewhere."""
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_OPTIONAL = re.compile(r"\[(--?[^\]]*)\]")
_usage_error: type[Exception] = next(
    one for one in typer.BadParameter.mro() if one.__name__ == "UsageError"
)
_ENDS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "(", ")", "$"}
_CLOUD = re.compile(r"(?:s3|athena):")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z+_-]+")


class Printed(NamedTuple):
    """One command line of a page."""

    page: str
    line: int
    words: tuple[str, ...]
    in_block: bool
    """Whether it stands in a block, to be run as it is; in a sentence it may be part of one."""

    @property
    def needs(self) -> str:
        """The first word that has to be replaced, or leads to a cloud; empty where none does.

        This is how a page marks a command that no test can run: by what is read in it.
        """
        matching = (
            each for each in self.words if _CLOUD.match(each) or _PLACEHOLDER.fullmatch(each)
        )
        return next(matching, "")


def blocks(page: Path) -> Iterator[tuple[int, str]]:
    """Yield every block of commands of a page: its first line's number, and its text."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        if block[2] in _SHELL:
            yield text[: block.start(3)].count("\n") + 1, block[3]


def commands(program: str = PROGRAM) -> Iterator[Printed]:
    """Yield the command lines of a program in all pages, without its name."""
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        for line, text in blocks(page):
            for at, row in _rows(text):
                for words in _of_program(row, program):
                    yield Printed(name, line + at, words, in_block=True)
        text = page.read_text(encoding="utf-8")
        prose = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
        for code in _INLINE.finditer(prose):
            for words in _of_program(code[1], program):
                yield Printed(name, prose[: code.start()].count("\n") + 1, words, in_block=False)


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines joined as a shell joins them, with the number of the first."""
    joined, begins = "", 0
    for number, line in enumerate(text.splitlines()):
        begins = begins if joined else number
        joined += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield begins, joined
            joined = ""


def _of_program(row: str, program: str) -> Iterator[tuple[str, ...]]:
    if program not in row:
        return
    lexer = shlex.shlex(_OPTIONAL.sub(r"\1", row), posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a sentence with an apostrophe, no command
        return
    starts = [at for at, word in enumerate(words) if word.rpartition("/")[2] == program]
    for start in starts:
        before = words[start - 1] if start else ";"
        if before not in _ENDS and before not in {"$", "exec"} and "uvx" not in words[:start]:
            continue
        ends = (at for at in range(start, len(words)) if words[at] in _ENDS)
        yield tuple(words[start + 1 : next(ends, len(words))])


def faults(printed: Printed) -> list[str]:
    """Return what the program would refuse of a command line, or not know."""
    words = printed.words
    if not words or words[0].startswith("-"):
        return (
            []
            if set(words) <= {"-h", "--help", "--version", "--install-completion"}
            else [f"no such option of the program: {words}"]
        )
    name = next((two for two in (" ".join(words[:2]), words[0]) if find(two)), None)
    row = find(name) if name else None
    if name is None or row is None:
        return [f"no such command: {words[0]}"]
    rest = list(words[len(name.split()) :])
    if row.is_group:
        is_named = not printed.in_block or {"-h", "--help"} & set(rest)
        return [] if is_named else [f"{name} is a group of commands"]
    if {"-h", "--help"} & set(rest):
        return []
    return _refused(name, [word for word in rest if word != "--debug"], in_block=printed.in_block)


def _refused(name: str, rest: list[str], *, in_block: bool) -> list[str]:
    parsed = _command(name)
    context = parsed.context_class(parsed, info_name=name)
    try:
        values, surplus, _ = parsed.make_parser(context).parse_args([*rest])
    except _usage_error as error:
        is_named_alone = not in_block and rest[-1] in str(error) and "requires" in str(error)
        return [] if is_named_alone else [str(error)]
    refused = [f"surplus: {' '.join(surplus)}"] if surplus else []
    for parameter in parsed.params:
        value = values.get(parameter.name)
        if in_block and parameter.required and not value:
            refused.append(f"missing: {parameter.name}")
        refused += [
            f"{parameter.name}: {each} is none of {', '.join(allowed)}"
            for each in (value if isinstance(value, list | tuple) else [value])
            for allowed in [_allowed(parameter)]
            if allowed and each and not str(each).isupper() and each not in allowed
        ]
    return refused


def _allowed(parameter: Any) -> list[str]:
    kind = getattr(parameter.type_descriptor, "annotation", None)
    return (
        [each.value for each in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []
    )


@cache
def _command(name: str) -> Any:
    (row,) = (each for each in COMMANDS if each.name == name)
    app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
    app.command()(importlib.import_module(row.module).command)
    return typer.main.get_command(app)
