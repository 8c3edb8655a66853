"""Answers for a configuration: from options, or else asked for, each checked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import typer

from nhi_evidence.config.fill import wrong
from nhi_evidence.errors import SettingsError

NONE = "none"
"""How an empty list is written."""

_TRUTH = {"yes": True, "y": True, "no": False, "n": False}

_Reader = Callable[[str], Any]
"""Parses an answer. Raises `ValueError` saying why it is invalid."""

Check = Callable[[str], str | None]
"""Returns what is wrong with an answer in view of the earlier ones, or None."""


class Answers:
    """Takes answers one by one; where nobody can be asked, missing ones are collected."""

    def __init__(self, options: Mapping[str, str | None], *, asks: bool) -> None:
        """`options` are those of the command by name; `asks` says whether somebody can be asked."""
        self._options = options
        self._asks = asks
        self._missing: list[str] = []
        self.kept: dict[str, str] = {}
        """Every accepted answer, by its option, as it was given."""

    def text(
        self,
        option: str,
        question: str,
        kind: Any,
        default: str | None = None,
        check: Check = lambda _: None,
    ) -> Any:
        """Return the answer to one question, of the kind the configuration takes.

        `check` compares it with earlier answers: on a contradiction the question is asked again.

        Raises `SettingsError` for an option of the wrong kind, and when input ends. Where nobody
        can be asked, a missing answer is noted for `complete` and None is returned.
        """
        prompt = f"{question}\n  {explained(kind)}"
        return self._answer(
            option, prompt, lambda value: _scalar(value, kind, option, check), default
        )

    def several(self, option: str, question: str, kind: Any, *, may_be_none: bool = False) -> Any:
        """Return a comma-separated list of answers; `none` for an empty one where allowed."""
        extent = f"comma-separated{f', or {NONE}' if may_be_none else ''}"

        def read(value: str) -> list[Any]:
            if may_be_none and value == NONE:
                return []
            parts = [one.strip() for one in value.split(",") if one.strip()]
            if not parts:
                raise ValueError("no value was given")
            return [_scalar(one, kind, option) for one in parts]

        return self._answer(option, f"{question} ({extent})\n  {explained(kind)}", read, None)

    def whether(self, option: str, question: str) -> bool:
        """Return a yes or no; an option is spelled the same way."""
        return self._answer(option, f"{question} (yes or no)", _truth, None) is True

    def wants(self, option: str, question: str) -> bool:
        """Whether a part is wanted: its first option was given, or the user says yes."""
        if self._options.get(option) is not None or not self._asks:
            return self._options.get(option) is not None
        return _ask(option, f"{question} (yes or no)", _truth, None)[1] is True

    def complete(self) -> None:
        """Raise `SettingsError` naming every option that is missing."""
        if self._missing:
            raise SettingsError(
                "--no-input was given, so these are required: "
                + ", ".join(f"--{one}" for one in self._missing)
            )

    def _answer(self, option: str, question: str, read: _Reader, default: str | None) -> Any:
        value = self._options.get(option)
        if value is None and self._asks:
            answer, taken = _ask(option, question, read, default)
            self.kept[option] = answer
            return taken
        value = default if value is None else value
        if value is None:
            self._missing.append(option)
            return None
        try:
            taken = read(value)
        except ValueError as error:
            raise SettingsError(f"--{option}: {error}") from error
        self.kept[option] = value
        return taken


_GO_ON = "A command that resumes with your answers so far is then shown."


def _ask(option: str, question: str, read: _Reader, default: str | None) -> tuple[str, Any]:
    """Return an answer as given and as parsed; ask until it is valid."""
    title, _, explanation = question.partition("\n")
    typer.echo(f"\n{title}{chr(10) if explanation else ''}{explanation}", err=True)
    while True:
        try:
            answer = typer.prompt(
                "", default=default or "", show_default=default is not None, type=str, err=True,
                prompt_suffix="> ",
            ).strip()  # fmt: skip
        except typer.Abort as error:
            raise SettingsError(f"no answer to {title!r}; give it with --{option}") from error
        if not answer:
            # By itself the prompt would ask again without an explanation.
            typer.echo(f"  an answer is required; Ctrl-C quits. {_GO_ON}", err=True)
            continue
        try:
            return answer, read(answer)
        except ValueError as error:
            typer.echo(f"  {error}", err=True)


def explained(kind: Any) -> str:
    """Return what a kind of value looks like, with an example."""
    for described in (kind, msgspec.inspect.type_info(kind)):
        if isinstance(described, msgspec.inspect.Metadata):
            extra = described.extra_json_schema or {}
            # Quotes belong to the file; nobody types them in an answer.
            described_as = str(extra["description"]).replace(", in quotes", "")
            return f"{described_as}, such as {extra['examples'][0]}"
        if isinstance(described, msgspec.inspect.LiteralType):
            return f"one of: {', '.join(str(value) for value in described.values)}"
    raise TypeError(f"{kind}: a kind without a description")


def _scalar(value: str, kind: Any, option: str, check: Check = lambda _: None) -> Any:
    try:
        taken = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(wrong(kind, value, (option.replace("-", "_"),))) from error
    if (problem := check(value)) is not None:
        raise ValueError(f'"{value}" {problem}')
    return taken


def _truth(value: str) -> bool:
    if value.lower() not in _TRUTH:
        raise ValueError(f"{value!r} is neither yes nor no")
    return _TRUTH[value.lower()]
