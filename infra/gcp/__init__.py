"""Google Cloud: an organization's audit logs, batched into files and passed to the exporter."""

from infra import jsii_node

jsii_node.choose()
