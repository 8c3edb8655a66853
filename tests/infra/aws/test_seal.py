"""The signing key, the sealer, and the count of every signature."""

from __future__ import annotations

import json

import pytest

from tests.infra.aws.estate import EVIDENCE, Estate, Resource, arn, documents
from tests.infra.aws.iam import Request, allows

SEALER = arn(EVIDENCE, "nhi-evidence-main-170b2e-sealer")
ADMINISTRATOR = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
SIGNING = {"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW"}


COSIGNING = {"kms:SigningAlgorithm": "ML_DSA_SHAKE_256", "kms:MessageType": "RAW"}


def may(estate: Estate, principal: str, action: str, **context: str) -> bool:
    """Return whether a principal may, on the signing key, with every permission its account can
    give.
    """
    return may_with(estate.signing_keys[0], principal, action, **context)


def may_cosign(estate: Estate, principal: str, action: str, **context: str) -> bool:
    """The same for the cosigning key."""
    return may_with(estate.signing_keys[1], principal, action, **context)


def may_with(key: Resource, principal: str, action: str, **context: str) -> bool:
    return allows(
        Request(principal, action, "key", context),
        identity=ADMINISTRATOR,
        resource=[key.properties["KeyPolicy"]],
        owner=EVIDENCE,
        resource_must_allow=True,
    )


def test_the_key_signs_with_ed25519_and_is_kept(estate: Estate) -> None:
    """It has the configured spec and the longest deletion window, and outlives its stack."""
    key, _ = estate.signing_keys
    assert ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", 30) == (
        key.properties["KeySpec"],
        key.properties["KeyUsage"],
        key.properties["PendingWindowInDays"],
    )
    assert "RetainExceptOnCreate" == key.definition["DeletionPolicy"]


def test_a_post_quantum_key_cosigns(estate: Estate) -> None:
    """It is an ML-DSA-44 key, retained like the first; both are used, each under its own alias."""
    signer, cosigner = estate.signing_keys
    assert ("ML_DSA_44", "SIGN_VERIFY", 30) == (
        cosigner.properties["KeySpec"],
        cosigner.properties["KeyUsage"],
        cosigner.properties["PendingWindowInDays"],
    )
    assert "RetainExceptOnCreate" == cosigner.definition["DeletionPolicy"]
    aliases = {one.properties["AliasName"] for one in estate.of("AWS::KMS::Alias")}
    assert {"alias/nhi-evidence-main-170b2e", "alias/nhi-evidence-main-170b2e-cosigner"} == aliases
    (sealer,) = [
        one.properties["Environment"]["Variables"]
        for one in estate.of("AWS::Lambda::Function")
        if one.properties.get("FunctionName") == "nhi-evidence-main-170b2e-sealer"
    ]
    arns = [f"arn:{signer.id}", f"arn:{cosigner.id}"]
    assert arns == json.loads(sealer["NHI_EVIDENCE_SIGNING_KEYS"])
    (policy,) = documents(estate.role("nhi-evidence-main-170b2e-sealer"))
    (sign,) = [one for one in policy["Statement"] if one["Sid"] == "Sign"]
    assert arns == sign["Resource"]


def test_nobody_but_the_sealer_cosigns(estate: Estate) -> None:
    """With its one algorithm; except for that, both keys have the same policy."""
    assert may_cosign(estate, SEALER, "kms:Sign", **COSIGNING)
    assert not may_cosign(estate, SEALER, "kms:Sign", **SIGNING)
    for other in (arn(EVIDENCE, "administrator"), f"arn:aws:iam::{EVIDENCE}:root"):
        assert not may_cosign(estate, other, "kms:Sign", **COSIGNING), other
        assert not may_cosign(estate, other, "kms:CreateGrant"), other
    first, second = (json.dumps(one.properties["KeyPolicy"]) for one in estate.signing_keys)
    assert first.replace("ED25519_SHA_512", "ML_DSA_SHAKE_256") == second


def test_only_the_sealer_signs(estate: Estate) -> None:
    """With the log's one algorithm; no administrator, auditor or outsider may."""
    assert may(estate, SEALER, "kms:Sign", **SIGNING)
    assert not may(estate, SEALER, "kms:Sign", **{**SIGNING, "kms:MessageType": "DIGEST"})
    assert not may(
        estate, SEALER, "kms:Sign", **{**SIGNING, "kms:SigningAlgorithm": "ED25519_PH_SHA_512"}
    )
    for other in (
        arn(EVIDENCE, "administrator"),
        f"arn:aws:iam::{EVIDENCE}:root",
        arn(EVIDENCE, "nhi-evidence-main-170b2e-auditor-external"),
        arn("666677778888", "nhi-evidence-main-170b2e-sealer"),
    ):
        assert not may(estate, other, "kms:Sign", **SIGNING), other


