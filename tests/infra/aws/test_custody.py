"""Who may write records of cases into the evidence."""

from __future__ import annotations

from nhi_evidence.config import read
from nhi_evidence.config.aws import roles
from tests.infra.aws.conftest import EXAMPLE
from tests.infra.aws.estate import BUCKET, Estate, documents
from tests.infra.aws.iam import actions
from tests.infra.aws.test_roles import resources


def test_only_auditors_with_their_external_id_put_custody_records(
    estate: Estate,
) -> None:
    """Only under its prefix; if no auditor may, there is no role."""
    role = estate.role("nhi-evidence-main-170b2e-op-custody")
    (policy,) = documents(role)
    assert {"s3:PutObject"} == actions(policy)
    assert {f"{BUCKET}/op/v1/custody/*"} == resources(policy)
    (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    (reading,) = estate.role("nhi-evidence-main-170b2e-auditor-external").properties[
        "AssumeRolePolicyDocument"
    ]["Statement"]
    assert {**statement, "Sid": ""} == {**reading, "Sid": ""}
    plain = read(EXAMPLE)
    kinds = [kind for kind, _ in roles.operators(plain, plain.evidence.buckets[0])]
    assert "custody" not in kinds
