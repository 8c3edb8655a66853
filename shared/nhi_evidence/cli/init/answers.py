"""Answers for a configuration: taken from options, else asked for, each checked as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import typer

from nhi_evidence.config.fill import wrong
from nhi_evidence.errors import SettingsError

NONE = "none"
"""Spells an empty list."""

_TRUTH = {"yes": True, "y": True, "no": False, "n": False}

_Reader = Callable[[str], Any]
"""Reads an answer. Raises `ValueError` saying why it is none."""


class Answers:
    """Takes one answer after the other; what nobody can be asked for is collected."""

    def __init__(self, given: Mapping[str, str | None], *, asks: bool) -> None:
        """`given` are the options by name; `asks` says whether somebody can be asked."""
        self._given = given
        self._asks = asks
        self._missing: list[str] = []

    def text(self, option: str, question: str, kind: Any, default: str | None = None) -> Any:
        """Return the answer to one question, of the kind the configuration takes.

        Raises `SettingsError` for an option of another kind, and when input ends. Where nobody
        can be asked, a missing answer is noted for `complete` and None is returned.
        """
        return self._answer(option, question, lambda value: _scalar(value, kind, option), default)

    def several(self, option: str, question: str, kind: Any, *, may_be_none: bool = False) -> Any:
        """Return a list of answers, given with commas between; `none` for none where it may be."""
        extent = f"several: with commas{f'; or {NONE}' if may_be_none else ''}"

        def read(value: str) -> list[Any]:
            if may_be_none and value == NONE:
                return []
            parts = [one.strip() for one in value.split(",") if one.strip()]
            if not parts:
                raise ValueError("nothing was given")
            return [_scalar(one, kind, option) for one in parts]

        return self._answer(option, f"{question} ({extent})", read, None)

    def whether(self, option: str, question: str) -> bool:
        """Return a yes or no; an option is spelt so, too."""
        return self._answer(option, f"{question} (yes or no)", _truth, None) is True

    def wants(self, option: str, question: str) -> bool:
        """Whether a part is wanted: its first option is given, or whoever is asked says yes."""
        if self._given.get(option) is not None or not self._asks:
            return self._given.get(option) is not None
        return _ask(option, f"{question} (yes or no)", _truth, None) is True

    def complete(self) -> None:
        """Raise `SettingsError` naming every option that is missing."""
        if self._missing:
            raise SettingsError(
                "nobody can be asked (--no-input), so these are needed: "
                + ", ".join(f"--{one}" for one in self._missing)
            )

    def _answer(self, option: str, question: str, read: _Reader, default: str | None) -> Any:
        value = self._given.get(option)
        if value is None and self._asks:
            return _ask(option, question, read, default)
        value = default if value is None else value
        if value is None:
            self._missing.append(option)
            return None
        try:
            return read(value)
        except ValueError as error:
            raise SettingsError(f"--{option}: {error}") from error


def _ask(option: str, question: str, read: _Reader, default: str | None) -> Any:
    while True:
        try:
            answer = str(typer.prompt(question, default=default, type=str, err=True)).strip()
        except typer.Abort as error:
            raise SettingsError(f"no answer to {question!r}; give it with --{option}") from error
        try:
            return read(answer)
        except ValueError as error:
            typer.echo(f"  {error}", err=True)


def _scalar(value: str, kind: Any, option: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(wrong(kind, value, (option.replace("-", "_"),))) from error


def _truth(value: str) -> bool:
    if value.lower() not in _TRUTH:
        raise ValueError(f"{value!r} is neither yes nor no")
    return _TRUTH[value.lower()]
