"""Tables of which parameter of which service names what; `targets.py` looks things up in them."""

from __future__ import annotations

CREDENTIAL = "Programmatic Credential"

PARAMETERS: dict[str, tuple[tuple[str, str], ...]] = {
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
"""Parameters that name a resource, by service, with its CloudFormation type."""

NHI_TYPES = frozenset(
    {
        "AWS::IAM::Role",
        "AWS::IAM::User",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::AccessKey",
    }
)
"""Resource types that are, contain or vouch for a non-human identity; a user may be one."""


PRINCIPAL_RESOURCES = (
    "role/",
    "user/",
    "instance-profile/",
    "oidc-provider/",
    "assumed-role/",
    "federated-user/",
)
"""Prefixes of ARN resources that are, contain or vouch for a principal."""

ENTITIES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "iam": (
        ("request", "accessKeyId", CREDENTIAL),
        ("response", "accessKey.accessKeyId", CREDENTIAL),
        ("request", "serviceSpecificCredentialId", CREDENTIAL),
        ("response", "serviceSpecificCredential.serviceSpecificCredentialId", CREDENTIAL),
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
"""Where a service names the durable credential that a call is about: slice, dotted path, type."""

ISSUED = (
    ("credentials", "accessKeyId"),
    ("accessKey", "accessKeyId"),
    ("serviceSpecificCredential", "serviceSpecificCredentialId"),
    ("delegatedAccessToken", "accessKeyId"),
)
"""Where a response has the id (never the secret) of a credential it issued."""

LOGS: dict[str, tuple[str, ...]] = {
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
"""Parameters that name the log that a call is about."""

SUBJECT_SERVICES = frozenset(
    {"account-access", "ec2", "eks", "iam", "identitystore", "sso", "sso-directory", "sts"}
)
"""Services whose calls are about a principal or its privileges."""

PRINCIPALS = ("principalArn", "principalId")
"""Parameters that name the principal that a call is about, outside IAM and STS."""

PRIVILEGES = ("policyArn", "policyName", "permissionSetArn", "roleName", "roleArn")
"""Parameters that name what is assigned or revoked."""

POLICIES = ("policyArn", "policyName")
"""IAM parameters that name what is attached, detached or written."""

NAMED_BY_RESPONSE = frozenset({("ec2", "RunInstances"), ("ec2", "CreateFleet")})
"""Operations whose response alone names what they create: service and operation."""

ISSUERS = frozenset(
    {
        "account-access-runtime",
        "cognito-identity",
        "eks-auth",
        "iam",
        "rolesanywhere",
        "signin",
        "sso",
        "sts",
    }
)
"""Services whose responses issue credentials."""

IAM_SUBJECTS = (
    ("userName", "user", "userId", "IAMUser"),
    ("roleName", "role", "roleId", "Role"),
)
"""For each IAM principal: its parameter, its object in a response, its id there, and its type.

A group is not a principal.
"""
