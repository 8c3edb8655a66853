"""Each role: exactly its actions, exactly its prefixes, and who may assume it."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_evidence.adapters.signing.kms import KmsSigner
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog
from nhi_evidence.coverage.canary.statement import ENDING
from tests.infra.aws.estate import (
    ARCHIVE,
    BUCKET,
    EVIDENCE,
    ORGANIZATION,
    Estate,
    arn,
    documents,
)
from tests.infra.aws.iam import Request, actions, allows, statements, trusts
from tests.infra.aws.test_role_trusts import exporter_request, trust

WRITERS = ("aws_cloudtrail", "gcp_audit", "azure_monitor")


LINES = "arn:aws:s3:::nhi-evidence-siem-222233334444"


def resources(document: dict[str, Any]) -> set[str]:
    return {
        one
        for statement in statements(document)
        for one in (
            [statement["Resource"]]
            if isinstance(statement["Resource"], str)
            else statement["Resource"]
        )
    }


@pytest.mark.parametrize("source", WRITERS)
def test_a_writer_may_put_under_its_own_prefixes_and_nothing_else(
    estate: Estate, source: str
) -> None:
    """It has one action: no read, list, delete, tag or retention, and no other source's prefix."""
    (policy,) = documents(estate.role(f"nhi-evidence-main-170b2e-writer-{source}"))
    assert {"s3:PutObject"} == actions(policy)
    assert {f"{BUCKET}/ev/v1/{source}/*"} == resources(policy)


def test_an_operator_role_exists_only_where_its_function_is_deployed(estate: Estate) -> None:
    """Somebody could create a function for an unused role; the custody role belongs to auditors."""
    kinds = ("recon", "config", "coverage", "custody")
    assert {f"nhi-evidence-main-170b2e-op-{kind}" for kind in kinds} == {
        role.properties["RoleName"] for role in estate.roles("-op-")
    }


def test_the_reconciling_function_writes_with_one_role_only(estate: Estate) -> None:
    """It reads, asks for public keys and, alone, assumes that role to put statements."""
    (own,) = documents(estate.role("nhi-evidence-main-170b2e-reconcile"))
    changing = {
        (action, str(one["Resource"]))
        for one in statements(own)
        for action in one["Action"]
        if not action.partition(":")[2].startswith(("Get", "List", "Describe"))
        and not action.startswith("logs:")
    }
    role = arn(EVIDENCE, "nhi-evidence-main-170b2e-op-recon")
    assert {("sts:AssumeRole", role)} == changing
    (put,) = documents(estate.role("nhi-evidence-main-170b2e-op-recon"))
    assert ({"s3:PutObject"}, {f"{BUCKET}/op/v1/recon/*"}) == (actions(put), resources(put))
    trusted = trust(estate, "nhi-evidence-main-170b2e-op-recon")
    inside = {"aws:PrincipalOrgID": ORGANIZATION}
    assert trusts(
        trusted, exporter_request(arn(EVIDENCE, "nhi-evidence-main-170b2e-reconcile"), **inside)
    )
    for other in ("nhi-evidence-main-170b2e-sealer", "administrator"):
        assert not trusts(trusted, exporter_request(arn(EVIDENCE, other), **inside))


def test_the_coverage_function_reads_no_evidence_and_writes_with_two_roles(estate: Estate) -> None:
    """It may read back what it stated, and assume roles of the readers' accounts and its own."""
    (own,) = documents(estate.role("nhi-evidence-main-170b2e-coverage"))
    by_sid = {one["Sid"]: one for one in statements(own)}
    canaries = f"{BUCKET}/op/v1/recon/*{ENDING}"
    written = {f"{BUCKET}/op/v1/{kind}/*" for kind in ("config", "coverage")}
    assert {*written, canaries} == set(by_sid["Read"]["Resource"])
    taken = {*by_sid["State"]["Resource"], *by_sid["Settings"]["Resource"]}
    reader = "nhi-evidence-main-170b2e-settings-reader"
    assert taken == {
        *(arn(EVIDENCE, f"nhi-evidence-main-170b2e-op-{kind}") for kind in ("config", "coverage")),
        *(arn(account, reader) for account in ("999988887777", "333344445555")),
    }
    inside = {"aws:PrincipalOrgID": ORGANIZATION}
    for role in estate.roles("settings-reader"):
        trusted = role.properties["AssumeRolePolicyDocument"]
        me = exporter_request(arn(EVIDENCE, "nhi-evidence-main-170b2e-coverage"), **inside)
        assert trusts(trusted, me)
        for other in ("nhi-evidence-main-170b2e-reconcile", "administrator"):
            assert not trusts(trusted, exporter_request(arn(EVIDENCE, other), **inside))
        (policy,) = documents(role)
        verbs = {action.partition(":")[2] for action in actions(policy)}
        assert all(verb.startswith(("Get", "List", "Describe")) or verb == "GET" for verb in verbs)
        assert not {"GetObject", "GetSecretValue"} & verbs
    (named,) = [
        one
        for role in estate.roles("settings-reader")
        for policy in documents(role)
        for one in statements(policy)
        if one["Sid"] == "Users"
    ]
    assert ["arn:aws:iam::333344445555:user/deployer"] == named["Resource"]


