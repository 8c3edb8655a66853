"""The Event Hub that every log of the tenant goes through."""

from __future__ import annotations

from cdktn import DataResource, Fn, TerraformResourceLifecycle
from cdktn_provider_azurerm.eventhub import Eventhub, EventhubRetentionDescription
from cdktn_provider_azurerm.eventhub_consumer_group import EventhubConsumerGroup
from cdktn_provider_azurerm.eventhub_namespace import EventhubNamespace
from cdktn_provider_azurerm.eventhub_namespace_authorization_rule import (
    EventhubNamespaceAuthorizationRule,
)
from constructs import Construct

from infra.azure.names import HUB, NAME, SENDING_RULE, namespace_name
from nhi_evidence.config.azure_app import PARTITIONS, RETENTION_HOURS

GENERATION_CHARACTERS = 8
"""How many characters of the generation's id, a random UUID, the consumer group's name has."""

MOST_UNITS = 10
"""Throughput units the namespace may scale up to by itself; each takes 1 MB/s."""


class LogHub(Construct):
    """A namespace with one hub, a consumer group for the reader, and a rule for Azure Monitor.

    Azure Monitor supports only access by key (a shared access rule with manage, send and listen),
    so keys stay enabled in this namespace, although nothing of ours uses one. That is why it is
    separate from other namespaces.
    https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings#destinations
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        subscription: str,
        location: str,
        consumer_group: str,
    ) -> None:
        super().__init__(scope, name)
        self.namespace_name = namespace_name(subscription)
        self.namespace = EventhubNamespace(
            self,
            "namespace",
            name=self.namespace_name,
            location=location,
            resource_group_name=NAME,
            sku="Standard",
            capacity=1,
            auto_inflate_enabled=True,
            maximum_throughput_units=MOST_UNITS,
            minimum_tls_version="1.2",
            local_authentication_enabled=True,
            # Azure raises it with the load; each apply would set it back, and the hub then refuses
            # messages until it has grown again.
            # https://github.com/hashicorp/terraform-provider-azurerm/issues/32391
            lifecycle=TerraformResourceLifecycle(ignore_changes=["capacity"]),
        )
        self.hub = Eventhub(
            self,
            "hub",
            name=HUB,
            namespace_id=self.namespace.id,
            partition_count=PARTITIONS,
            retention_description=EventhubRetentionDescription(
                cleanup_policy="Delete", retention_time_in_hours=RETENTION_HOURS
            ),
        )
        self.rule = EventhubNamespaceAuthorizationRule(
            self,
            "azure-monitor",
            name=SENDING_RULE,
            namespace_name=self.namespace.name,
            resource_group_name=NAME,
            listen=True,
            send=True,
            manage=True,
        )
        hub = f"{self.hub.terraform_resource_type}.{self.hub.friendly_unique_id}"
        self.generation = DataResource(
            self,
            "generation",
            lifecycle=TerraformResourceLifecycle(replace_triggered_by=[f"{hub}.id"]),
        )
        """A new value whenever the hub is re-created: sequence numbers then start over."""
        self.consumer_group = EventhubConsumerGroup(
            self,
            "exporter",
            name=f"{consumer_group}-{Fn.substr(self.generation.id, 0, GENERATION_CHARACTERS)}",
            namespace_name=self.namespace.name,
            eventhub_name=self.hub.name,
            resource_group_name=NAME,
        )
        """The reader's group, a new one for each hub of this name: the host keeps checkpoints per
        group, and those of the previous hub would make it skip the new hub's first messages."""
