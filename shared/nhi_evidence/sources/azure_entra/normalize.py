"""One Entra record -> Event or Rejection, from the record alone.

Only a record that states when and what is an event; a record of no category this pack takes is
rejected and kept raw. Everything else that is absent stays absent.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import Event, Rejection
from nhi_evidence.sources.azure_entra import audit, graph_call, sign_in
from nhi_evidence.sources.azure_entra.envelope import (
    AUDIT_LOGS,
    BY_EVENT_TYPE,
    GRAPH_LOGS,
    EnvelopeView,
    TimeUnreadable,
)
from nhi_evidence.sources.azure_entra.record import SIGN_IN, properties, read

_DETAIL = 200


def normalize(raw: bytes) -> Event | Rejection:
    """Normalize one record; a record that cannot be read is a `Rejection`, never a guess."""
    found = read(raw)
    if isinstance(found, Rejection):
        return found
    said = EnvelopeView(*found)
    try:
        category = said.known_category or _by_shape(said, raw)
        if category is None:
            return _no_category(said)
        return _event(said, category, raw)
    except TimeUnreadable as unreadable:
        reason, detail = unreadable.args
        return Rejection(reason, detail)
    except audit.OperationMissing:
        return Rejection("event_name_missing")
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.MsgspecError, UnicodeError) as error:
        return Rejection("malformed_json", str(error)[:_DETAIL])


def _event(said: EnvelopeView, category: str, raw: bytes) -> Event:
    if category == AUDIT_LOGS:
        return audit.event(said, raw)
    if category == GRAPH_LOGS:
        return graph_call.event(said, raw)
    return sign_in.event(said, category, raw)


def _by_shape(said: EnvelopeView, raw: bytes) -> str | None:
    """Tell the category where the record has another word there, or none.

    Microsoft Graph and Log Analytics put an audit record's own category (`Policy`) in its place.
    """
    if audit.is_audit(said, raw):
        return AUDIT_LOGS
    found, _ = properties(said.envelope, raw, SIGN_IN)
    for one in found.signInEventTypes or ():
        if one.lower() in BY_EVENT_TYPE:
            return BY_EVENT_TYPE[one.lower()]
    return None


def _no_category(said: EnvelopeView) -> Rejection:
    if said.category is None:
        return Rejection("category_missing")
    return Rejection("category_unknown", repr(said.category)[:_DETAIL])
