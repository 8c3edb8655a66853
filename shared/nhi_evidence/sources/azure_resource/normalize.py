"""One resource log record -> Event or Rejection, from the record alone.

Only a record that states when and what is an event; a record of no category that this pack reads
is rejected and kept raw. Anything else that is absent stays absent.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Event, Rejection
from nhi_evidence.sources.azure_resource import key_vault, kube_audit, storage
from nhi_evidence.sources.azure_resource.envelope import (
    KEY_VAULT,
    KUBERNETES,
    PROVIDERS,
    STORAGE,
    EnvelopeView,
)
from nhi_evidence.sources.azure_resource.record import read

_READERS: dict[str, Callable[[EnvelopeView], Event | Rejection]] = {
    **dict.fromkeys((name.lower() for name in KEY_VAULT), key_vault.event),
    **dict.fromkeys((name.lower() for name in STORAGE), storage.event),
    **dict.fromkeys((name.lower() for name in KUBERNETES), kube_audit.event),
}


_PROVIDERS = {category.lower(): providers for category, providers in PROVIDERS.items()}


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = read(raw)
    if isinstance(decoded, Rejection):
        return decoded
    view = EnvelopeView(*decoded)
    if not view.category:
        return Rejection("category_missing")
    reader = _READERS.get(view.category)
    provider = (view.provider or "").lower()
    if reader is None or (provider and provider not in _PROVIDERS[view.category]):
        of = f" of {view.provider}" if provider else ""
        return Rejection("category_unknown", f"{view.envelope.category!r}{of}"[:LONGEST_DETAIL])
    try:
        return reader(view)
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.MsgspecError, UnicodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