def test_nobody_can_create_a_grant_for_the_key(estate: Estate) -> None:
    """A grant would bypass the policy, so not even the account's root may create one."""
    for principal in (SEALER, arn(EVIDENCE, "administrator"), f"arn:aws:iam::{EVIDENCE}:root"):
        assert not may(estate, principal, "kms:CreateGrant")


def test_an_auditor_gets_the_public_half(estate: Estate) -> None:
    """Both the role's policy and the key's allow it."""
    name = "nhi-evidence-main-170b2e-auditor-external"
    (policy,) = documents(estate.role(name))
    for action, expected in (("kms:GetPublicKey", True), ("kms:ScheduleKeyDeletion", False)):
        request = Request(arn(EVIDENCE, name), action, f"arn:aws:kms:eu-central-1:{EVIDENCE}:key/k")
        key = {"Statement": [{**one, "Resource": "*"} for one in estate.key_policy["Statement"]]}
        assert expected == allows(
            request, identity=[policy], resource=[key], owner=EVIDENCE, resource_must_allow=True
        )


@pytest.mark.parametrize(
    ("function", "rate"),
    [
        ("sealer", "rate(5 minutes)"),
        ("reconcile", "rate(1 hour)"),
        ("coverage", "rate(1 hour)"),
        ("canary", "rate(1 hour)"),
    ],
)
def test_a_function_runs_on_schedule_and_is_not_retried(
    estate: Estate, function: str, rate: str
) -> None:
    """As in its deploy.toml; a failed run is not retried but followed by the next."""
    (rule,) = (
        one
        for one in estate.of("AWS::Events::Rule")
        if one.properties.get("Name") == f"nhi-evidence-main-170b2e-{function}-clock"
    )
    clock = rule.properties
    assert (rate, "ENABLED") == (clock["ScheduleExpression"], clock["State"])
    (target,) = clock["Targets"]
    assert {"MaximumRetryAttempts": 0} == target["RetryPolicy"]
    (once,) = (
        one for one in estate.of("AWS::Lambda::EventInvokeConfig") if one.stack == rule.stack
    )
    assert 0 == once.properties["MaximumRetryAttempts"]
    (permission,) = (
        one.properties for one in estate.of("AWS::Lambda::Permission") if one.stack == rule.stack
    )
    assert "events.amazonaws.com" == permission["Principal"]
    assert f"arn:{rule.id}" in permission["SourceArn"]


def test_aws_logs_every_signature(estate: Estate) -> None:
    """Signatures with either key reach a log group, even if marked read-only, and are counted in
    two metrics.

    The sealer's own count also covers both keys: an alarm compares the sums.
    """
    rule = next(
        one.properties for one in estate.of("AWS::Events::Rule") if "EventPattern" in one.properties
    )
    assert "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" == rule["State"]
    assert ["Sign"] == rule["EventPattern"]["detail"]["eventName"]
    assert rule["EventPattern"]["detail"]["resources"]["ARN"] == [
        f"arn:{one.id}" for one in estate.signing_keys
    ]
    filters = {
        one.properties["MetricTransformations"][0]["MetricName"]: one.properties["FilterPattern"]
        for one in estate.of("AWS::Logs::MetricFilter")
    }
    strangers = filters["nhi-evidence-main-170b2e-kms-signatures-by-others"]
    assert f'!= "{SEALER}"' in strangers
    assert "NOT EXISTS" in strangers
    assert "nhi-evidence-main-170b2e-kms-signatures" in filters


@pytest.mark.parametrize(
    "name", ["nhi-evidence-main-170b2e-sealer", "nhi-evidence-main-170b2e-aws_cloudtrail"]
)
def test_functions_are_python_313_on_arm(estate: Estate, name: str) -> None:
    """As in deploy.toml, from a staged bundle, with a log group kept for a year."""
    for function in estate.of("AWS::Lambda::Function"):
        if function.properties.get("FunctionName", "").startswith(name):
            assert ("python3.13", ["arm64"]) == (
                function.properties["Runtime"],
                function.properties["Architectures"],
            )
            assert "S3Key" in function.properties["Code"]
    groups = {
        one.properties["LogGroupName"]: one.properties["RetentionInDays"]
        for one in estate.of("AWS::Logs::LogGroup")
    }
    assert {365} == set(groups.values())
    assert any(name in one for one in groups)


def test_no_secret_and_no_access_key_anywhere(estate: Estate) -> None:
    """Everything is a role: no template creates a user, an access key or a password."""
    kinds = {one.kind for one in estate.resources}
    assert not kinds & {"AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::SecretsManager::Secret"}
    assert "SecretString" not in json.dumps(estate.templates)