def test_the_canary_function_assumes_two_kinds_of_role_only(estate: Estate) -> None:
    """It puts plans like the coverage function; a canary only lists bucket names."""
    (own,) = documents(estate.role("nhi-evidence-main-170b2e-canary"))
    taken = {str(one["Resource"]) for one in statements(own) if one["Sid"] != "Logs"}
    canary = arn("333344445555", "nhi-evidence-main-170b2e-canary-identity")
    assert {arn(EVIDENCE, "nhi-evidence-main-170b2e-op-coverage"), str([canary]), "*"} == taken
    allowed = {one for one in actions(own) if not one.startswith("logs:")}
    assert {"sts:AssumeRole", "sts:GetWebIdentityToken"} == allowed
    (outward,) = [one for one in statements(own) if one["Resource"] == "*"]
    assert ["sts:GetWebIdentityToken"] == outward["Action"]
    inside = {"aws:PrincipalOrgID": ORGANIZATION}
    (role,) = estate.roles("canary-identity")
    (policy,) = documents(role)
    assert {"s3:ListAllMyBuckets"} == actions(policy)
    trusted = {
        "nhi-evidence-main-170b2e-op-coverage": {"canary", "coverage"},
        "nhi-evidence-main-170b2e-canary-identity": {"canary"},
    }
    for name, functions in trusted.items():
        for function in ("canary", "coverage", "reconcile", "sealer"):
            me = exporter_request(arn(EVIDENCE, f"nhi-evidence-main-170b2e-{function}"), **inside)
            assert (function in functions) == trusts(trust(estate, name), me), function
        assert not trusts(
            trust(estate, name), exporter_request(arn(EVIDENCE, "nhi-evidence-main-170b2e-canary"))
        )


STACKS = ("", "-seal", "-reconcile", "-coverage", "-canary", "-forward")


def test_every_role_of_the_evidence_account_is_one_of_these(estate: Estate) -> None:
    """A role without a test is an unreviewed way in."""
    names = {
        one.properties["RoleName"]
        for one in estate.of("AWS::IAM::Role")
        if one.stack in {f"nhi-evidence-main-170b2e{of}" for of in STACKS}
    }
    assert {
        *(f"nhi-evidence-main-170b2e-writer-{source}" for source in WRITERS),
        "nhi-evidence-main-170b2e-auditor-external",
        "nhi-evidence-main-170b2e-op-custody",
        "nhi-evidence-main-170b2e-replication",
        "nhi-evidence-main-170b2e-sealer",
        "nhi-evidence-main-170b2e-reconcile",
        "nhi-evidence-main-170b2e-coverage",
        "nhi-evidence-main-170b2e-canary",
        *(f"nhi-evidence-main-170b2e-op-{kind}" for kind in ("recon", "config", "coverage")),
        "nhi-evidence-main-170b2e-forward",
        "nhi-evidence-main-170b2e-subscriber",
        "OIDC_nhi-evidence-main-170b2e-sentinel",
    } == names


