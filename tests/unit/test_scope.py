"""What is out of scope: a human's plain reads, and nothing that could concern an identity."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from nhi_evidence.event import About, Actor, Call, Event, Logged, Outcome, Result
from nhi_evidence.identity import CAPTIONS, Identity, IdentityKind
from nhi_evidence.phases import Classification, Phase
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import Normalized, OutOfScope
from nhi_evidence.pipeline.scope import HUMAN, Scope, out_of_scope

TENANT = "44444444-4444-4444-4444-444444444444"
ANN = "77777777-7777-7777-7777-777777777777"
GROUP = "88888888-8888-8888-8888-888888888888"


def aws(service: str, operation: str, **request: Any) -> tuple[str, dict[str, Any]]:
    """A person, signed in through Identity Center, calls AWS."""
    role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1"
    return "aws_cloudtrail", {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:ann@example.com",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_1/ann@example.com",
            "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}},
        },
        "eventTime": "2026-03-02T08:15:30Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": operation,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.10",
        "requestParameters": request or None,
        "eventID": "11111111-2222-4333-8444-555555555555",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def gcp(service: str, method: str) -> tuple[str, dict[str, Any]]:
    """A person calls Google Cloud."""
    return "gcp_audit", {
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "ann@example.com"},
            "requestMetadata": {"callerIp": "192.0.2.10"},
            "serviceName": service,
            "methodName": method,
            "resourceName": "projects/example-prod/things/one",
        },
        "insertId": "i1",
        "timestamp": "2026-03-02T08:15:30Z",
        "logName": "projects/example-prod/logs/cloudaudit.googleapis.com%2Factivity",
    }


def entra(activity: str, *targets: str) -> tuple[str, dict[str, Any]]:
    """A person changes the directory."""
    return "azure_entra", {
        "time": "2026-03-02T08:15:31Z",
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": activity,
        "category": "AuditLogs",
        "tenantId": TENANT,
        "properties": {
            "id": "Directory_1",
            "activityDateTime": "2026-03-02T08:15:30Z",
            "activityDisplayName": activity,
            "result": "success",
            "initiatedBy": {"user": {"id": ANN, "userPrincipalName": "ann@example.com"}},
            "targetResources": [{"id": GROUP, "type": kind} for kind in targets],
        },
    }


def graph(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """A person calls Microsoft Graph with a public client."""
    return "azure_entra", {
        "time": "2026-03-02T08:15:31Z",
        "resourceId": f"/TENANTS/{TENANT}/PROVIDERS/MICROSOFT.AADIAM",
        "operationName": "Microsoft Graph Activity",
        "category": "MicrosoftGraphActivityLogs",
        "properties": {
            "timeGenerated": "2026-03-02T08:15:30Z",
            "requestId": "r1",
            "requestMethod": method,
            "responseStatusCode": 200,
            "appId": "22222222-2222-2222-2222-222222222222",
            "userId": ANN,
            "clientAuthMethod": "0",
            "requestUri": f"https://graph.microsoft.com/v1.0{path}",
        },
    }


def arm(operation: str) -> tuple[str, dict[str, Any]]:
    """A person calls Azure Resource Manager."""
    return "azure_activity", {
        "time": "2026-03-02T08:15:30Z",
        "resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Example/things/one",
        "operationName": operation,
        "category": "Administrative",
        "resultType": "Success",
        "callerIpAddress": "192.0.2.10",
        "eventDataId": "e1",
        "identity": {
            "claims": {
                "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
                "scp": "user_impersonation",
                "idtyp": "user",
                "http://schemas.microsoft.com/identity/claims/objectidentifier": ANN,
            }
        },
    }


KEPT = {
    "aws: an access key is made": aws("iam", "CreateAccessKey", userName="ci"),
    "aws: a role is passed on": aws(
        "glue", "UpdateJob", role="arn:aws:iam::111122223333:role/etl", jobName="nightly"
    ),
    "aws: a role is passed on, the operation a routine": aws(
        "firehose", "UpdateDestination", roleARN="arn:aws:iam::111122223333:role/stream"
    ),
    "aws: credentials of a warehouse": aws("redshift-serverless", "GetCredentials"),
    "aws: a log of queries is stopped": aws("route53", "DeleteQueryLoggingConfig", id="q"),
    "aws: a stream of activities is stopped": aws("rds", "StopActivityStream", resourceArn="x"),
    "aws: a service nobody has described": aws("newservice", "FrobnicateWidget", widgetId="w"),
    "aws: a change nobody has described": aws("newservice", "PutWidgetThing", widgetId="w"),
    "aws: code is run": aws("ssm", "SendCommand", instanceIds=["i-0123456789abcdef0"]),
    "aws: a function is made": aws("lambda", "CreateFunction20150331", functionName="f"),
    "gcp: a key is made": gcp("iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey"),
    "gcp: an owner is invited": gcp(
        "cloudresourcemanager.googleapis.com", "InsertProjectOwnershipInvite"
    ),
    "gcp: a pod is made": gcp("k8s.io", "io.k8s.core.v1.pods.create"),
    "gcp: a role is made": gcp("k8s.io", "io.k8s.authorization.rbac.v1.roles.create"),
    "gcp: a method nobody has described": gcp("new.googleapis.com", "new.v1.Widgets.ApplyWidget"),
    "entra: a role is activated": entra("Add member to role completed (PIM activation)", "Role"),
    "entra: a role is granted for good": entra(
        "Add member to role in PIM completed (permanent)", "Role", "User"
    ),
    "entra: a policy is changed": entra("Update policy", "Policy"),
    "entra: an activity nobody has described": entra("Rearrange things", "Other"),
    "graph: a member is added": graph("POST", f"/groups/{GROUP}/members/$ref"),
    "graph: a path nobody has described": graph("PATCH", "/new/things"),
    "arm: a role is assigned": arm("Microsoft.Authorization/roleAssignments/write"),
    "arm: an action nobody has described": arm("Microsoft.Example/things/shake/action"),
    "arm: a deletion nobody has described": arm("Microsoft.Example/things/delete"),
}
OUT_OF_SCOPE = {
    "aws: a list": aws("ec2", "DescribeInstances"),
    "aws: a list nobody has described": aws("newservice", "ListWidgets"),
    "gcp: a list": gcp("compute.googleapis.com", "v1.compute.instances.list"),
    "graph: a read": graph("GET", "/me/messages"),
}


def mapped(act: tuple[str, dict[str, Any]]) -> Any:
    source, record = act
    return Mapper(source, scope=Scope.NHI, keep_out_of_scope_raw=True).map(
        json.dumps(record).encode()
    )


@pytest.mark.parametrize("act", KEPT)
def test_a_persons_act_that_could_concern_an_identity_is_kept(act: str) -> None:
    """An act that makes, empowers or hides a non-human identity, or is undescribed, is evidence."""
    result = mapped(KEPT[act])
    assert isinstance(result, Normalized), result
    assert result.record.nhi.type_id == IdentityKind.HUMAN


@pytest.mark.parametrize("act", OUT_OF_SCOPE)
def test_a_persons_plain_read_is_left_out(act: str) -> None:
    """Records are not kept just because they exist: the scope means something."""
    result = mapped(OUT_OF_SCOPE[act])
    assert isinstance(result, OutOfScope), result
    assert result.reason == HUMAN


def event(kind: IdentityKind, *, is_nhi: bool) -> Event:
    return Event(
        time=0,
        original_time="",
        logged=Logged("AWS", "CloudTrail"),
        call=Call("s3", "s3.amazonaws.com", "X", "X"),
        actor=Actor(identity=Identity(type_id=kind, type=CAPTIONS[kind], decision_rule="R-01")),
        about=About(is_nhi=is_nhi),
        outcome=Outcome(Result.SUCCESS),
    )


def classification(base: Phase, rule: str = "s3:X", *, activity: int = 2) -> Classification:
    return Classification(base, base, None, (rule,), 6003, activity)


GOVERNING = {
    Phase.UNKNOWN,
    Phase.TOKEN_ISSUANCE,
    Phase.SECRET_ACCESS,
    Phase.CREDENTIAL_LIFECYCLE,
    Phase.IDENTITY_LIFECYCLE,
    Phase.PRIVILEGE_CHANGE,
    Phase.DEFENSE_EVASION,
    Phase.AGENT_ACTION,
    Phase.EXECUTION,
}


@pytest.mark.parametrize("phase", Phase)
def test_phases_left_out_of_operations_with_a_row(phase: Phase) -> None:
    """They are left out by base phase or by effective phase, whoever acts."""
    person = event(IdentityKind.HUMAN, is_nhi=False)
    expected = None if phase in GOVERNING else HUMAN
    assert expected == out_of_scope(person, classification(phase), Scope.NHI)
    changed = msgspec.structs.replace(classification(Phase.ROUTINE), phase=phase)
    assert expected == out_of_scope(person, changed, Scope.NHI)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("activity", [1, 2, 3, 4, 99])
def test_phases_left_out_of_guessed_operations(phase: Phase, activity: int) -> None:
    """Of guessed operations only plain reads are left out."""
    person = event(IdentityKind.HUMAN, is_nhi=False)
    guess = classification(phase, "fallback:verb:get", activity=activity)
    is_read = phase in {Phase.ENUMERATION, Phase.DATA_ACCESS} and activity == 2
    assert (HUMAN if is_read else None) == out_of_scope(person, guess, Scope.NHI)


@pytest.mark.parametrize("kind", set(IdentityKind) - {IdentityKind.HUMAN})
def test_anyone_who_may_not_be_a_person_is_kept(kind: IdentityKind) -> None:
    """A person's credential used by software, and an unknown actor, stay evidence."""
    read = classification(Phase.ENUMERATION)
    assert out_of_scope(event(kind, is_nhi=False), read, Scope.NHI) is None


def test_an_act_that_names_an_identity_is_kept() -> None:
    """A person's read of a non-human identity is evidence; with scope all, everything is."""
    read = classification(Phase.ENUMERATION)
    person = event(IdentityKind.HUMAN, is_nhi=True)
    assert out_of_scope(person, read, Scope.NHI) is None
    assert out_of_scope(event(IdentityKind.HUMAN, is_nhi=False), read, Scope.ALL) is None
