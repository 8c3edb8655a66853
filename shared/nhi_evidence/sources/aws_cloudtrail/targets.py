"""What was acted on: `resources`, and the names a call states in its parameters.

Tables say which parameter of which service names what; code only looks them up. A name is
taken as it stands in the record, never completed into an ARN.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import Account, Owner, Session, Target, User
from nhi_evidence.sources.aws_cloudtrail.record import TrailRecord, present
from nhi_evidence.sources.aws_cloudtrail.text import arn, milliseconds

_CREDENTIAL = "Programmatic Credential"

_PARAMETERS: dict[str, tuple[tuple[str, str], ...]] = {
    "iam": (
        ("roleName", "AWS::IAM::Role"),
        ("userName", "AWS::IAM::User"),
        ("groupName", "AWS::IAM::Group"),
        ("policyArn", "AWS::IAM::ManagedPolicy"),
        ("instanceProfileName", "AWS::IAM::InstanceProfile"),
        ("openIDConnectProviderArn", "AWS::IAM::OIDCProvider"),
        ("sAMLProviderArn", "AWS::IAM::SAMLProvider"),
    ),
    "sts": (("roleArn", "AWS::IAM::Role"),),
    "s3": (("bucketName", "AWS::S3::Bucket"), ("key", "AWS::S3::Object")),
    "kms": (("keyId", "AWS::KMS::Key"),),
    "secretsmanager": (("secretId", "AWS::SecretsManager::Secret"),),
    "ssm": (("name", "AWS::SSM::Parameter"),),
    "lambda": (("functionName", "AWS::Lambda::Function"),),
    "cloudtrail": (("name", "AWS::CloudTrail::Trail"), ("trailName", "AWS::CloudTrail::Trail")),
    "dynamodb": (("tableName", "AWS::DynamoDB::Table"),),
    "logs": (("logGroupName", "AWS::Logs::LogGroup"),),
    "eks": (("name", "AWS::EKS::Cluster"), ("clusterName", "AWS::EKS::Cluster")),
    "ecs": (("cluster", "AWS::ECS::Cluster"),),
    "ec2": (("instanceId", "AWS::EC2::Instance"), ("groupId", "AWS::EC2::SecurityGroup")),
    "organizations": (("accountId", "AWS::Organizations::Account"),),
    "sns": (("topicArn", "AWS::SNS::Topic"),),
    "sqs": (("queueUrl", "AWS::SQS::Queue"),),
    "events": (("name", "AWS::Events::Rule"),),
    "guardduty": (("detectorId", "AWS::GuardDuty::Detector"),),
    "cloudformation": (("stackName", "AWS::CloudFormation::Stack"),),
}
"""Parameters that name a resource, per service; the type in CloudFormation's spelling."""

_NHI_TYPES = frozenset(
    {
        "AWS::IAM::Role",
        "AWS::IAM::User",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::AccessKey",
    }
)
"""Resource types that are, hold or vouch for a non-human identity; a user may be one."""


_ENTITIES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "iam": (
        ("request", "accessKeyId", _CREDENTIAL),
        ("response", "accessKey.accessKeyId", _CREDENTIAL),
        ("request", "serviceSpecificCredentialId", _CREDENTIAL),
        ("response", "serviceSpecificCredential.serviceSpecificCredentialId", _CREDENTIAL),
        ("request", "sSHPublicKeyId", "SSH Public Key"),
        ("response", "sSHPublicKey.sSHPublicKeyId", "SSH Public Key"),
        ("request", "certificateId", "Signing Certificate"),
        ("response", "certificate.certificateId", "Signing Certificate"),
        ("request", "serverCertificateName", "Server Certificate"),
        ("request", "serialNumber", "MFA Device"),
        ("request", "virtualMFADeviceName", "MFA Device"),
    ),
    "secretsmanager": (
        ("request", "secretId", "Secret"),
        ("response", "aRN", "Secret"),
        ("response", "arn", "Secret"),
        ("request", "name", "Secret"),
    ),
    "ssm": (("request", "name", "Parameter"),),
    "rolesanywhere": (
        ("request", "trustAnchorId", "Trust Anchor"),
        ("request", "profileId", "Roles Anywhere Profile"),
        ("request", "crlId", "Certificate Revocation List"),
        ("request", "name", "Certificate Revocation List"),
    ),
    "ec2": (("request", "keyName", "Key Pair"), ("request", "keyPairId", "Key Pair")),
    "acm-pca": (
        ("request", "certificateSerial", "Certificate"),
        ("response", "certificateArn", "Certificate"),
    ),
    "appsync": (("response", "apiKey.id", "API Key"),),
    "apigateway": (("response", "id", "API Key"), ("request", "name", "API Key")),
    "bedrock-agentcore": (
        ("request", "name", "Credential Provider"),
        ("request", "tokenVaultId", "Token Vault"),
    ),
}
"""Where a service names the durable credential a call is about: slice, dotted path, type."""

_ISSUED = (
    "credentials.accessKeyId",
    "accessKey.accessKeyId",
    "serviceSpecificCredential.serviceSpecificCredentialId",
    "delegatedAccessToken.accessKeyId",
)
"""Where a response holds the id (never the secret) of a credential it handed out."""

