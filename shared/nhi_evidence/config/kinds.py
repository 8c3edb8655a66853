r"""The kinds of values in a configuration: what each must look like, described for people.

The description completes "is not ..."; the example is a valid value. Account ids, addresses and
names in examples are those reserved for documentation.

Patterns end in `\Z`, since `$` also matches before a line break at the end, and name the digits
`[0-9]`, since `\d` also matches those of other scripts.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Account = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{12}\Z",
        description="an AWS account id: 12 digits, in quotes",
        examples=["222233334444"],
    ),
]
OrganizationId = Annotated[
    str,
    Meta(
        pattern=r"^o-[a-z0-9]{10,32}\Z",
        description="the id of an AWS organization (aws organizations describe-organization)",
        examples=["o-exampleorg1"],
    ),
]
Region = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}\Z",
        description="an AWS region",
        examples=["eu-central-1"],
    ),
]
Bucket = Annotated[
    str,
    Meta(
        # S3 forbids adjacent dots, and TLS to a bucket's own host name does not allow any.
        pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\Z",
        description="an S3 bucket name: 3 to 63 of a-z, 0-9 and -, without dots",
        examples=["nhi-evidence-222233334444"],
    ),
]
SourceBucketName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z",
        description="an S3 bucket name: 3 to 63 of a-z, 0-9, . and -",
        examples=["organization-trail-111122223333"],
    ),
]
PartnerBus = Annotated[
    str,
    Meta(
        pattern=r"^aws\.partner/[A-Za-z0-9.-]+(?:/[A-Za-z0-9._-]+)+\Z",
        description="the name of a partner event source (aws events list-event-sources)",
        examples=["aws.partner/okta.com/example-org/evidence"],
    ),
]
Handle = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,19}\Z",
        description="a short name of your own: a-z, 0-9 and -, at most 20 characters",
        examples=["main"],
    ),
]
Days = Annotated[
    int,
    Meta(ge=1, le=36500, description="a whole number of days, 1 to 36500", examples=[365]),
]
DaysOrNever = Annotated[
    int,
    Meta(
        ge=0,
        le=36500,
        description="a whole number of days, up to 36500, or 0 for never",
        examples=[30],
    ),
]
BatchWindow = Annotated[
    int,
    # Lambda's limits for a batching window.
    Meta(ge=1, le=300, description="a whole number of seconds, 1 to 300", examples=[120]),
]
SilenceHours = Annotated[
    int,
    # An alarm looks back for a week at most.
    Meta(ge=0, le=168, description="a whole number of hours, 0 to 168", examples=[3]),
]
Prefix = Annotated[
    str,
    Meta(
        pattern=r"^([^/\n].*/)?\Z",
        max_length=512,
        description="a key prefix: empty, or ending in / and not starting with one",
        examples=["cloudtrail/"],
    ),
]
KmsKeyArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+\Z",
        description="the ARN of a KMS key (not of an alias)",
        examples=["arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    ),
]
TopicArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?\Z",
        description="the ARN of an SNS topic",
        examples=["arn:aws:sns:eu-central-1:111122223333:alarms"],
    ),
]
RoleArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+\Z",
        description="the ARN of an IAM role",
        examples=["arn:aws:iam::111122223333:role/pipeline"],
    ),
]
Principal = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+\Z",
        description="the ARN of one IAM role or user: no account as a whole, no wildcard",
        examples=["arn:aws:iam::444455556666:role/auditor"],
    ),
]
ExternalId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+=,.@:/_-]{16,1224}\Z",
        description="an external id: 16 characters or more of A-Z, a-z, 0-9 and +=,.@:/_-",
        examples=["audit-2026-7f3b9c51d0"],
    ),
]
LogName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/[A-Za-z0-9._-]+)+\Z",
        max_length=200,
        description="the name of a log: a domain of yours and a path, without scheme",
        examples=["example.org/evidence"],
    ),
]
Uuid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z",
        description="a UUID in lower case",
        examples=["11111111-2222-3333-4444-555555555555"],
    ),
]
Issuer = Annotated[
    str,
    Meta(
        pattern=r"^https://[a-z0-9.-]+(/[A-Za-z0-9._/-]*)?\Z",
        description="the address of an issuer of identity tokens",
        examples=["https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"],
    ),
]
HttpsAddress = Annotated[
    str,
    Meta(
        pattern=r"^https://[a-z0-9.-]{1,190}(:[0-9]{1,5})?\Z",
        description="an https address without a path",
        examples=["https://vault.example.com:8200"],
    ),
]

Identity = Annotated[
    str,
    Meta(
        pattern=(
            r"^(arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/[A-Za-z0-9_+=,.@/-]{1,576}"
            r"|[a-z0-9.-]{1,63}@[a-z0-9.-]{1,190}"
            r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z"
        ),
        description="the ARN of a user or role, a service account's address or an object id",
        examples=["arn:aws:iam::333344445555:user/deployer"],
    ),
]
WorkloadProvider = Annotated[
    str,
    Meta(
        pattern=(
            r"^//iam\.googleapis\.com/projects/[0-9]+/locations/global/"
            r"workloadIdentityPools/[a-z0-9-]+/providers/[a-z0-9-]+\Z"
        ),
        description="the full name of a provider of a workload identity pool",
        examples=[
            (
                "//iam.googleapis.com/projects/123456789012/locations/global/"
                "workloadIdentityPools/nhi-evidence/providers/aws"
            )
        ],
    ),
]
GcpNumber = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{6,20}\Z",
        description="the number of a Google Cloud organization, in quotes",
        examples=["123456789012"],
    ),
]
GcpProject = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]\Z",
        description="the id of a Google Cloud project",
        examples=["example-evidence"],
    ),
]
ServiceAccountId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{15,25}\Z",
        description="the unique id of a service account: about 21 digits, in quotes, "
        "not its address",
        examples=["101234567890123456789"],
    ),
]
Location = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{2,40}\Z",
        description="a location of the provider",
        examples=["europe-west1"],
    ),
]
Audience = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.:/_-]{2,254}\Z",
        description="the audience tokens are requested for, exactly as it appears in them",
        examples=["api://nhi-evidence"],
    ),
]
Address = Annotated[
    str,
    Meta(
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+\Z",
        description="an e-mail address",
        examples=["security@example.org"],
    ),
]
TargetId = Annotated[
    str,
    Meta(
        pattern=r"^(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|[0-9]{12})\Z",
        description="what a policy is attached to: a root, an organizational unit or an account",
        examples=["ou-abcd-11111111"],
    ),
]
Dollars = Annotated[int, Meta(ge=1, description="a whole number of US dollars", examples=[200])]
Day = Annotated[
    str,
    Meta(
        pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z",
        description="a day, YYYY-MM-DD, in quotes",
        examples=["2026-01-01"],
    ),
]
Count = Annotated[int, Meta(ge=1, description="a whole number, 1 or more", examples=[100000])]
ResourceType = Annotated[
    str,
    Meta(
        pattern=r"^AWS::[A-Za-z0-9]+::[A-Za-z0-9]+\Z",
        description="a resource type for which CloudTrail records data events",
        examples=["AWS::S3::Object"],
    ),
]
AzureType = Annotated[
    str,
    Meta(
        pattern=r"^Microsoft\.[A-Za-z]+(/[A-Za-z]+)+\Z",
        description="an Azure resource type",
        examples=["Microsoft.KeyVault/vaults"],
    ),
]
ManagementGroup = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_().-]{1,90}\Z",
        description="the id of an Azure management group",
        examples=["example-root"],
    ),
]
AzureContainer = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]{3,24}/[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\Z",
        description="an Azure storage account and a container in it, with / between",
        examples=["examplestate/terraform"],
    ),
]
GcpService = Annotated[
    str,
    Meta(
        pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)*\.googleapis\.com|allServices)\Z",
        description="a Google Cloud service, or allServices",
        examples=["iam.googleapis.com"],
    ),
]
Pack = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{1,39}\Z",
        description="the name of a source",
        examples=["aws_cloudtrail"],
    ),
]
