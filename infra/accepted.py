"""What a scanner finds wrong in a resource and is meant as it is: said there, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a scanner of what is synthesized needs no constructs
    from cdktn import TerraformResource

KEY = "checkov"


def accept(resource: TerraformResource, reasons: Mapping[str, str]) -> None:
    """Write into a resource's metadata why checks of checkov, by id, do not apply to it.

    In the shape checkov reads in CloudFormation's metadata; `infra/scan.py` reads it here.
    """
    skipped = [{"id": check, "comment": reason} for check, reason in sorted(reasons.items())]
    resource.add_override(f"//.{KEY}", {"skip": skipped})


def accepted(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the checks a synthesized resource accepts, with their reasons."""
    skipped = body.get("//", {}).get(KEY, {}).get("skip", ())
    return {one["id"]: one["comment"] for one in skipped}
