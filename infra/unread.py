"""What may hold records nobody has locked yet is not destroyed by a mistake."""

from __future__ import annotations

from cdktn import TerraformResource, TerraformResourceLifecycle

from infra.teardown import Teardown


def keep_unread(teardown: Teardown, *resources: TerraformResource) -> None:
    """Have Terraform refuse to destroy or replace what may hold records nobody has locked yet.

    Not a deletion lock of the cloud's: an administrator still can. It keeps a `terraform destroy`,
    a renamed resource and a changed region from being the end of unread records.
    """
    if teardown is Teardown.REMOVE:
        return
    for resource in resources:
        resource.lifecycle = TerraformResourceLifecycle(prevent_destroy=True)
