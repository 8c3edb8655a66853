"""What AWS answers about the estate: one organization trail that records everything it can."""

from __future__ import annotations

from typing import Any

from nhi_evidence.coverage.answers import Answer
from nhi_evidence.demo.story import records
from nhi_evidence.demo.story.platforms import API

MANAGEMENT, LOG_ARCHIVE, EVIDENCE, WORKLOAD = (
    "999988887777",
    "111122223333",
    "222233334444",
    "333344445555",
)
CROSSED = records.ACCOUNTS
"""What the story of the demo crosses: accounts with a trail of their own beside the
organization's, so that what a seed takes out of that does not contradict what is on record."""
OWN_REGION = records.REGIONS[0]
REGION = "eu-central-1"
REGIONS = (REGION, "eu-west-1", "us-east-1")
TRAIL_BUCKET = "organization-trail-111122223333"
EVIDENCE_BUCKET = "nhi-evidence-222233334444"
QUEUE = f"arn:aws:sqs:{REGION}:{LOG_ARCHIVE}:nhi-evidence-organization"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{MANAGEMENT}:trail/organization"
DATA_TYPES = (
    "AWS::S3::Object",
    "AWS::DynamoDB::Table",
    "AWS::Lambda::Function",
    "AWS::RDS::DBCluster",
    "AWS::Kinesis::Stream",
    "AWS::EC2::Snapshot",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::BedrockAgentCore::Gateway",
    "AWS::BedrockAgentCore::Runtime",
    "AWS::BedrockAgentCore::Memory",
    "AWS::BedrockAgentCore::WorkloadIdentity",
    "AWS::BedrockAgentCore::TokenVault",
)
ACCOUNTS = tuple(dict.fromkeys((MANAGEMENT, LOG_ARCHIVE, EVIDENCE, WORKLOAD, *CROSSED)))
CLUSTERS = {f"{records.SHARED_SERVICES}/{OWN_REGION}": "shop", f"{WORKLOAD}/{REGION}": "production"}
"""By account and region."""
APIS = {f"{records.SHARED_SERVICES}/{OWN_REGION}": API, f"{WORKLOAD}/{REGION}": "a1b2c3"}
"""By account and region."""
SCOPE = f"{MANAGEMENT}/{REGION}"
"""Where the organization's trail was asked for."""


def field(name: str, *values: str, operator: str = "Equals") -> dict[str, Any]:
    """Return one condition of an advanced selector."""
    return {"Field": name, operator: list(values)}


