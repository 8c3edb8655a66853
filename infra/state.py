"""Where a Terraform stack keeps its state."""

from __future__ import annotations

from cdktn import AzurermBackend, GcsBackend, LocalBackend, TerraformStack

PREFIX = "nhi-evidence"


def keep_state(
    stack: TerraformStack,
    *,
    deployment: str,
    gcs_bucket: str | None = None,
    azure_storage: str | None = None,
) -> None:
    """Give a stack its backend: a Cloud Storage bucket, an Azure `account/container`, or a file.

    The file is beside `cdktf.out`, by a relative path: so the output depends on no folder of this
    machine, and removing the output does not remove the state. No backend is given a credential;
    both use the deployer's own. The deployment id is part of every place: one configuration's
    apply must not find what another has made, since it would change or destroy it.
    """
    name = stack.node.id
    if gcs_bucket:
        GcsBackend(stack, bucket=gcs_bucket, prefix=f"{PREFIX}/{deployment}/{name}")
    elif azure_storage:
        account, _, container = azure_storage.partition("/")
        AzurermBackend(
            stack,
            storage_account_name=account,
            container_name=container,
            key=f"{PREFIX}/{deployment}/{name}.tfstate",
            use_azuread_auth=True,
        )
    else:
        LocalBackend(stack, path=f"../../../terraform.{deployment}.{name}.tfstate")
