"""What a region lacks and the deployment would otherwise take for granted."""

from __future__ import annotations

WITHOUT_ZONES = frozenset(
    {
        *("australiacentral", "australiacentral2", "australiasoutheast", "brazilsoutheast"),
        *("canadaeast", "francesouth", "germanynorth", "jioindiacentral", "jioindiawest"),
        *("koreasouth", "northcentralus", "norwaywest", "southafricawest", "southindia"),
        *("switzerlandwest", "uaecentral", "ukwest", "westcentralus", "westindia", "westus"),
    }
)
"""Regions without availability zones, and so without zone-redundant storage; as of 2026-04.
https://learn.microsoft.com/azure/reliability/regions-list"""

WITH_FLEX_CONSUMPTION = frozenset(
    {
        *("australiaeast", "eastasia", "eastus", "eastus2", "italynorth", "japaneast"),
        *("northeurope", "southcentralus", "southeastasia", "swedencentral", "uksouth"),
        *("westeurope", "westus2", "westus3"),
    }
)
"""Regions known to offer the function's plan, as of 2026-04; more are added every few months: `az
functionapp list-flexconsumption-locations`."""


def replication(location: str) -> str:
    """Return how the host's storage is replicated: across zones if the region has any."""
    return "LRS" if location in WITHOUT_ZONES else "ZRS"


def notes(location: str) -> tuple[str, ...]:
    """Return what the deployer should know of a region before the first apply, if anything."""
    texts = []
    if location in WITHOUT_ZONES:
        texts.append(
            f"azure.location: {location} has no availability zones: the host's storage is kept in "
            "one place (LRS), and if that is lost, the exporter reads the hub again from the "
            "start, which repeats nothing in the evidence"
        )
    if location not in WITH_FLEX_CONSUMPTION:
        texts.append(
            f"azure.location: {location} is not known here to offer the Flex Consumption plan; "
            "before applying, look for it in the output of: az functionapp "
            "list-flexconsumption-locations"
        )
    return tuple(texts)
