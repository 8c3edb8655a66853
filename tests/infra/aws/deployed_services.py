"""AWS services that answer from templates as if those were deployed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.infra.aws.deployed_streams import Streams, absent

if TYPE_CHECKING:
    from tests.infra.aws.deployed import Deployed


class Paged:
    """A paginator of one page."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self.paginate = lambda **request: [answer(**request)]


class Account:
    """Gives the clients of one account."""

    def __init__(self, deployed: Deployed, number: str) -> None:
        self._deployed, self._number = deployed, number

    def client(self, _service: str, region: str) -> Any:
        """See `aws_checks.Clients`."""
        return Service(self._deployed, region, self._number)


class Service(Streams):
    """Answers as the client of any service does."""

    def __init__(self, deployed: Deployed, region: str, account: str) -> None:
        self._d, self._where = deployed, (region, account)

    def get_paginator(self, operation: str) -> Paged:
        return Paged(getattr(self, operation))

    # S3

    def _bucket(self, name: str, owner: str) -> dict[str, Any]:
        resource = self._d.named("AWS::S3::Bucket", name, "NoSuchBucket")
        assert owner, "the owner is asked for"
        return resource

    def _setting(self, request: dict[str, str], key: str, code: str) -> Any:
        resource = self._bucket(request["Bucket"], request["ExpectedBucketOwner"]).get(key)
        if resource is None:
            raise absent(code)
        return resource

    def get_object_lock_configuration(self, **request: str) -> Any:
        code = "ObjectLockConfigurationNotFoundError"
        return {"ObjectLockConfiguration": self._setting(request, "ObjectLockConfiguration", code)}

    def get_bucket_versioning(self, **request: str) -> Any:
        return self._setting(request, "VersioningConfiguration", "x")

    def get_bucket_encryption(self, **request: str) -> Any:
        rules = self._setting(request, "BucketEncryption", "x")["ServerSideEncryptionConfiguration"]
        answer = [
            {"ApplyServerSideEncryptionByDefault": one["ServerSideEncryptionByDefault"]}
            for one in rules
        ]
        return {"ServerSideEncryptionConfiguration": {"Rules": answer}}

    def get_bucket_policy(self, **request: str) -> Any:
        policy = self._d.named("AWS::S3::BucketPolicy", request["Bucket"], "NoSuchBucketPolicy")
        return {"Policy": json.dumps(policy["PolicyDocument"])}

    def get_bucket_ownership_controls(self, **request: str) -> Any:
        return {"OwnershipControls": self._setting(request, "OwnershipControls", "x")}

    def get_public_access_block(self, **request: str) -> Any:
        resource = self._setting(request, "PublicAccessBlockConfiguration", "x")
        return {"PublicAccessBlockConfiguration": resource}

    def get_bucket_lifecycle_configuration(self, **request: str) -> Any:
        rules = self._setting(request, "LifecycleConfiguration", "NoSuchLifecycleConfiguration")
        return {"Rules": [_rule(one) for one in rules["Rules"]]}

    def get_bucket_replication(self, **request: str) -> Any:
        code = "ReplicationConfigurationNotFoundError"
        copied = self._setting(request, "ReplicationConfiguration", code)
        # The API's name of the id is not CloudFormation's.
        rules = [{**one, "ID": one["Id"]} for one in copied["Rules"]]
        return {"ReplicationConfiguration": {**copied, "Rules": rules}}

    def get_bucket_notification_configuration(self, **request: str) -> Any:
        """Of a bucket of ours, as its template says; of another, as CDK's custom resource does."""
        bucket = self._d.things.get(f"AWS::S3::Bucket {request['Bucket']}")
        if bucket is not None:
            answer = bucket.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
            return {"QueueConfigurations": [_notification(one) for one in answer]} if answer else {}
        custom = self._d.named("Custom::S3BucketNotifications", request["Bucket"], "NoSuchBucket")
        return custom["NotificationConfiguration"]

    def list_objects_v2(self, **_: str) -> Any:
        return {}

    # IAM

    def _role(self, name: str) -> dict[str, Any]:
        """Of the accounts whose settings are read, each has a role of one name."""
        here = f"{name}@{self._where[1]}"
        is_here = f"AWS::IAM::Role {here}" in self._d.things
        return self._d.named("AWS::IAM::Role", here if is_here else name, "NoSuchEntity")

    def get_role(self, *, RoleName: str) -> Any:  # noqa: N803
        resource = self._role(RoleName)
        return {"Role": {"AssumeRolePolicyDocument": resource["AssumeRolePolicyDocument"]}}

    def _policies(self, role: str) -> dict[str, Any]:
        resource = self._role(role).get("Policies", [])
        return {one["PolicyName"]: one["PolicyDocument"] for one in resource}

    def get_role_policy(self, *, RoleName: str, PolicyName: str) -> Any:  # noqa: N803
        resource = self._policies(RoleName).get(PolicyName)
        if resource is None:
            raise absent("NoSuchEntity")
        return {"PolicyDocument": resource}

    def list_role_policies(self, *, RoleName: str) -> Any:  # noqa: N803
        return {"PolicyNames": list(self._policies(RoleName))}

    def list_attached_role_policies(self, *, RoleName: str) -> Any:  # noqa: N803
        resource = self._role(RoleName)
        return {
            "AttachedPolicies": [
                {"PolicyName": one.rsplit("/", 1)[1]}
                for one in resource.get("ManagedPolicyArns", [])
            ]
        }

    def get_open_id_connect_provider(self, *, OpenIDConnectProviderArn: str) -> Any:  # noqa: N803
        for resource in self._d.of("AWS::IAM::OIDCProvider"):
            if not OpenIDConnectProviderArn.endswith(resource["Url"].removeprefix("https://")):
                continue
            return {"ClientIDList": resource["ClientIdList"]}
        raise absent("NoSuchEntity")

    # KMS

    def _key(self, key: str) -> dict[str, Any]:
        if key.startswith("alias/"):
            key = self._d.named("AWS::KMS::Alias", key, "NotFoundException")["TargetKeyId"]
        return self._d.named("AWS::KMS::Key", key, "NotFoundException")

    def describe_key(self, *, KeyId: str) -> Any:  # noqa: N803
        resource = self._key(KeyId)
        answer = {"KeyState": "Enabled", "KeySpec": resource["KeySpec"], "Arn": resource["Arn"]}
        return {"KeyMetadata": {"KeyId": resource["Arn"].rsplit("/", 1)[1], **answer}}

    def get_key_policy(self, *, KeyId: str, PolicyName: str) -> Any:  # noqa: N803
        assert not KeyId.startswith("alias/"), "KMS takes no alias here"
        assert PolicyName == "default"
        return {"Policy": json.dumps(self._key(KeyId)["KeyPolicy"])}

    def list_grants(self, *, KeyId: str) -> Any:  # noqa: N803
        return {"Grants": self._key(KeyId).get("_grants", [])}

    # Lambda, CloudWatch, SNS

    def get_function_configuration(self, *, FunctionName: str) -> Any:  # noqa: N803
        function = self._d.named("AWS::Lambda::Function", FunctionName, "ResourceNotFoundException")
        same = (
            *("FunctionName", "Runtime", "Handler", "Role", "MemorySize", "Timeout"),
            *("Environment", "LoggingConfig", "Architectures", "Layers", "VpcConfig"),
        )
        return {
            "State": "Active",
            "CodeSha256": function["_code"],
            **{name: function[name] for name in same if name in function},
        }

    def get_function_concurrency(self, *, FunctionName: str) -> Any:  # noqa: N803
        function = self._d.named("AWS::Lambda::Function", FunctionName, "ResourceNotFoundException")
        name = "ReservedConcurrentExecutions"
        return {name: function[name]} if name in function else {}

    def list_event_source_mappings(self, *, FunctionName: str) -> Any:  # noqa: N803
        resource = [
            {"State": "Enabled", **one}
            for one in self._d.of("AWS::Lambda::EventSourceMapping")
            if one["FunctionName"] == FunctionName
        ]
        return {"EventSourceMappings": resource}

    def describe_alarms(self, *, AlarmNamePrefix: str, AlarmTypes: list[str]) -> Any:  # noqa: N803
        assert {"MetricAlarm", "CompositeAlarm"} == set(AlarmTypes)
        return {
            kind: [
                one
                for one in self._d.of(type_)
                if one["AlarmName"].startswith(AlarmNamePrefix) and one["_where"] == [*self._where]
            ]
            for kind, type_ in (
                ("MetricAlarms", "AWS::CloudWatch::Alarm"),
                ("CompositeAlarms", "AWS::CloudWatch::CompositeAlarm"),
            )
        }

    def list_alarm_mute_rules(self, *, Statuses: list[str]) -> Any:  # noqa: N803
        assert ["ACTIVE", "SCHEDULED"] == Statuses
        region, account = self._where
        arn = f"arn:aws:cloudwatch:{region}:{account}:alarm-mute-rule:"
        return {"AlarmMuteRuleSummaries": [{"AlarmMuteRuleArn": arn + x} for x in self._d.mutes]}

    def get_alarm_mute_rule(self, *, AlarmMuteRuleName: str) -> Any:  # noqa: N803
        return {"MuteTargets": {"AlarmNames": self._d.mutes[AlarmMuteRuleName]}}

    def get_topic_attributes(self, *, TopicArn: str) -> Any:  # noqa: N803
        if TopicArn in self._d.topics:
            return {"Attributes": {"Policy": "{}"}}
        resource = [
            one for one in self._d.of("AWS::SNS::TopicPolicy") if one["Topics"] == [TopicArn]
        ]
        if not resource:
            raise absent("NotFound")
        return {"Attributes": {"Policy": json.dumps(resource[0]["PolicyDocument"])}}

    def list_subscriptions_by_topic(self, *, TopicArn: str) -> Any:  # noqa: N803
        resource = [
            one for one in self._d.of("AWS::SNS::Subscription") if one["TopicArn"] == TopicArn
        ]
        return {
            "Subscriptions": [
                {"SubscriptionArn": one.get("_state", f"{TopicArn}:1")} for one in resource
            ]
        }

    # Glue, Athena

    def get_table(self, *, DatabaseName: str, Name: str) -> Any:  # noqa: N803
        for table in self._d.of("AWS::Glue::Table"):
            properties = table["TableInput"]
            if (table["DatabaseName"], properties["Name"]) == (DatabaseName, Name):
                return {"Table": properties}
        raise absent("EntityNotFoundException")

    def get_work_group(self, *, WorkGroup: str) -> Any:  # noqa: N803
        resource = self._d.named("AWS::Athena::WorkGroup", WorkGroup, "InvalidRequestException")
        settings = resource["WorkGroupConfiguration"]
        return {"WorkGroup": {"State": resource["State"], "Configuration": settings}}

    def list_named_queries(self, *, WorkGroup: str) -> Any:  # noqa: N803
        self._d.named("AWS::Athena::WorkGroup", WorkGroup, "InvalidRequestException")
        names = [one["Name"] for one in self._d.of("AWS::Athena::NamedQuery")]
        return {"NamedQueryIds": names}

    def batch_get_named_query(self, *, NamedQueryIds: list[str]) -> Any:  # noqa: N803
        resources = [self._d.named("AWS::Athena::NamedQuery", one, "x") for one in NamedQueryIds]
        return {
            "NamedQueries": [
                {"Name": one["Name"], "QueryString": one["QueryString"]} for one in resources
            ]
        }

    # SQS, CloudTrail, Organizations

    def get_queue_url(self, *, QueueName: str) -> Any:  # noqa: N803
        self._d.named("AWS::SQS::Queue", QueueName, "AWS.SimpleQueueService.NonExistentQueue")
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        assert ["All"] == AttributeNames
        queue = self._d.named("AWS::SQS::Queue", QueueUrl, "x")
        policies = [
            one["PolicyDocument"]
            for one in self._d.of("AWS::SQS::QueuePolicy")
            if one["Queues"] == [QueueUrl]
        ]
        answer = {"ApproximateNumberOfMessages": "0", "DelaySeconds": "0"}
        for name in ("MessageRetentionPeriod", "VisibilityTimeout", "DelaySeconds"):
            if name in queue:
                answer[name] = str(queue[name])
        answer["SqsManagedSseEnabled"] = json.dumps(queue["SqsManagedSseEnabled"])
        if policies:
            answer["Policy"] = json.dumps(policies[0])
        if "RedrivePolicy" in queue:
            answer["RedrivePolicy"] = json.dumps(queue["RedrivePolicy"])
        if "RedriveAllowPolicy" in queue:
            answer["RedriveAllowPolicy"] = json.dumps(queue["RedriveAllowPolicy"])
        return {"Attributes": answer}

    def describe_trails(self, **_: Any) -> Any:
        return {"trailList": []}

    def list_policies(self, *, Filter: str) -> Any:  # noqa: N803
        resource = [
            one for one in self._d.of("AWS::Organizations::Policy") if one["Type"] == Filter
        ]
        return {"Policies": [{"Id": one["Name"], "Name": one["Name"]} for one in resource]}

    def describe_policy(self, *, PolicyId: str) -> Any:  # noqa: N803
        resource = self._d.named("AWS::Organizations::Policy", PolicyId, "PolicyNotFoundException")
        return {"Policy": {"Content": json.dumps(resource["Content"])}}

    def list_targets_for_policy(self, *, PolicyId: str) -> Any:  # noqa: N803
        resource = self._d.named("AWS::Organizations::Policy", PolicyId, "PolicyNotFoundException")
        return {"Targets": [{"TargetId": one} for one in resource["TargetIds"]]}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a lifecycle rule of CloudFormation as S3 gives it back."""
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = rule["ExpirationInDays"]
    if rule.get("ExpiredObjectDeleteMarker"):
        expiration["ExpiredObjectDeleteMarker"] = True
    answer = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Expiration": expiration,
    }
    if "NoncurrentVersionExpiration" in rule:
        answer["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "Transitions" in rule:
        answer["Transitions"] = [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]}
            for one in rule["Transitions"]
        ]
    return answer


def _notification(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return a notification of CloudFormation as S3 gives it back."""
    rules = configuration.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    return {
        "QueueArn": configuration["Queue"],
        "Events": [configuration["Event"]],
        "Filter": {
            "Key": {
                "FilterRules": [
                    {"Name": rule["Name"].title(), "Value": rule["Value"]} for rule in rules
                ]
            }
        },
    }
