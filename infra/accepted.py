"""Accepted findings of a scanner, stated at the resource they concern, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # scanning synthesized stacks needs no construct library
    from cdktn import TerraformResource

KEY = "checkov"


def accept(resource: TerraformResource, reasons: Mapping[str, str]) -> None:
    """Write into a resource's metadata why some checkov checks, by id, do not apply to it.

    The shape is what checkov reads in CloudFormation metadata; for Terraform `infra/scan.py` reads
    it.
    """
    skipped = [{"id": check, "comment": reason} for check, reason in sorted(reasons.items())]
    resource.add_override(f"//.{KEY}", {"skip": skipped})


def accepted(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the checks that a synthesized resource need not pass, with the reasons."""
    skipped = body.get("//", {}).get(KEY, {}).get("skip", ())
    return {one["id"]: one["comment"] for one in skipped}
