"""A function's settings as the variables it will read them from."""

from __future__ import annotations

from enum import Enum

import msgspec

from nhi_evidence.adapters.environ import PREFIX


def variables(settings: msgspec.Struct) -> dict[str, str]:
    """Return the `NHI_EVIDENCE_*` variables `environ.read_settings` reads these settings from.

    What is absent stays unset: the function's own default holds.
    """
    values = {one.name: getattr(settings, one.name) for one in msgspec.structs.fields(settings)}
    return {
        PREFIX + name.upper(): _text(value) for name, value in values.items() if value is not None
    }


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
