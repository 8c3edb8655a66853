"""Taking an export down without losing what it has not locked yet."""

from __future__ import annotations

from enum import StrEnum

from cdktn import TerraformResource, TerraformResourceLifecycle


class Teardown(StrEnum):
    """How far an export is taken down; each step is one apply."""

    NONE = "none"
    """It runs."""
    DRAIN = "drain"
    """Its sources are gone and nothing new comes; what came is still being locked."""
    REMOVE = "remove"
    """Drained, and what waited may be destroyed."""

    @property
    def has_sources(self) -> bool:
        """Whether logs are still sent to the export."""
        return self is Teardown.NONE


def keep_unread(teardown: Teardown, *resources: TerraformResource) -> None:
    """Have Terraform refuse to destroy or replace what may hold records nobody has locked yet.

    Not a deletion lock of the cloud's: an administrator still can. It keeps a `terraform destroy`,
    a renamed resource and a changed region from being the end of unread records.
    """
    if teardown is Teardown.REMOVE:
        return
    for resource in resources:
        resource.lifecycle = TerraformResourceLifecycle(prevent_destroy=True)