def test_the_forwarder_reads_new_evidence_and_writes_only_lines(estate: Estate) -> None:
    """It assumes no role, lists and locks nothing, and puts only under one prefix of another
    bucket.
    """
    (own,) = documents(estate.role("nhi-evidence-main-170b2e-forward"))
    granted = {
        (action, str(one["Resource"]))
        for one in statements(own)
        for action in one["Action"]
        if not action.startswith(("logs:", "sqs:"))
    }
    assert {
        ("s3:GetObjectVersion", f"{BUCKET}/ev/v1/*"),
        ("s3:PutObject", f"{LINES}/ocsf/v1/*"),
    } == granted
    queue = f"arn:aws:sqs:eu-central-1:{EVIDENCE}:nhi-evidence-main-170b2e-forward"
    of_queues = [one for one in statements(own) if one["Sid"] == "Messages"]
    assert [queue] == [one["Resource"] for one in of_queues]


def test_a_subscriber_reads_lines_and_receives_its_messages(estate: Estate) -> None:
    """With the external id, from outside the organization, and without access to evidence."""
    (own,) = documents(estate.role("nhi-evidence-main-170b2e-subscriber"))
    queue = f"arn:aws:sqs:eu-central-1:{EVIDENCE}:nhi-evidence-main-170b2e-subscriber"
    assert {LINES, f"{LINES}/ocsf/v1/*", queue} == resources(own)
    changing = {one for one in actions(own) if not one.partition(":")[2].startswith(("Get", "Li"))}
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"} == changing
    trusted = trust(estate, "nhi-evidence-main-170b2e-subscriber")
    siem = "arn:aws:iam::777788889999:role/siem"
    assert trusts(trusted, exporter_request(siem, **{"sts:ExternalId": "siem-2026-c41d7a90e2"}))
    assert not trusts(trusted, exporter_request(siem))
    assert not trusts(
        trusted,
        exporter_request(
            "arn:aws:iam::777788889999:role/other", **{"sts:ExternalId": "siem-2026-c41d7a90e2"}
        ),
    )


def test_an_auditor_reads_and_changes_nothing(estate: Estate) -> None:
    """It reads every version, its locks, the bucket's settings and public keys."""
    (policy,) = documents(estate.role("nhi-evidence-main-170b2e-auditor-external"))
    verbs = {one.partition(":")[2] for one in actions(policy)}
    assert all(one.startswith(("Get", "List", "Describe")) for one in verbs)
    assert {"GetObjectVersion", "ListBucketVersions", "GetObjectRetention"} <= verbs
    assert {BUCKET, f"{BUCKET}/*", f"arn:aws:kms:eu-central-1:{EVIDENCE}:key/*"} == resources(
        policy
    )


def test_the_sealer_reads_everything_and_writes_only_the_log(estate: Estate) -> None:
    """Its only writing actions are a PUT under log/ with its lock, and a signature."""
    (policy,) = documents(estate.role("nhi-evidence-main-170b2e-sealer"))
    changing = {
        (action, str(one["Resource"]))
        for one in statements(policy)
        for action in one["Action"]
        if not action.partition(":")[2].startswith(("Get", "List", "Describe"))
        and not action.startswith("logs:")
    }
    (key,) = {resource for action, resource in changing if action == "kms:Sign"}
    log = f"{BUCKET}/log/v1/*"
    assert {
        ("s3:PutObject", log),
        ("s3:PutObjectRetention", log),
        ("kms:Sign", key),
    } == changing
    assert "*" not in key


READS_OF = {
    "get_bucket_policy": "s3:GetBucketPolicy",
    "get_object_lock_configuration": "s3:GetBucketObjectLockConfiguration",
    "get_bucket_versioning": "s3:GetBucketVersioning",
    "get_bucket_lifecycle_configuration": "s3:GetLifecycleConfiguration",
    "get_bucket_replication": "s3:GetReplicationConfiguration",
    "get_bucket_encryption": "s3:GetEncryptionConfiguration",
    "get_key_policy": "kms:GetKeyPolicy",
    "get_public_key": "kms:GetPublicKey",
}
"""SDK calls and the permission each requires."""


