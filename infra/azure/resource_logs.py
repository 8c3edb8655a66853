"""Resource logs by policy: on every vault and storage account, including future ones."""

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
    shared,
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
"""The permissions Azure requires to point a diagnostic setting at a hub. Data Owner, the built-in
role that includes them, could also read and delete what is in the hub."""

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
"""The permissions that a policy's deployment needs to create a diagnostic setting. Monitoring
Contributor, the built-in role for it, could also remove settings, read every resource and change
its alerts."""

MOST_RESOURCES = 50_000
"""The most resources one remediation task handles; the default is 500."""

AT_ONCE = 30
"""Concurrent deployments of a task; Azure's maximum."""


class PolicyIdentity(Construct):
    """The identity that creates diagnostic settings, and may do nothing else to a resource."""

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
            # A custom role can be assignable in a resource group, not in a single resource; it is
            # assigned only in the namespace.
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
    """For each type of resource: a policy, its assignment, and tasks for what exists already.

    Azure Monitor sends the logs of a resource only to a hub of the resource's own region. Resources
    elsewhere are not silently skipped: they show as non-compliant.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        subscription: str,
        subscriptions: Iterable[str],
        resource_types: Iterable[str],
        group: str,
        location: str,
        hub: LogHub,
    ) -> None:
        super().__init__(scope, name)
        self._deployment = deployment
        self._group = management_group_id(group)
        self._location = location
        self._hub = hub
        # What the host does to its own storage would be recorded, then read by the host, which
        # would write again.
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
        """Define the policy for a type of resource, and assign it to the management group."""
        definition = PolicyDefinition(
            self,
            kind.slug,
            name=shared(self._deployment, kind.slug),
            display_name=f"{shared(self._deployment)}: logs of {kind.type}",
            description=f"Every {kind.type} sends its audit logs to {NAME}",
            policy_type="Custom",
            mode="All",
            management_group_id=self._group,
            parameters=json.dumps(PARAMETERS, sort_keys=True),
            policy_rule=json.dumps(
                rule(
                    kind,
                    setting=shared(self._deployment),
                    role=self._policy.role,
                    excluded=self._excluded,
                ),
                sort_keys=True,
            ),
            # The rule names the role, which has to exist by then.
            depends_on=self._policy.grants,
        )
        return ManagementGroupPolicyAssignment(
            self,
            f"{kind.slug}-assigned",
            name=kind.assignment(self._deployment),
            display_name=f"{shared(self._deployment)}: logs of {kind.type}",
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
        """Have existing resources of a subscription evaluated now, and given their settings.

        The task is in the subscription, not the group: a management group's task handles what was
        evaluated before, which at the first apply is nothing.
        """
        SubscriptionPolicyRemediation(
            self,
            f"{kind.slug}-{subscription}",
            name=shared(self._deployment, kind.slug).lower(),
            subscription_id=f"/subscriptions/{subscription}",
            policy_assignment_id=assignment.id,
            resource_discovery_mode="ReEvaluateCompliance",
            resource_count=MOST_RESOURCES,
            parallel_deployments=AT_ONCE,
            # A failure concerns only its resource: that one stays non-compliant, and the others go
            # on.
            failure_percentage=1,
            # In other regions a setting cannot send to this hub, and every attempt would fail.
            location_filters=[self._location],
        )

    def _say_what_remains(self, group: str, kinds: Iterable[Logged]) -> None:
        """Output how to cover subscriptions that are not listed, and how to see what is missing."""
        names = [kind.assignment(self._deployment) for kind in kinds]
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
            description="Lists resources whose logs are missing, wherever they are",
        ).override_logical_id("compliance")