def selector(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Return an advanced selector."""
    return {"FieldSelectors": list(conditions)}


def selectors() -> list[dict[str, Any]]:
    """Return advanced selectors for everything the matrix requires of a trail."""
    network = [
        selector(field("eventCategory", "NetworkActivity"), field("eventSource", source))
        for source in ("sts.amazonaws.com", "s3.amazonaws.com")
    ]
    data = [
        selector(field("eventCategory", "Data"), field("resources.type", type_))
        for type_ in DATA_TYPES
    ]
    return [selector(field("eventCategory", "Management")), *network, *data]


def answers() -> tuple[Answer, ...]:
    """Return every answer."""
    own = (answer for account in CROSSED for answer in _own_trail(account))
    return (*_organization(), *_trail(), *own, *_beside(), *_crossed(), *_listed())


def _organization() -> tuple[Answer, ...]:
    accounts = [{"Id": account, "State": "ACTIVE"} for account in ACCOUNTS]
    listed = Answer(
        call="organizations:ListAccounts", scope=MANAGEMENT, answer={"Accounts": accounts}
    )
    regions = [{"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for name in REGIONS]
    closed = {"RegionName": "ap-east-1", "RegionOptStatus": "DISABLED"}
    body = {"Regions": [*regions, closed]}
    own = (Answer(call="account:ListRegions", scope=account, answer=body) for account in ACCOUNTS)
    return (listed, *own)


def _listed() -> tuple[Answer, ...]:
    """Return trails, clusters and APIs of every account and region: most have none of their own."""
    without = (account for account in ACCOUNTS if account not in {MANAGEMENT, *CROSSED})
    trails = (
        Answer(
            call="cloudtrail:DescribeTrails",
            scope=f"{account}/{REGION}",
            answer={"trailList": []},
        )
        for account in without
    )
    places = [f"{account}/{region}" for account in ACCOUNTS for region in REGIONS]
    clusters = (
        Answer(
            call="eks:ListClusters",
            scope=place,
            answer={"clusters": [CLUSTERS[place]] if place in CLUSTERS else []},
        )
        for place in places
    )
    apis = (
        Answer(
            call="apigateway:GetRestApis",
            scope=place,
            answer={"items": [{"id": APIS[place]}] if place in APIS else []},
        )
        for place in places
    )
    others = (
        Answer(call="apigatewayv2:GetApis", scope=place, answer={"Items": []}) for place in places
    )
    return (*trails, *clusters, *apis, *others)


def _trail() -> tuple[Answer, ...]:
    described = {
        "Name": "organization",
        "S3BucketName": TRAIL_BUCKET,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": REGION,
        "TrailARN": TRAIL,
        "LogFileValidationEnabled": True,
        "IsOrganizationTrail": True,
    }
    notified = {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}]}
    aggregated = [{"EventCategory": "Data", "Templates": ["USER_ACTIONS"]}]
    return (
        *_logging(SCOPE, described),
        Answer(
            call="cloudtrail:GetEventConfiguration",
            scope=SCOPE,
            request={"TrailName": TRAIL},
            answer={"TrailARN": TRAIL, "AggregationConfigurations": aggregated},
        ),
        Answer(
            call="s3:GetBucketNotificationConfiguration",
            scope=LOG_ARCHIVE,
            request={"Bucket": TRAIL_BUCKET},
            answer=notified,
        ),
    )


def _logging(scope: str, described: dict[str, object]) -> tuple[Answer, ...]:
    """Return what is answered about a trail that logs the estate's events."""
    trail = described["TrailARN"]
    return (
        Answer(call="cloudtrail:DescribeTrails", scope=scope, answer={"trailList": [described]}),
        Answer(
            call="cloudtrail:GetTrailStatus",
            scope=scope,
            request={"Name": trail},
            answer={"IsLogging": True, "LatestDeliveryTime": "2026-03-02T08:00:11Z"},
        ),
        Answer(
            call="cloudtrail:GetEventSelectors",
            scope=scope,
            request={"TrailName": trail},
            answer={"TrailARN": trail, "AdvancedEventSelectors": selectors()},
        ),
    )


def _own_trail(account: str) -> tuple[Answer, ...]:
    """Return the trail of one account, into the organization's bucket."""
    scope = f"{account}/{OWN_REGION}"
    trail = f"arn:aws:cloudtrail:{OWN_REGION}:{account}:trail/own"
    described = {
        "Name": "own",
        "S3BucketName": TRAIL_BUCKET,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": OWN_REGION,
        "TrailARN": trail,
        "LogFileValidationEnabled": True,
        "IsOrganizationTrail": False,
    }
    return _logging(scope, described)


def _crossed() -> tuple[Answer, ...]:
    """Return the cluster and the API of the story."""
    scope = f"{records.SHARED_SERVICES}/{OWN_REGION}"
    logged = {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": True}]}
    stage = {"stageName": "prod", "accessLogSettings": {"destinationArn": "arn:aws:firehose:y"}}
    return (
        Answer(
            call="eks:DescribeCluster",
            scope=scope,
            request={"name": "shop"},
            answer={"cluster": {"name": "shop", "logging": logged}},
        ),
        Answer(
            call="apigateway:GetStages",
            scope=scope,
            request={"restApiId": API},
            answer={"item": [stage]},
        ),
    )


def _beside() -> tuple[Answer, ...]:
    retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}
    lock = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": retention}}
    parameters = {"AdvancedEventSelectors": [selector(field("eventCategory", "Management"))]}
    rule = {
        "RuleName": "all-trails",
        "RuleArn": f"arn:aws:observabilityadmin:{REGION}:{WORKLOAD}:telemetry-rule/all-trails",
        "TelemetryRule": {
            "ResourceType": "AWS::CloudTrail",
            "TelemetryType": "Logs",
            "AllRegions": True,
            "DestinationConfiguration": {"CloudtrailParameters": parameters},
        },
    }
    workload = f"{WORKLOAD}/{REGION}"
    logged = {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": True}]}
    stage = {"stageName": "prod", "accessLogSettings": {"destinationArn": "arn:aws:firehose:x"}}
    return (
        Answer(
            call="s3:GetObjectLockConfiguration",
            scope=EVIDENCE,
            request={"Bucket": EVIDENCE_BUCKET},
            answer=lock,
        ),
        Answer(call="observabilityadmin:GetTelemetryRule", scope=workload, answer=rule),
        Answer(
            call="events:DescribeRule",
            scope=workload,
            answer={
                "Name": "reads",
                "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            },
        ),
        Answer(
            call="eks:DescribeCluster",
            scope=workload,
            request={"name": "production"},
            answer={"cluster": {"name": "production", "logging": logged}},
        ),
        Answer(
            call="apigateway:GetStages",
            scope=workload,
            request={"restApiId": "a1b2c3"},
            answer={"item": [stage]},
        ),
    )
