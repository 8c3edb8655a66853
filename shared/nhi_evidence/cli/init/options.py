"""The options of `init`: one row each, and the command line made of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import typer

OPTIONS: Mapping[str, str] = {
    "organization": "Id of the AWS organization.",
    "management-account": "Its management account; for a new trail.",
    "log-archive-account": "Account the trail delivers to.",
    "evidence-account": "Account for evidence alone.",
    "region": "Region of the evidence.",
    "bucket": "Name of the evidence bucket.",
    "log-name": "Name of its signed log.",
    "retention-days": "Days each object is locked; 0: a trial of one day.",
    "confirm-compliance-days": "The same once more, if over 30: nobody can undo it.",
    "signer": "ed25519 (default) or p256.",
    "trail-kind": "existing or new.",
    "trail-bucket": "Bucket of the trail.",
    "trail-region": "Region of that bucket.",
    "data-events": "Of a new trail: resource types with commas, or none.",
    "keep-out-of-scope-raw": "yes or no: keep people's raw records as well.",
    "gcp-organization": "Number of the Google Cloud organization, if any.",
    "gcp-project": "Project to deploy to.",
    "gcp-region": "Region to deploy to.",
    "gcp-audience": "Audience of its tokens.",
    "azure-tenant": "Id of the tenant, if any.",
    "azure-subscriptions": "Subscriptions, with commas; the first holds what is deployed.",
    "azure-location": "Location to deploy to.",
    "azure-audience": "Audience of its tokens.",
    "auditor": "Roles of an auditor, with commas, if any.",
    "external-id": "External id they will give.",
    "auditor-mfa": "yes or no: their sessions carry MFA.",
    "email": "Address that alarms go to.",
    "budget": "Monthly budget, US dollars.",
    "objects-per-hour": "Evidence objects in an hour that raise an alarm.",
}
"""Each option by the name it is spelled with, and its help; every value is text, read later."""

_Command = TypeVar("_Command", bound=Callable[..., None])


def takes(options: Mapping[str, str]) -> Callable[[_Command], _Command]:
    """Return a decorator: the command takes `options` beside its own, as text or None.

    They arrive in the command's keyword parameter (`**name`), by their names with underscores.
    Typer reads a command's signature, so that is where they are added.
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
