"""Where a Terraform stack keeps its state."""

from __future__ import annotations

from cdktn import AzurermBackend, GcsBackend, LocalBackend, TerraformStack

PREFIX = "nhi-evidence"


def keep_state(
    stack: TerraformStack,
    *,
    gcs_bucket: str | None = None,
    azure_storage: str | None = None,
) -> None:
    """Give a stack its backend: a Cloud Storage bucket, an Azure `account/container`, or a file.

    The file is beside `cdktf.out`, by a relative path: so the output depends on no folder of this
    machine, and removing the output does not remove the state. No backend is given a credential;
    both use the deployer's own.
    """
    name = stack.node.id
    if gcs_bucket:
        GcsBackend(stack, bucket=gcs_bucket, prefix=f"{PREFIX}/{name}")
    elif azure_storage:
        account, _, container = azure_storage.partition("/")
        AzurermBackend(
            stack,
            storage_account_name=account,
            container_name=container,
            key=f"{PREFIX}/{name}.tfstate",
            use_azuread_auth=True,
        )
    else:
        LocalBackend(stack, path=f"../../../terraform.{name}.tfstate")
