"""What a tenant contains: subscriptions, their management groups, resources of a type."""

from __future__ import annotations

import msgspec

from nhi_evidence.coverage.answers import Reading

SUBSCRIPTIONS = "Microsoft.Resources/subscriptions"
DESCENDANTS = "Microsoft.Management/managementGroups/descendants"
RESOURCES = "Microsoft.ResourceGraph/resources"
LICENSES = "graph:subscribedSkus"
_PREMIUM = ("AAD_PREMIUM", "AAD_PREMIUM_P2")
"""Service plans of Entra ID P1 and P2; exporting sign-in and Graph logs requires one of them."""


class _Resource(msgspec.Struct):
    id: str
    type: str


class _Resources(msgspec.Struct):
    data: tuple[_Resource, ...] = ()


class _Plan(msgspec.Struct, rename="camel"):
    service_plan_name: str
    provisioning_status: str = "Success"


class _Sku(msgspec.Struct, rename="camel"):
    service_plans: tuple[_Plan, ...] = ()
    capability_status: str = "Enabled"


class _Skus(msgspec.Struct):
    value: tuple[_Sku, ...] = ()


def subscriptions(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Return each subscription's own scope and those of the management groups above it.

    One that is past due is active, and in a disabled one resources can still be deleted.
    https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states
    Raises `KeyError` or `TypeError` for a malformed answer.
    """
    above: dict[str, list[str]] = {}
    for answer in reading.ok(DESCENDANTS):
        for entry in answer.answer["value"]:
            if str(entry["type"]).lower().endswith("subscriptions"):
                above.setdefault(str(entry["name"]).lower(), []).append(answer.scope)
    return {
        f"/subscriptions/{one['subscriptionId']}": (
            f"/subscriptions/{one['subscriptionId']}",
            *above.get(str(one["subscriptionId"]).lower(), ()),
        )
        for answer in reading.ok(SUBSCRIPTIONS)
        for one in answer.answer["value"]
        if one.get("state") != "Deleted"
    }


def subscription_of(scope: str) -> str:
    """Return the subscription of a scope or a resource id, lower case: ids differ in case."""
    return scope.lower().removeprefix("/subscriptions/").partition("/")[0]


def tenant(reading: Reading) -> str | None:
    """Return the tenant that was read, lower case, as every subscription names it.

    None where they name several or none: a subscription of another tenant may be managed from
    here. Raises `KeyError` or `TypeError` for an answer of another shape.
    https://learn.microsoft.com/rest/api/resources/subscriptions/list
    """
    named = {
        str(one.get("tenantId", "")).lower()
        for answer in reading.ok(SUBSCRIPTIONS)
        for one in answer.answer["value"]
    }
    return named.pop() or None if len(named) == 1 else None


def resources(reading: Reading, type_: str) -> tuple[str, ...] | None:
    """Return the ids of every resource of a type; None where the list could not be read.

    Raises `msgspec.ValidationError` for a malformed answer.
    """
    settings = list(reading.ok(RESOURCES))
    if not settings or reading.unread(RESOURCES):
        return None
    return tuple(
        resource.id
        for answer in settings
        for resource in msgspec.convert(answer.answer, _Resources).data
        if resource.type.lower() == type_.lower()
    )


def has_premium(reading: Reading) -> bool | None:
    """Whether the tenant has Entra ID P1 or P2; None where its licenses could not be read.

    Raises `msgspec.ValidationError` for a malformed answer.
    """
    licenses = list(reading.ok(LICENSES))
    if not licenses:
        return None
    return any(
        plan.service_plan_name in _PREMIUM and plan.provisioning_status == "Success"
        for answer in licenses
        for sku in msgspec.convert(answer.answer, _Skus).value
        if sku.capability_status == "Enabled"
        for plan in sku.service_plans
    )
