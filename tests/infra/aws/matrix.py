"""Who may do what: every principal against every act on the evidence, directly or by becoming.

Evaluated from the synthesized templates; printed into docs/threat-model.md by
`python -m tests.infra.aws`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from tests.infra.aws.estate import ARCHIVE, BUCKET, EVIDENCE, TENANT, Estate, arn
from tests.infra.aws.iam import refuses
from tests.infra.aws.paths import EVERYTHING, KEY, REGION, TOOLING, Actor, World

_PUT = {"s3:if-none-match": "*"}
_CONNECTION = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
_SIGN = {"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW"}
_LOCK = {
    "s3:object-lock-mode": "COMPLIANCE",
    "s3:object-lock-retain-until-date": "2027-12-31T00:00:00Z",
    "s3:object-lock-remaining-retention-days": "700",
}
_OBJECT = f"{BUCKET}/ev/v1/aws_cloudtrail/h=2026010100/x"
_POINT = f"arn:aws:s3:{REGION}:{EVIDENCE}:accesspoint/mine"
_LOG = f"{BUCKET}/log/v1/2026/plan/x"


class Act(msgspec.Struct, frozen=True):
    """One column: a call on the evidence."""

    text: str
    action: str
    resource: str
    context: Mapping[str, str] = {}
    within: str = ""
    """The object itself, where the call names an access point: the bucket's policy sees this."""


class Principal(msgspec.Struct, frozen=True):
    """One row: somebody, by the name the page gives them."""

    text: str
    actor: Actor | None = None
    """Absent: a role of the deployment, by `role`."""
    role: str = ""
    account: str = EVIDENCE
    guarded: bool = False
    """Whether the guardrails are attached."""


ACTS = (
    Act("put ev aws", "s3:PutObject", _OBJECT, _PUT),
    Act("put ev gcp", "s3:PutObject", f"{BUCKET}/ev/v1/gcp_audit/h=x/u", _PUT),
    Act("put ev azure", "s3:PutObject", f"{BUCKET}/ev/v1/azure_monitor/h=x/u", _PUT),
    Act("put op", "s3:PutObject", f"{BUCKET}/op/v1/recon/h=x/u", _PUT),
    Act("put coverage", "s3:PutObject", f"{BUCKET}/op/v1/coverage/h=x/u", _PUT),
    Act("put config", "s3:PutObject", f"{BUCKET}/op/v1/config/h=x/u", _PUT),
    Act("put custody", "s3:PutObject", f"{BUCKET}/op/v1/custody/h=x/u", _PUT),
    Act("put log", "s3:PutObject", _LOG, _PUT),
    Act("put by access point", "s3:PutObject", f"{_POINT}/object/ev/v1/x", _PUT, _OBJECT),
    Act("lock log", "s3:PutObjectRetention", _LOG, _LOCK),
    Act("overwrite", "s3:PutObject", _OBJECT),
    Act("read", "s3:GetObjectVersion", _OBJECT),
    Act("read newest", "s3:GetObject", _OBJECT),
    Act("list", "s3:ListBucketVersions", BUCKET),
    Act("delete", "s3:DeleteObject", _OBJECT),
    Act("delete version", "s3:DeleteObjectVersion", _OBJECT),
    Act("lock ev", "s3:PutObjectRetention", _OBJECT, _LOCK),
    Act("hold", "s3:PutObjectLegalHold", _OBJECT),
    Act("annotate", "s3:PutObjectAnnotation", _OBJECT),
    Act("change policy", "s3:PutBucketPolicy", BUCKET),
    Act("change lifecycle", "s3:PutLifecycleConfiguration", BUCKET),
    Act("change metrics", "s3:PutMetricsConfiguration", BUCKET),
    Act(
        "change tables",
        "glue:UpdateTable",
        f"arn:aws:glue:{REGION}:{EVIDENCE}:table/nhi_evidence_main_170b2e/evidence",
    ),
    Act("sign", "kms:Sign", KEY, _SIGN),
    Act("change key", "kms:PutKeyPolicy", KEY),
    Act(
        "silence alarms",
        "cloudwatch:DisableAlarmActions",
        f"arn:aws:cloudwatch:{REGION}:{EVIDENCE}:alarm:nhi-evidence-main-170b2e-sealer-stalled",
    ),
    Act(
        "stop the sealer",
        "events:RemoveTargets",
        f"arn:aws:events:{REGION}:{EVIDENCE}:rule/nhi-evidence-main-170b2e-seal-SealerClock",
    ),
)
_MAIN = "nhi-evidence-main-170b2e"


def _administrator(text: str, account: str, name: str = "administrator", **more: str) -> Actor:
    return Actor(text=text, principal=arn(account, name), rights=EVERYTHING, **more)  # type: ignore[arg-type]


