"""Resource logs by policy: on every vault and storage account, those of tomorrow included."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cdktn import ITerraformDependable, TerraformOutput
from cdktn_provider_azurerm.management_group_policy_assignment import (
    ManagementGroupPolicyAssignment,
    ManagementGroupPolicyAssignmentIdentity,
)
from cdktn_provider_azurerm.policy_definition import PolicyDefinition
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from cdktn_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from cdktn_provider_azurerm.subscription_policy_remediation import SubscriptionPolicyRemediation
from cdktn_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from infra.azure.event_hub import LogHub
from infra.azure.names import (
    NAME,
    group_id,
    management_group_id,
    role_definition,
    role_id,
    storage_id,
)
from nhi_evidence.config.azure_policy import PARAMETERS, rule
from nhi_evidence.config.azure_resource_kinds import Logged, kinds_of

STREAM_ACTIONS = (
    "Microsoft.EventHub/namespaces/read",
    "Microsoft.EventHub/namespaces/eventhubs/read",
    "Microsoft.EventHub/namespaces/authorizationRules/read",
    "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
)
"""What Azure asks of whoever points a diagnostic setting at a hub. Data Owner, the built-in role
that includes it, could also read and delete what is in the hub."""

SETTING_ACTIONS = (
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/diagnosticSettings/write",
    "Microsoft.Resources/deployments/read",
    "Microsoft.Resources/deployments/write",
    "Microsoft.Resources/deployments/validate/action",
    "Microsoft.Resources/deployments/operations/read",
    "Microsoft.Resources/deployments/operationstatuses/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)
"""What making a diagnostic setting by a policy's deployment takes. Monitoring Contributor, the
built-in role for it, could also remove settings, and read every resource and change its alerts."""

MOST_RESOURCES = 50_000
"""The most one remediation task takes on; without it, 500."""

AT_ONCE = 30
"""Deployments a task makes at a time; Azure's largest."""


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
        self.role = role_definition(role_id("settings", subscription))
        settings = RoleDefinition(
            self,
            "settings",
            role_definition_id=role_id("settings", subscription),
            scope=group,
            name=f"{NAME} make settings {hub.namespace_name}",
            description="Make diagnostic settings by policy, and nothing else",
            permissions=[RoleDefinitionPermissions(actions=list(SETTING_ACTIONS))],
            assignable_scopes=[group],
        )
        stream = RoleDefinition(
            self,
            "stream",
            role_definition_id=role_id("stream", subscription),
            # A role may be assignable in a resource group, not in a single resource; it is
            # assigned in the namespace alone.
            scope=group_id(subscription),
            name=f"{NAME} stream settings {hub.namespace_name}",
            description="Point diagnostic settings at this Event Hubs namespace",
            permissions=[RoleDefinitionPermissions(actions=list(STREAM_ACTIONS))],
            assignable_scopes=[group_id(subscription)],
        )
        self.grants: list[ITerraformDependable] = [
            RoleAssignment(
                self,
                grant,
                scope=where,
                role_definition_id=role.role_definition_resource_id,
                principal_id=self.identity.principal_id,
                principal_type="ServicePrincipal",
            )
            for grant, where, role in (
                ("setting", group, settings),
                ("streaming", hub.namespace.id, stream),
            )
        ]


class ResourceLogs(Construct):
    """For each kind of resource a policy, its assignment, and tasks for what exists already.

    Azure Monitor sends the logs of a resource only to a hub of the resource's own region.
    Resources elsewhere are not passed over in silence: they show as not compliant.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        subscription: str,
        subscriptions: Iterable[str],
        resource_types: Iterable[str],
        group: str,
        location: str,
        hub: LogHub,
    ) -> None:
        super().__init__(scope, name)
        self._group = management_group_id(group)
        self._location = location
        self._hub = hub
        # What the host does to its own storage would be recorded, read, and done again.
        self._excluded = storage_id(subscription)
        self._policy = PolicyIdentity(
            self,
            "policy",
            subscription=subscription,
            group=self._group,
            location=location,
            hub=hub,
        )
        kinds = kinds_of(resource_types)
        for kind in kinds:
            assignment = self._assigned(kind)
            for observed in sorted(subscriptions):
                self._remediated(kind, assignment, observed)
        self._say_what_remains(group, kinds)

    def _assigned(self, kind: Logged) -> ManagementGroupPolicyAssignment:
        """Define the policy of a kind, and assign it to the management group."""
        definition = PolicyDefinition(
            self,
            kind.slug,
            name=f"{NAME}-{kind.slug}",
            display_name=f"{NAME}: logs of {kind.type}",
            description=f"Every {kind.type} sends its audit logs to {NAME}",
            policy_type="Custom",
            mode="All",
            management_group_id=self._group,
            parameters=json.dumps(PARAMETERS, sort_keys=True),
            policy_rule=json.dumps(
                rule(kind, role=self._policy.role, excluded=self._excluded), sort_keys=True
            ),
            # The rule names the role, which must exist by then.
            depends_on=self._policy.grants,
        )
        return ManagementGroupPolicyAssignment(
            self,
            f"{kind.slug}-assigned",
            name=kind.short_name,
            display_name=f"{NAME}: logs of {kind.type}",
            management_group_id=self._group,
            policy_definition_id=definition.id,
            location=self._location,
            identity=ManagementGroupPolicyAssignmentIdentity(
                type="UserAssigned", identity_ids=[self._policy.identity.id]
            ),
            parameters=json.dumps(
                {"rule": {"value": self._hub.rule.id}, "hub": {"value": self._hub.hub.name}}
            ),
            depends_on=self._policy.grants,
        )

    def _remediated(
        self, kind: Logged, assignment: ManagementGroupPolicyAssignment, subscription: str
    ) -> None:
        """Have what exists in a subscription evaluated now, and given its setting.

        In a subscription and not in the group: a task of a management group takes what was
        evaluated before, which at the first apply is nothing.
        """
        SubscriptionPolicyRemediation(
            self,
            f"{kind.slug}-{subscription}",
            name=f"{NAME}-{kind.slug}".lower(),
            subscription_id=f"/subscriptions/{subscription}",
            policy_assignment_id=assignment.id,
            resource_discovery_mode="ReEvaluateCompliance",
            resource_count=MOST_RESOURCES,
            parallel_deployments=AT_ONCE,
            # A failure is that resource's own: it stays non-compliant, and the others go on.
            failure_percentage=1,
            # Elsewhere a setting cannot send to this hub, and every attempt would fail.
            location_filters=[self._location],
        )

    def _say_what_remains(self, group: str, kinds: Iterable[Logged]) -> None:
        """Show how to reach subscriptions that are not listed, and how to see what is missing."""
        names = [kind.short_name for kind in kinds]
        TerraformOutput(
            self,
            "remediate",
            value="\n".join(
                f"az policy remediation create --name {name} --management-group {group}"
                f" --policy-assignment {name} --resource-count {MOST_RESOURCES}"
                f" --location-filters {self._location}"
                for name in names
            ),
            description="For subscriptions that are not listed: an hour after the apply, once"
            " Azure has evaluated them",
        ).override_logical_id("remediate")
        wanted = " or ".join(f"policyAssignmentName eq '{name}'" for name in names)
        TerraformOutput(
            self,
            "compliance",
            value=f"az policy state list --management-group {group} --filter"
            f" \"complianceState eq 'NonCompliant' and ({wanted})\""
            ' --query "[].resourceId" --output tsv',
            description="Resources whose logs are missing, wherever they are",
        ).override_logical_id("compliance")
