"""Protect what may hold records that are not locked yet from being destroyed by mistake."""

from __future__ import annotations

from cdktn import TerraformResource, TerraformResourceLifecycle

from infra.teardown import Teardown


def keep_unread(teardown: Teardown, *resources: TerraformResource) -> None:
    """Have Terraform refuse to destroy or replace what may hold records that are not locked yet.

    This is not the cloud's own deletion lock: an administrator can still delete. It keeps a
    `terraform destroy`, a renamed resource or a changed region from losing unread records.
    """
    if teardown is Teardown.REMOVE:
        return
    for resource in resources:
        ignored = resource.lifecycle.ignore_changes if resource.lifecycle else None
        resource.lifecycle = TerraformResourceLifecycle(
            prevent_destroy=True, ignore_changes=ignored
        )
