"""AWS: one construct per file, composed by the stacks; no call to AWS while they are built."""

from infra import jsii_node

jsii_node.choose()