_GOOGLE = Actor(
    text="the function's service account",
    principal="federated:accounts.google.com",
    rights=(),
    claims={
        "accounts.google.com:sub": "101234567890123456789",
        "accounts.google.com:aud": "101234567890123456789",
        "accounts.google.com:oaud": "nhi-evidence",
    },
)
_ISSUER = f"sts.windows.net/{TENANT}/"
_ENTRA = Actor(
    text="the function's managed identity",
    principal=f"federated:arn:aws:iam::{EVIDENCE}:oidc-provider/{_ISSUER}",
    rights=(),
    claims={
        f"{_ISSUER}:sub": "33333333-4444-5555-6666-777777777777",
        f"{_ISSUER}:aud": f"api://{TENANT}/nhi-evidence",
    },
)
_OWN = _administrator("administrator", EVIDENCE)
PRINCIPALS = (
    Principal("writer of aws_cloudtrail", role=f"{_MAIN}-writer-aws_cloudtrail"),
    Principal("writer of gcp_audit", role=f"{_MAIN}-writer-gcp_audit"),
    Principal("writer of azure_monitor", role=f"{_MAIN}-writer-azure_monitor"),
    Principal("sealer", role=f"{_MAIN}-sealer"),
    Principal("reconcile", role=f"{_MAIN}-reconcile"),
    Principal("coverage", role=f"{_MAIN}-coverage"),
    Principal("canary", role=f"{_MAIN}-canary"),
    Principal("writer of recon", role=f"{_MAIN}-op-recon"),
    Principal("writer of config", role=f"{_MAIN}-op-config"),
    Principal("writer of coverage", role=f"{_MAIN}-op-coverage"),
    Principal("writer of custody", role=f"{_MAIN}-op-custody"),
    Principal(
        "the role that reads settings",
        role=f"{_MAIN}-settings-reader",
        account="333344445555",
    ),
    Principal(
        "the role the canary probes with",
        role=f"{_MAIN}-canary-identity",
        account="333344445555",
    ),
    Principal("auditor", role=f"{_MAIN}-auditor-external"),
    Principal("the function that forwards to the subscriber", role=f"{_MAIN}-forward"),
    Principal("subscriber", role=f"{_MAIN}-subscriber"),
    Principal("auditor, through Athena", role=f"{_MAIN}-athena-external"),
    Principal("replication", role=f"{_MAIN}-replication"),
    Principal("exporter", role=f"{_MAIN}-aws_cloudtrail-organization", account=ARCHIVE),
    Principal("administrator, log archive", _administrator("administrator", ARCHIVE)),
    Principal("owner of the Google project", _GOOGLE),
    Principal("owner of the Azure subscription", _ENTRA),
    Principal("administrator, evidence", _OWN),
    Principal("the legal role", _administrator("legal", EVIDENCE, "legal")),
    Principal("the same, with guardrails", _OWN, guarded=True),
    Principal(
        "root of the evidence account, with guardrails",
        Actor(text="root", principal=f"arn:aws:iam::{EVIDENCE}:root", rights=EVERYTHING),
        guarded=True,
    ),
    Principal(
        "administrator, log archive, with guardrails",
        _administrator("administrator", ARCHIVE),
        guarded=True,
    ),
    Principal(
        "deployment, with guardrails",
        _administrator("deployment", TOOLING, "deployment"),
        guarded=True,
    ),
    Principal(
        "any other principal of that account, with guardrails",
        _administrator("administrator", TOOLING),
        guarded=True,
    ),
    Principal(
        "administrator elsewhere",
        _administrator("administrator", "666677778888", organization="o-elsewhere1"),
    ),
)

_SENDER, _STREAM = "k8s_audit-sender-prod", "k8s_audit-stream-prod"
STREAMED = (
    Principal("Firehose, delivering a stream", role=f"{_MAIN}-{_STREAM}", account=ARCHIVE),
    Principal("the sender of records to that stream", role=f"{_MAIN}-{_SENDER}", account=ARCHIVE),
)
"""Rows of a source with streams, which the estate of the other rows has not (`stream_estate`)."""


def cell(estate: Estate, who: Principal, act: Act) -> str | None:
    """Return `yes`, `via ...` with the roles on the way, or None if there is no way."""
    for actor, way in _reachable(estate, who.text):
        if _directly(_world(estate, guarded=who.guarded), actor, act):
            return f"via {', '.join(way)}" if way else "yes"
    return None


@cache
def _world(estate: Estate, *, guarded: bool) -> World:
    return World(estate, guarded=guarded)


@cache
def _reachable(estate: Estate, text: str) -> list[tuple[Actor, tuple[str, ...]]]:
    who = next(one for one in (*PRINCIPALS, *STREAMED) if one.text == text)
    world = _world(estate, guarded=who.guarded)
    actor = who.actor or next(
        one for one in world.roles if one.principal == arn(who.account, who.role)
    )
    return list(world.reachable(actor))


def _directly(world: World, actor: Actor, act: Act) -> bool:
    policies: dict[str, list[Mapping[str, object]]] = {
        "kms": [world.estate.key_policy],
        "s3": [world.estate.bucket_policy],
    }
    service = act.action.partition(":")[0]
    if act.within:
        point = act.resource.partition("/object/")[0]
        seen = {**_CONNECTION, **act.context, "s3:DataAccessPointArn": point}
        request = world.request(actor, act.action, act.within, seen)
        if refuses(policies.pop(service), request):
            return False
    return world.may(
        actor,
        act.action,
        act.resource,
        owner=EVIDENCE,
        context={**_CONNECTION, **act.context},
        policies=policies.get(service, []),
        resource_must_allow=service == "kms",
    )


def table(estate: Estate, streamed: Estate) -> str:
    """Return the matrix as Markdown; `streamed` is an estate with streams."""
    lines = [
        "| | " + " | ".join(act.text for act in ACTS) + " |",
        "|---|" + "---|" * len(ACTS),
    ]
    rows = [(estate, who) for who in PRINCIPALS] + [(streamed, who) for who in STREAMED]
    for of, who in rows:
        cells = (cell(of, who, act) or "-" for act in ACTS)
        lines.append(f"| {who.text} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_matrix(text: str, estate: Estate, streamed: Estate) -> str:
    """Return a page with its matrix made anew."""
    before, opening, rest = text.partition("<!-- permission matrix -->\n")
    _, closing, after = rest.partition("\n<!-- end -->")
    return f"{before}{opening}{table(estate, streamed)}{closing}{after}"