_LOGS: dict[str, tuple[str, ...]] = {
    "cloudtrail": ("name", "trailName", "eventDataStore", "channel", "trailARN"),
    "config": (
        "configurationRecorderName",
        "deliveryChannelName",
        "configRuleName",
        "configurationAggregatorName",
        "organizationConfigRuleName",
    ),
    "logs": ("logGroupName", "destinationName", "logGroupIdentifier"),
    "s3": ("bucketName",),
    "eks": ("name",),
    "route53resolver": ("resolverQueryLogConfigId",),
}
"""Parameters that name the log a call is about."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says it is about, beyond its actor."""

    targets: tuple[Target, ...] = ()
    target_is_nhi: bool = False
    subject_user: User | None = None
    entity: Target | None = None
    group: Target | None = None
    privileges: tuple[str, ...] = ()
    log_name: str | None = None
    databucket: Target | None = None
    table: Target | None = None
    issued_credentials: tuple[str, ...] = ()
    issued_session: Session | None = None


def about(record: TrailRecord, service: str) -> About:
    """Read what the record says it is about.

    Raises `msgspec.MsgspecError` or `UnicodeDecodeError` when a parameter slice does not
    decode; the caller rejects the record.
    """
    request = _object(record.requestParameters)
    response = _object(record.responseElements)
    resources = _resources(record)
    named = _named(service, request)
    known = {target.uid for target in resources}
    targets = (*resources, *(one for one in named if (one.uid or one.name) not in known))
    issued = tuple(uid for path in _ISSUED if (uid := _text(response, path)))
    entity = _entity(service, request, response)
    subject = _subject(service, request, response)
    return About(
        targets=targets,
        target_is_nhi=bool(issued)
        or (service == "iam" and entity is not None)
        or any(target.type in _NHI_TYPES for target in targets),
        subject_user=subject,
        entity=entity,
        group=_first(targets, "AWS::IAM::Group"),
        privileges=_privileges(request),
        log_name=_first_text(request, _LOGS.get(service, ())),
        databucket=_first(targets, "AWS::S3::Bucket"),
        table=_first(targets, "AWS::DynamoDB::Table"),
        issued_credentials=issued,
        issued_session=_session(response),
    )


def _object(piece: msgspec.Raw) -> dict[str, Any]:
    slice_ = present(piece)
    value = msgspec.json.decode(slice_) if slice_ is not None else None
    return value if isinstance(value, dict) else {}


def _text(value: Any, path: str) -> str | None:
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value if isinstance(value, str) and value else None


def _first_text(value: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := _text(value, name))), None)


def _first(targets: tuple[Target, ...], type_: str) -> Target | None:
    return next((target for target in targets if target.type == type_), None)


def _resources(record: TrailRecord) -> tuple[Target, ...]:
    found = []
    for resource in record.resources or ():
        uid, name = resource.ARN or resource.arn, resource.resourceName
        if not uid and not name:
            continue
        owner = Owner(Account(resource.accountId)) if resource.accountId else None
        kind = resource.type or resource.resourceType
        found.append(Target(uid=uid, name=name, type=kind, owner=owner))
    return tuple(found)


def _named(service: str, request: dict[str, Any]) -> list[Target]:
    found = []
    for parameter, kind in _PARAMETERS.get(service, ()):
        value = _text(request, parameter)
        if value is None:
            continue
        parts = arn(value)
        if parts is None:
            found.append(Target(name=value, type=kind))
        else:
            owner = Owner(Account(parts.account)) if parts.account else None
            found.append(Target(uid=value, type=kind, owner=owner))
    return found


def _entity(service: str, request: dict[str, Any], response: dict[str, Any]) -> Target | None:
    for where, path, kind in _ENTITIES.get(service, ()):
        value = _text(request if where == "request" else response, path)
        if value is not None:
            return Target(uid=value, type=kind)
    return None


def _subject(service: str, request: dict[str, Any], response: dict[str, Any]) -> User | None:
    """The principal a call creates, changes, assumes or grants to."""
    role = _text(request, "roleArn") if service == "sts" else None
    if role is not None:
        session = _text(response, "assumedRoleUser.assumedRoleId")
        return User(uid=session or role, name=role.rpartition("/")[2], type="AssumedRole")
    if service == "sts" and (federated := _text(response, "federatedUser.federatedUserId")):
        return User(uid=federated, name=_text(request, "name"), type="FederatedUser")
    if service == "iam":
        for parameter, shape, uid, kind in _IAM_SUBJECTS:
            if name := _text(request, parameter) or _text(response, f"{shape}.{parameter}"):
                return User(uid=_text(response, f"{shape}.{uid}"), name=name, type=kind)
        return None
    principal = _text(request, "principalArn") or _text(request, "principalId")
    return User(uid=principal) if principal else None


_IAM_SUBJECTS = (
    ("userName", "user", "userId", "IAMUser"),
    ("roleName", "role", "roleId", "Role"),
    ("groupName", "group", "groupId", "Group"),
)


def _privileges(request: dict[str, Any]) -> tuple[str, ...]:
    names = ("policyArn", "policyName", "permissionSetArn", "roleName", "roleArn")
    return tuple(text for name in names if (text := _text(request, name)))


def _session(response: dict[str, Any]) -> Session | None:
    credential = _text(response, "credentials.accessKeyId")
    if credential is None:
        return None
    return Session(
        uid=_text(response, "assumedRoleUser.arn") or _text(response, "federatedUser.arn"),
        credential_uid=credential,
        expiration_time=milliseconds(_text(response, "credentials.expiration")),
    )
