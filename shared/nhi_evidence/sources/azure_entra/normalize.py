"""One Entra record -> Event or Rejection, from the record alone.

Only a record that states when and what is an event; a record of no category that this pack reads
is rejected and kept raw. Anything else that is absent stays absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Event, Rejection
from nhi_evidence.sources.azure_entra import audit, graph_call, sign_in
from nhi_evidence.sources.azure_entra.envelope import (
    AUDIT_LOGS,
    BY_EVENT_TYPE,
    GRAPH_LOGS,
    NON_INTERACTIVE_LOGS,
    SIGN_IN_LOGS,
    EnvelopeView,
)
from nhi_evidence.sources.azure_entra.record import SIGN_IN, properties, read


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; one that cannot be read becomes a `Rejection`, never a guess."""
    decoded = read(raw)
    if isinstance(decoded, Rejection):
        return decoded
    view = EnvelopeView(*decoded)
    try:
        if view.is_of_another_service:
            return _no_category(view)
        category = view.known_category or _by_shape(view, raw)
        if category is None:
            return _no_category(view)
        return _event(view, category, raw)
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.MsgspecError, UnicodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])


def _event(view: EnvelopeView, category: str, raw: bytes) -> Event | Rejection:
    if category == AUDIT_LOGS:
        return audit.event(view, raw)
    if category == GRAPH_LOGS:
        return graph_call.event(view, raw)
    return sign_in.event(view, category, raw)


def _by_shape(view: EnvelopeView, raw: bytes) -> str | None:
    """Return the category of a record that has another word in its place, or none.

    Microsoft Graph and Log Analytics put an audit record's own category (`Policy`) there.
    """
    if audit.is_audit(view, raw):
        return AUDIT_LOGS
    sign_in_properties, _ = properties(view.envelope, raw, SIGN_IN)
    for kind in sign_in_properties.signInEventTypes or ():
        if kind.lower() in BY_EVENT_TYPE:
            return BY_EVENT_TYPE[kind.lower()]
    named = sign_in_properties.userId or sign_in_properties.userPrincipalName
    if view.category is None and named and sign_in_properties.isInteractive is not None:
        return SIGN_IN_LOGS if sign_in_properties.isInteractive else NON_INTERACTIVE_LOGS
    return None


def _no_category(view: EnvelopeView) -> Rejection:
    if view.category is None:
        return Rejection("category_missing")
    of = f" of {view.provider}" if view.is_of_another_service else ""
    return Rejection("category_unknown", f"{view.category!r}{of}"[:LONGEST_DETAIL])