class Recorder:
    """Answers every call, and records its name."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return lambda **_: {"Policy": "{}", "KeyId": "key", "PublicKey": b""}


def test_the_sealer_can_read_every_setting_an_epoch_records(estate: Estate) -> None:
    """The sealer's calls to the bucket and key are allowed by its role and the key's policy."""
    recorder = Recorder()
    S3EvidenceLog(recorder, "bucket", owner=EVIDENCE).configuration()  # type: ignore[arg-type]
    KmsSigner(recorder, "key").configuration()  # type: ignore[arg-type]
    name = "nhi-evidence-main-170b2e-sealer"
    connection = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    inside = {**connection, "aws:PrincipalOrgID": ORGANIZATION}
    (policy,) = documents(estate.role(name))
    (keys,) = [one["Resource"] for one in statements(policy) if "kms:Sign" in one["Action"]]
    policies = {BUCKET: estate.bucket_policy}
    for arn_of_key, key in zip(keys, estate.signing_keys, strict=True):
        stated = statements(key.properties["KeyPolicy"])
        policies[arn_of_key] = {"Statement": [{**one, "Resource": arn_of_key} for one in stated]}
    for call in recorder.calls:
        action = READS_OF[call]
        of_key = action.startswith("kms:")
        for resource in keys if of_key else [BUCKET]:
            assert allows(
                Request(arn(EVIDENCE, name), action, resource, inside),
                identity=[policy],
                resource=[policies[resource]],
                owner=EVIDENCE,
                resource_must_allow=of_key,
            ), call
    assert {"get_key_policy", "get_bucket_policy"} <= set(recorder.calls)


def test_the_exporter_reads_its_prefix_and_assumes_its_writer_role(estate: Estate) -> None:
    """The organization's folder of the trail bucket, one queue, one role."""
    (policy,) = documents(estate.role("nhi-evidence-main-170b2e-aws_cloudtrail-organization"))
    by_sid = {one["Sid"]: one for one in statements(policy)}
    read = f"arn:aws:s3:::organization-trail-111122223333/AWSLogs/{ORGANIZATION}/*"
    assert (["s3:GetObject", "s3:GetObjectVersion"], read) == (
        by_sid["Source"]["Action"],
        by_sid["Source"]["Resource"],
    )
    writer = arn(EVIDENCE, "nhi-evidence-main-170b2e-writer-aws_cloudtrail")
    assert (["sts:AssumeRole"], writer) == (by_sid["Write"]["Action"], by_sid["Write"]["Resource"])
    assert {"Logs", "Source", "Write", "Messages"} == set(by_sid)


def test_no_role_has_a_wildcard_action_or_resource_or_principal(estate: Estate) -> None:
    """Nothing is allowed on everything or to everybody, except actions without a resource."""
    for role in estate.of("AWS::IAM::Role"):
        for statement in statements(role.properties["AssumeRolePolicyDocument"]):
            assert "*" not in str(statement["Principal"])
        for policy in documents(role) if "Policies" in role.properties else []:
            for permission in statements(policy):
                everywhere = "*" in permission["Resource"] and permission["Resource"] in (
                    "*",
                    ["*"],
                )
                assert not everywhere or set(permission["Action"]) <= NO_RESOURCE
            assert not [one for one in actions(policy) if "*" in one]


NO_RESOURCE = {
    "s3:ListAllMyBuckets",
    "account:ListRegions",
    "cloudtrail:DescribeTrails",
    "cloudtrail:ListPublicKeys",
    "eks:ListClusters",
    "events:ListRules",
    "observabilityadmin:ListTelemetryRules",
    "organizations:ListAccounts",
    "sts:GetWebIdentityToken",
}
"""Actions that AWS cannot restrict to a resource, or that list a whole account:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""


def test_replication_is_s3_for_this_bucket(estate: Estate) -> None:
    """S3 cannot use this role for another bucket, of this account or any other."""
    role = trust(estate, "nhi-evidence-main-170b2e-replication")
    right = {"aws:SourceAccount": EVIDENCE, "aws:SourceArn": BUCKET}
    service = "service:s3.amazonaws.com"
    assert trusts(role, Request(service, "sts:AssumeRole", "role", right))
    for key, wrong in (("aws:SourceAccount", ARCHIVE), ("aws:SourceArn", f"{BUCKET}2")):
        context = {**right, key: wrong}
        assert not trusts(role, Request(service, "sts:AssumeRole", "role", context))
    (policy,) = documents(estate.role("nhi-evidence-main-170b2e-replication"))
    assert not actions(policy) & {"s3:ReplicateDelete", "s3:ReplicateTags", "s3:PutObject"}
