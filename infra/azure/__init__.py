"""Azure and Entra: the tenant's logs go through one Event Hub to the exporter."""

from infra import jsii_node

jsii_node.choose()
