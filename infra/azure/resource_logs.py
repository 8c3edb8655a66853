"""Resource logs by policy: on every vault and storage account, those of tomorrow included."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cdktn import ITerraformDependable
from cdktn_provider_azurerm.management_group_policy_assignment import (
    ManagementGroupPolicyAssignment,
    ManagementGroupPolicyAssignmentIdentity,
)
from cdktn_provider_azurerm.management_group_policy_remediation import (
    ManagementGroupPolicyRemediation,
)
from cdktn_provider_azurerm.policy_definition import PolicyDefinition
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from cdktn_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from cdktn_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from infra.azure.event_hub import LogHub
from infra.azure.names import NAME, group_id, management_group_id
from infra.azure.policy_rule import PARAMETERS, ROLES, rule
from infra.azure.resource_kinds import kinds_of

STREAM_ACTIONS = (
    "Microsoft.EventHub/namespaces/read",
    "Microsoft.EventHub/namespaces/eventhubs/read",
    "Microsoft.EventHub/namespaces/authorizationRules/read",
    "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
)
"""What Azure asks of whoever points a diagnostic setting at a hub. Data Owner, the built-in role
that includes it, could also read and delete what is in the hub."""


class PolicyIdentity(Construct):
    """The identity that makes diagnostic settings, and may do nothing else to a resource."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        subscription: str,
        group: str,
        location: str,
        hub: LogHub,
    ) -> None:
        super().__init__(scope, name)
        self.identity = UserAssignedIdentity(
            self,
            "identity",
            name=f"{NAME}-policy",
            location=location,
            resource_group_name=NAME,
        )
        stream = RoleDefinition(
            self,
            "stream",
            # A role may be assignable in a resource group, not in a single resource; it is
            # assigned in the namespace alone.
            scope=group_id(subscription),
            name=f"{NAME} stream settings {hub.namespace.name}",
            description="Point diagnostic settings at this Event Hubs namespace",
            permissions=[RoleDefinitionPermissions(actions=list(STREAM_ACTIONS))],
            assignable_scopes=[group_id(subscription)],
        )
        self.grants: list[ITerraformDependable] = [
            RoleAssignment(
                self,
                "monitoring",
                scope=group,
                role_definition_id=ROLES[0],
                principal_id=self.identity.principal_id,
                principal_type="ServicePrincipal",
            ),
            RoleAssignment(
                self,
                "streaming",
                scope=hub.namespace.id,
                role_definition_id=stream.role_definition_resource_id,
                principal_id=self.identity.principal_id,
                principal_type="ServicePrincipal",
            ),
        ]


class ResourceLogs(Construct):
    """For each kind of resource a policy, its assignment, and a task for what exists already.

    Azure Monitor sends the logs of a resource only to a hub of the resource's own region.
    Resources elsewhere are not passed over in silence: they show as not compliant.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        subscription: str,
        resource_types: Iterable[str],
        group: str,
        location: str,
        hub: LogHub,
    ) -> None:
        super().__init__(scope, name)
        above = management_group_id(group)
        policy = PolicyIdentity(
            self, "policy", subscription=subscription, group=above, location=location, hub=hub
        )
        for kind in (kind for one in resource_types for kind in kinds_of(one)):
            short = kind.type.rpartition("/")[2]
            definition = PolicyDefinition(
                self,
                short,
                name=f"{NAME}-{short}",
                display_name=f"{NAME}: logs of {kind.type}",
                description=f"Every {kind.type} sends its audit logs to {NAME}",
                policy_type="Custom",
                mode="All",
                management_group_id=above,
                parameters=json.dumps(PARAMETERS, sort_keys=True),
                policy_rule=json.dumps(rule(kind), sort_keys=True),
            )
            assignment = ManagementGroupPolicyAssignment(
                self,
                f"{short}-assigned",
                # Azure allows an assignment 24 characters.
                name=f"nhi-{short}"[:24],
                display_name=f"{NAME}: logs of {kind.type}",
                management_group_id=above,
                policy_definition_id=definition.id,
                location=location,
                identity=ManagementGroupPolicyAssignmentIdentity(
                    type="UserAssigned", identity_ids=[policy.identity.id]
                ),
                parameters=json.dumps(
                    {"rule": {"value": hub.rule.id}, "hub": {"value": hub.hub.name}}
                ),
                depends_on=policy.grants,
            )
            ManagementGroupPolicyRemediation(
                self,
                f"{short}-existing",
                name=f"{NAME}-{short}".lower(),
                management_group_id=above,
                policy_assignment_id=assignment.id,
            )
