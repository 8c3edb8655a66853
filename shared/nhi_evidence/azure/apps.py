"""Microsoft's own applications, by application id.

Two lists, because they mean different things: clients that people sign in with, and services that
act by themselves. An application on neither is taken for a customer's, so it stays evidence.
https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
"""

from __future__ import annotations

CLIENTS = {
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
    "de8bc8b5-d9f9-48b1-a8ad-b748da725064": "Graph Explorer",
    "872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
    "04f0c124-f2bc-4f59-8241-bf6df9866bbd": "Visual Studio",
    "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
    "74658136-14ec-4630-ad9b-26e160ff0fc6": "Entra admin center",
}
"""Clients of people: what one of them does with a user's token is the user's own act."""

SERVICES = {
    "60e6cd67-9c8c-4951-9b3c-23c25a2169af": "Compute Resource Provider",
    "a6aa9161-5291-40bb-8c5c-923b567bee3b": "Storage Resource Provider",
    "8edd93e1-2103-40b4-bd70-6e34e586362d": "Windows Azure Security Resource Provider",
    "262044b1-e2ce-469f-a196-69ab7ada62d3": "Backup Management Service",
    "7319c514-987d-4e9b-ac3d-d38c4f427f4c": "Azure Kubernetes Service",
    "7cd684f4-8a78-49b0-91ec-6a35d38739ba": "Azure Logic Apps",
    "1d78a85d-813d-46f0-b496-dd72f50a3ec0": "Microsoft Azure Policy Insights",
    "e935b4a5-8968-416d-8414-caed51c782a9": "Microsoft Guest Configuration",
    "80369ed6-5f11-4dd9-bef3-692475845e77": "Microsoft.EventHubs",
    "4962773b-9cdb-44cf-a8bf-237846a00ab7": "Microsoft.EventGrid",
    "8602e328-9b72-4f2d-a4ae-1387d013a2b3": "Azure API Management",
    "ddbf3205-c6bd-46ae-8127-60eb93363864": "Microsoft Azure Batch",
    "9469b9f5-6722-4481-a2b2-14ed560b706f": "Hybrid File Sync Service",
    "f6b60513-f290-450e-a2f3-9930de61c5e7": "Microsoft Azure Log Search Alerts",
}
"""Services that act by themselves, without a user's token: resource providers and the like."""
