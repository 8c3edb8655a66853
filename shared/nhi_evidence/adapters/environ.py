"""The environment of a function, read once into a typed value."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import TypeVar

import msgspec

from nhi_evidence.errors import SettingsError

PREFIX = "NHI_EVIDENCE_"

_T = TypeVar("_T", bound=msgspec.Struct)


def read_settings(shape: type[_T], environ: Mapping[str, str] | None = None) -> _T:
    """Read `NHI_EVIDENCE_<FIELD>` variables into a settings struct.

    A field that is neither text, number, boolean nor enumeration is read as JSON. Raises
    `SettingsError` naming every variable that is missing, invalid or unknown: every function has
    a process of its own, whose `NHI_EVIDENCE_*` variables are all meant for it.
    """
    variables = os.environ if environ is None else environ
    values: dict[str, object] = {}
    known = [PREFIX + field.name.upper() for field in msgspec.structs.fields(shape)]
    problems = list(_unknown(variables, known))
    for field in msgspec.structs.fields(shape):
        variable = PREFIX + field.name.upper()
        text = variables.get(variable, "")
        if not text:
            if field.required:
                problems.append(f"{variable} is not set")
            continue
        try:
            values[field.name] = _convert(text, field.type)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            problems.append(f"{variable}: {error}")
    if problems:
        raise SettingsError("; ".join(problems))
    return shape(**values)


def _unknown(variables: Iterable[str], known: list[str]) -> Iterator[str]:
    """Yield a problem for each variable that would be ignored, with the name probably meant."""
    for variable in sorted(variables):
        # A name in small letters is another variable, and would be ignored like a misspelled one.
        if variable.upper().startswith(PREFIX) and variable not in known:
            near = get_close_matches(variable.upper(), known, n=1)
            yield f"{variable} is unknown" + (f"; did you mean {near[0]}?" if near else "")


def _convert(text: str, wanted: object) -> object:
    try:
        return msgspec.convert(text, wanted, strict=False)
    except msgspec.ValidationError:
        if text[:1] in "[{":
            return msgspec.json.decode(text, type=wanted)
        raise


def variables(settings: msgspec.Struct) -> dict[str, str]:
    """Return the `NHI_EVIDENCE_*` variables that `read_settings` reads these settings from.

    A value of None stays unset, so that the function's own default applies.
    """
    values = {one.name: getattr(settings, one.name) for one in msgspec.structs.fields(settings)}
    return {
        PREFIX + name.upper(): _text(value) for name, value in values.items() if value is not None
    }


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of this user's caches (XDG Base Directory Specification)."""
    variables = os.environ if environ is None else environ
    named = variables.get("XDG_CACHE_HOME", "")
    return Path(named) if named.startswith("/") else Path.home() / ".cache"
