"""Reading AWS settings for coverage: read-only calls, with their answers kept as they came.

One session reads one account; from the management account, or a delegated administrator's, it sees
the trails and accounts of the whole organization. A refusal or failure is an answer, too: the
verdict is then UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.coverage.answers import Answer, Deployment, Reading, Status
from nhi_evidence.coverage.gathering import gathered

if TYPE_CHECKING:
    import boto3

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="nhi-evidence-coverage",
)
_DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError",
    "UnrecognizedClientException", "NotAuthorizedException", "AllAccessDisabled",
})  # fmt: skip
_ABSENT = frozenset({
    "ObjectLockConfigurationNotFoundError", "NoSuchBucket", "ResourceNotFoundException",
    "TrailNotFoundException", "AWSOrganizationsNotInUseException", "NoSuchEntity",
})  # fmt: skip
_MOST_PAGES = 200
_MOST_TEXT = 300


class _TooManyPagesError(BotoCoreError):
    """A list does not end; part of it would look like all of it."""

    fmt = "more than {pages} pages"


class Reader:
    """Makes calls, and keeps every answer."""

    def __init__(self, session: boto3.session.Session, region: str, account: str) -> None:
        """Call as `session`, in `region` by default; `account` is the session's own."""
        self._session = session
        self._region = region
        self.account = account
        self._clients: dict[tuple[str, str], Any] = {}
        self.answers: list[Answer] = []

    def ask(
        self, service: str, operation: str, region: str | None = None, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Call an operation, combine its pages, keep and return the answer; empty unless `ok`."""
        where = region or self._region
        scope = self.account if region is None else f"{self.account}/{region}"
        name = f"{service}:{operation}"
        status: Status = "ok"
        error, body = "", None
        try:
            body = self._pages(service, operation, where, parameters)
        except ClientError as failed:
            error = str(failed.response.get("Error", {}).get("Code", "")) or "unknown"
            status = "denied" if error in _DENIED else "absent" if error in _ABSENT else "failed"
        except BotoCoreError as failed:
            status, error = "failed", str(failed)[:_MOST_TEXT]
        self.answers.append(
            Answer(
                call=name,
                scope=scope,
                request=dict(parameters),
                status=status,
                error=error,
                answer=body,
            )
        )
        return body or {}

    def _pages(
        self, service: str, operation: str, region: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        client = self._client(service, region)
        method = _snake(operation)
        if not client.can_paginate(method):
            return _plain(getattr(client, method)(**parameters))
        combined: dict[str, Any] = {}
        pages = client.get_paginator(method).paginate(**parameters)
        for number, page in enumerate(pages):
            if number == _MOST_PAGES:
                raise _TooManyPagesError(pages=_MOST_PAGES)
            for member, value in _plain(page).items():
                if isinstance(value, list):
                    combined.setdefault(member, []).extend(value)
                elif member not in {"NextToken", "nextToken", "position", "Marker"}:
                    combined[member] = value
        return combined

    def _client(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self._session.client(  # type: ignore[call-overload]
                service, region_name=region, config=_CONFIG
            )
        return self._clients[key]


def _snake(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]


def _plain(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as plain JSON values: times as text, without metadata of the transport."""
    kept = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(kept, enc_hook=str))
    return plain


def read_settings(
    session: boto3.session.Session,
    *,
    region: str,
    at: int,
    deployment: Deployment,
    evidence_buckets: Sequence[str] = (),
    identities: Sequence[str] = (),
) -> Reading:
    """Read everything that AWS cells depend on, and the state of some users and roles by ARN.

    `at` is the time of the reading, milliseconds since the epoch. Raises `ClientError` when not
    even GetCallerIdentity is allowed.
    """
    account = str(session.client("sts", config=_CONFIG).get_caller_identity()["Account"])
    reader = Reader(session, region, account)

    def walk() -> None:
        ask_account(reader, region)
        ask_identities(reader, identities)
        for bucket in evidence_buckets:
            reader.ask("s3", "GetObjectLockConfiguration", Bucket=bucket)

    return gathered("aws", walk, reader.answers, at=at, deployment=deployment)


def ask_account(reader: Reader, region: str) -> None:
    """Ask everything about one account; calls that are not regional are made in `region`."""
    reader.ask("organizations", "ListAccounts")
    regions = _enabled(reader.ask("account", "ListRegions")) or (region,)
    trails = {trail["TrailARN"]: trail for each in regions for trail in _trails(reader, each)}
    for arn, trail in trails.items():
        home = str(trail.get("HomeRegion", region))
        reader.ask("cloudtrail", "GetTrailStatus", home, Name=arn)
        reader.ask("cloudtrail", "GetEventSelectors", home, TrailName=arn)
        reader.ask("cloudtrail", "GetEventConfiguration", home, TrailName=arn)
    for bucket in dict.fromkeys(str(trail.get("S3BucketName", "")) for trail in trails.values()):
        reader.ask("s3", "GetBucketNotificationConfiguration", Bucket=bucket)
    for each in regions:
        _of_region(reader, each)


def ask_identities(reader: Reader, identities: Sequence[str]) -> None:
    """Ask for the state of users and roles, by ARN; those of other accounts are skipped."""
    for arn in identities:
        kind, _, path = arn.rpartition(":")[2].partition("/")
        name = path.rpartition("/")[2]
        if f"::{reader.account}:" not in arn or not name:
            continue
        if kind == "role":
            reader.ask("iam", "GetRole", RoleName=name)
        elif kind == "user":
            reader.ask("iam", "GetUser", UserName=name)
            for key in reader.ask("iam", "ListAccessKeys", UserName=name).get(
                "AccessKeyMetadata", ()
            ):
                reader.ask("iam", "GetAccessKeyLastUsed", AccessKeyId=key["AccessKeyId"])


def _trails(reader: Reader, region: str) -> Iterator[Mapping[str, Any]]:
    yield from reader.ask("cloudtrail", "DescribeTrails", region).get("trailList", ())


def _enabled(listed: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(one["RegionName"])
        for one in listed.get("Regions", ())
        if one.get("RegionOptStatus") in {"ENABLED", "ENABLED_BY_DEFAULT"}
    )


def _of_region(reader: Reader, region: str) -> None:
    rules = reader.ask("observabilityadmin", "ListTelemetryRules", region)
    for rule in rules.get("TelemetryRuleSummaries", ()):
        if rule.get("ResourceType") == "AWS::CloudTrail":
            identifier = rule.get("RuleArn") or rule.get("RuleName")
            reader.ask("observabilityadmin", "GetTelemetryRule", region, RuleIdentifier=identifier)
    for rule in reader.ask("events", "ListRules", region).get("Rules", ()):
        if "CloudTrail" in str(rule.get("EventPattern", "")):
            reader.ask("events", "DescribeRule", region, Name=rule["Name"])
    for cluster in reader.ask("eks", "ListClusters", region).get("clusters", ()):
        reader.ask("eks", "DescribeCluster", region, name=cluster)
    for api in reader.ask("apigateway", "GetRestApis", region).get("items", ()):
        reader.ask("apigateway", "GetStages", region, restApiId=api["id"])
    for api in reader.ask("apigatewayv2", "GetApis", region).get("Items", ()):
        reader.ask("apigatewayv2", "GetStages", region, ApiId=api["ApiId"])
