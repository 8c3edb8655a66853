"""The options of `init`, one row each, and the command line built from them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import typer

OPTIONS: Mapping[str, str] = {
    "organization": "ID of the AWS organization.",
    "management-account": "Its management account; needed for a new trail.",
    "log-archive-account": "Account the trail delivers to.",
    "evidence-account": "Account that holds only evidence.",
    "region": "Region of the evidence.",
    "bucket": "Name of the evidence bucket.",
    "log-name": "Name of its signed log.",
    "retention-days": "Days each object is locked; 0: a trial of one day.",
    "confirm-compliance-days": "The same again, if over 30: it cannot be undone.",
    "signer": "ed25519 (default) or p256.",
    "trail-kind": "existing or new.",
    "trail-bucket": "Bucket of the trail.",
    "trail-region": "Region of that bucket.",
    "data-events": "For a new trail: resource types, comma-separated, or none.",
    "keep-out-of-scope-raw": "yes or no: also keep people's raw records.",
    "gcp-organization": "Number of the Google Cloud organization, if there is one.",
    "gcp-project": "Project to deploy to.",
    "gcp-region": "Region to deploy to.",
    "gcp-audience": "Audience of its tokens.",
    "azure-tenant": "ID of the tenant, if there is one.",
    "azure-subscriptions": "Subscriptions, comma-separated; the first one is deployed to.",
    "azure-location": "Location to deploy to.",
    "azure-audience": "Audience of its tokens.",
    "auditor": "Roles of an auditor, comma-separated, if any.",
    "external-id": "External ID they will use.",
    "auditor-mfa": "yes or no: their sessions carry MFA.",
    "email": "Address that alarms go to.",
    "budget": "Monthly budget, US dollars.",
    "objects-per-hour": "Evidence objects in an hour that raise an alarm.",
}
"""Each option by its name on the command line, with its help; values are text, parsed later."""

_Command = TypeVar("_Command", bound=Callable[..., None])


def takes(options: Mapping[str, str]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds `options` to a command's own, as text or None.

    They arrive in the command's keyword parameter (`**name`), their names with underscores.
    Typer reads a command's signature, so they are added there.
    """

    def add(command: _Command) -> _Command:
        signature = inspect.signature(command, eval_str=True)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        added = [
            inspect.Parameter(
                name.replace("-", "_"),
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[str | None, typer.Option(f"--{name}", help=text)],
            )
            for name, text in options.items()
        ]
        command.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*own, *added]
        )
        return command

    return add
