"""The part of OCSF 1.8.0 that this package writes: classes, activities, and what each requires.

Captions are those of the published schema; `tests/unit/test_ocsf_classes.py` compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from nhi_evidence.event import Event


class OcsfClass(msgspec.Struct, frozen=True):
    """One event class: its captions, and whether a record supports what it requires."""

    uid: int
    name: str
    category_uid: int
    category_name: str
    activities: Mapping[int, str]
    supported: Callable[[Event], bool]
    has_resources: bool = False
    has_http_request: bool = True
    has_dst_endpoint: bool = False


def _has_source_and_actor(event: Event) -> bool:
    actor = event.actor
    known = (actor.user, actor.session, actor.invoked_by, actor.app_uid)
    return event.call.source is not None and any(one is not None for one in known)


OTHER = 99

BASE_EVENT = OcsfClass(
    uid=0,
    name="Base Event",
    category_uid=0,
    category_name="Uncategorized",
    activities={0: "Unknown", OTHER: "Other"},
    supported=lambda _: True,
    has_http_request=False,
)

API_ACTIVITY = OcsfClass(
    uid=6003,
    name="API Activity",
    category_uid=6,
    category_name="Application Activity",
    activities={1: "Create", 2: "Read", 3: "Update", 4: "Delete", OTHER: "Other"},
    supported=_has_source_and_actor,
    has_resources=True,
    has_dst_endpoint=True,
)

EVENT_LOG_ACTIVITY = OcsfClass(
    uid=1008,
    name="Event Log Activity",
    category_uid=1,
    category_name="System Activity",
    activities={
        1: "Clear",
        2: "Delete",
        3: "Export",
        4: "Archive",
        5: "Rotate",
        6: "Start",
        7: "Stop",
        8: "Restart",
        9: "Enable",
        10: "Disable",
        OTHER: "Other",
    },
    supported=lambda event: event.about.log_name is not None,
    has_http_request=False,
    has_dst_endpoint=True,
)

ACCOUNT_CHANGE = OcsfClass(
    uid=3001,
    name="Account Change",
    category_uid=3,
    category_name="Identity & Access Management",
    activities={
        1: "Create",
        2: "Enable",
        3: "Password Change",
        4: "Password Reset",
        5: "Disable",
        6: "Delete",
        7: "Attach Policy",
        8: "Detach Policy",
        9: "Lock",
        10: "MFA Factor Enable",
        11: "MFA Factor Disable",
        12: "Unlock",
        OTHER: "Other",
    },
    supported=lambda event: event.about.user is not None,
)

AUTHENTICATION = OcsfClass(
    uid=3002,
    name="Authentication",
    category_uid=3,
    category_name="Identity & Access Management",
    activities={
        1: "Logon",
        2: "Logoff",
        3: "Authentication Ticket",
        4: "Service Ticket Request",
        5: "Service Ticket Renew",
        6: "Preauth",
        7: "Account Switch",
        OTHER: "Other",
    },
    supported=lambda event: event.about.user is not None or event.actor.user is not None,
    has_dst_endpoint=True,
)

ENTITY_MANAGEMENT = OcsfClass(
    uid=3004,
    name="Entity Management",
    category_uid=3,
    category_name="Identity & Access Management",
    activities={
        1: "Create",
        2: "Read",
        3: "Update",
        4: "Delete",
        5: "Move",
        6: "Enroll",
        7: "Unenroll",
        8: "Enable",
        9: "Disable",
        10: "Activate",
        11: "Deactivate",
        12: "Suspend",
        13: "Resume",
        OTHER: "Other",
    },
    supported=lambda event: event.about.entity is not None,
)

USER_ACCESS = OcsfClass(
    uid=3005,
    name="User Access Management",
    category_uid=3,
    category_name="Identity & Access Management",
    activities={1: "Assign Privileges", 2: "Revoke Privileges", OTHER: "Other"},
    supported=lambda event: event.about.user is not None and bool(event.about.privileges),
    has_resources=True,
)

GROUP_MANAGEMENT = OcsfClass(
    uid=3006,
    name="Group Management",
    category_uid=3,
    category_name="Identity & Access Management",
    activities={
        1: "Assign Privileges",
        2: "Revoke Privileges",
        3: "Add User",
        4: "Remove User",
        5: "Delete",
        6: "Create",
        7: "Add Subgroup",
        8: "Remove Subgroup",
        OTHER: "Other",
    },
    supported=lambda event: event.about.group is not None,
)

DATASTORE_ACTIVITY = OcsfClass(
    uid=6005,
    name="Datastore Activity",
    category_uid=6,
    category_name="Application Activity",
    activities={
        1: "Read",
        2: "Update",
        3: "Connect",
        4: "Query",
        5: "Write",
        6: "Create",
        7: "Delete",
        8: "List",
        9: "Encrypt",
        10: "Decrypt",
        OTHER: "Other",
    },
    supported=lambda event: (
        _has_source_and_actor(event)
        and (event.about.databucket is not None or event.about.table is not None)
    ),
    has_dst_endpoint=True,
)

CLASSES: Mapping[int, OcsfClass] = {
    one.uid: one
    for one in (
        BASE_EVENT,
        EVENT_LOG_ACTIVITY,
        ACCOUNT_CHANGE,
        AUTHENTICATION,
        ENTITY_MANAGEMENT,
        USER_ACCESS,
        GROUP_MANAGEMENT,
        API_ACTIVITY,
        DATASTORE_ACTIVITY,
    )
}


def choose(event: Event, class_uid: int, activity_id: int) -> tuple[OcsfClass, int]:
    """Return a class that the record supports, and the activity within it.

    Falls back from the wanted class to API Activity to Base Event; the activity of a
    fallback is Other, because the wanted number means something else there.
    """
    wanted = CLASSES[class_uid]
    if wanted.supported(event):
        return wanted, activity_id
    if API_ACTIVITY.supported(event):
        return API_ACTIVITY, activity_id if wanted is API_ACTIVITY else OTHER
    return BASE_EVENT, OTHER
