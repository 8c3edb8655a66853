"""What a configuration must state, asked in an order that makes sense to the user."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from nhi_evidence import partitions
from nhi_evidence.cli.init.answers import Answers, Check
from nhi_evidence.cli.init.text import Part, Value
from nhi_evidence.config import kinds
from nhi_evidence.config.rules import CONFIRMED_DAYS
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE

NO_BUCKET = "nhi-evidence"
"""Offered while account or region are missing; nothing is written then."""

_DAYS = Annotated[
    int,
    Meta(
        ge=0,
        le=36500,
        description="a whole number of days, up to 36500, or 0 for a trial",
        examples=[365],
    ),
]


def parts(ask: Answers) -> list[Part]:
    """Ask for everything a configuration needs, and return its tables."""
    trail = _trail(ask)
    tables = [*_evidence(ask, trail.keys), trail]
    keep = ask.whether(
        "keep-out-of-scope-raw",
        "Also keep the raw text of out-of-scope records? People's are among them",
    )
    gcp, azure = _gcp(ask), _azure(ask)
    sources = ["aws_cloudtrail", *([GCP_SOURCE] if gcp else []), *([AZURE_SOURCE] if azure else [])]
    for source in sources:
        keys: dict[str, Value] = {"source": source, "evidence": "main"}
        if source == "aws_cloudtrail":
            keys["trail"] = "organization"
        tables.append(Part("[[sources]]", keys | {"keep_out_of_scope_raw": keep}))
    return [*tables, *gcp, *azure, *_auditor(ask), _alarms(ask)]


def _other_than(taken: Mapping[str, object]) -> Check:
    """Return a check that an answer is not one already used, given what each stands for."""

    def check(value: str) -> str | None:
        what = next((name for name, other in taken.items() if other == value), None)
        return None if what is None else f"is already {what}: name another"

    return check


def _region_beside(other: object = None, what: str = "") -> Check:
    """Return a check that a region exists in AWS, in the same partition as another one."""

    def check(value: str) -> str | None:
        partition = partitions.of_region(value)
        if partition is None:
            return "is not in any known AWS partition: check its spelling"
        beside = partitions.of_region(str(other)) if other else None
        if beside is not None and beside != partition:
            return f"is in {partition.name}, but {what} is in {beside.name}: no role reaches across"
        return None

    return check


def _evidence(ask: Answers, trail: Mapping[str, Value]) -> list[Part]:
    organization = ask.text("organization", "ID of the AWS organization", kinds.OrganizationId)
    management = None
    if trail["kind"] == "new":
        # An organization trail belongs to the management account, whoever creates it.
        management = ask.text("management-account", "Management account", kinds.Account)
    archive = ask.text("log-archive-account", "Account the trail delivers to", kinds.Account)
    account = ask.text(
        "evidence-account",
        "Account that holds only evidence, out of reach of whoever runs the logs",
        kinds.Account,
        check=_other_than(
            {"the log-archive account": archive, "the management account": management}
        ),
    )
    region = ask.text(
        "region",
        "Region of the evidence",
        kinds.Region,
        check=_region_beside(trail["region"], "the trail's bucket"),
    )
    offered = f"nhi-evidence-{account}-{region}" if account and region else NO_BUCKET
    bucket = ask.text(
        "bucket",
        "Name of the evidence bucket",
        kinds.Bucket,
        offered,
        check=_other_than({"the bucket of the trail": trail["bucket"]}),
    )
    log = ask.text("log-name", "Name of its signed log, a domain and a path", kinds.LogName)
    days, confirmed = _retention(ask)
    return [
        Part("", {"profile": None if days else "trial"}),
        Part("[organization]", {"id": organization, "management_account": management}),
        Part("[log_archive]", {"account": archive}),
        Part("[evidence]", {"account": account, "signer": _signer(ask)}),
        Part(
            "[[evidence.buckets]]",
            {
                "name": "main",
                "bucket": bucket,
                "region": region,
                "log": log,
                "retention_days": days,
                "confirm_compliance_days": confirmed,
            },
        ),
    ]


def _retention(ask: Answers) -> tuple[int | None, int | None]:
    """Return R and its confirmation; neither for a trial."""
    question = (
        "For how many days is each object locked? This cannot be undone; 0 is a trial of one day"
    )
    days = ask.text("retention-days", question, _DAYS)
    if not days or days <= CONFIRMED_DAYS:
        return days or None, None
    same = Annotated[int, Meta(ge=days, le=days, description=f"{days} again", examples=[days])]
    return days, ask.text(
        "confirm-compliance-days",
        f"Nobody, root included, will be able to delete anything for {days} days: enter the "
        "number again",
        same,
    )


def _signer(ask: Answers) -> str:
    return str(
        ask.text(
            "signer",
            "Signature of the log (ed25519 or p256)",
            Literal["ed25519", "p256"],
            "ed25519",
        )
    )


def _trail(ask: Answers) -> Part:
    kind = ask.text(
        "trail-kind",
        "Use an organization trail that exists (existing), or create one (new)?",
        Literal["existing", "new"],
    )
    keys = {
        "name": "organization",
        "kind": kind,
        "bucket": ask.text("trail-bucket", "Bucket of the trail", kinds.SourceBucketName),
        "region": ask.text(
            "trail-region", "Region of that bucket", kinds.Region, check=_region_beside()
        ),
    }
    if kind == "new":
        keys["data_events"] = ask.several(
            "data-events",
            "Data events to record besides management events, such as AWS::S3::Object; each costs",
            kinds.ResourceType,
            may_be_none=True,
        )
    return Part("[[trails]]", keys)


def _gcp(ask: Answers) -> list[Part]:
    if not ask.wants("gcp-organization", "Export Google Cloud's audit logs?"):
        return []
    keys = {
        "organization": ask.text("gcp-organization", "Number of the organization", kinds.GcpNumber),
        "project": ask.text("gcp-project", "Project to deploy to", kinds.GcpProject),
        "region": ask.text("gcp-region", "Region to deploy to", kinds.Location),
        "audience": ask.text("gcp-audience", "Audience", kinds.Audience, "nhi-evidence"),
    }
    note = "Add service_account_id once the exporter's service account exists."
    return [Part("[gcp]", keys, note)]


def _azure(ask: Answers) -> list[Part]:
    if not ask.wants("azure-tenant", "Export Azure's and Entra's logs?"):
        return []
    tenant = ask.text("azure-tenant", "ID of the tenant", kinds.Uuid)
    subscriptions = ask.several(
        "azure-subscriptions", "Subscriptions; the first one is deployed to", kinds.Uuid
    )
    keys = {
        "tenant": tenant,
        "subscriptions": subscriptions,
        "subscription": subscriptions[0],
        "location": ask.text("azure-location", "Location to deploy to", kinds.Location),
        "audience": ask.text("azure-audience", "Audience", kinds.Audience, "api://nhi-evidence"),
    }
    note = "Add managed_identity_object_id once the exporter's identity exists."
    return [Part("[azure]", keys, note)]


def _auditor(ask: Answers) -> list[Part]:
    if not ask.wants("auditor", "Is there already an auditor, with a role of their own?"):
        return []
    keys = {
        "name": "external",
        "principals": ask.several("auditor", "ARN of that role", kinds.Principal),
        "external_id": ask.text(
            "external-id",
            "External ID they will use (keep the one offered, or enter your own)",
            kinds.ExternalId,
            secrets.token_urlsafe(24),
        ),
        "mfa": ask.whether("auditor-mfa", "Do their sessions carry MFA? Federated sessions cannot"),
    }
    return [Part("[[auditors]]", keys)]


def _alarms(ask: Answers) -> Part:
    return Part(
        "[alarms]",
        {
            "email": ask.text("email", "Address that alarms go to", kinds.Address),
            "monthly_budget_usd": ask.text(
                "budget", "Monthly budget of the evidence account, US dollars", kinds.Dollars
            ),
            "objects_per_hour": ask.text(
                "objects-per-hour", "Evidence objects in an hour that raise an alarm", kinds.Count
            ),
        },
    )
