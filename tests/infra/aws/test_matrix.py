"""Who may do what, written down by hand, and the page that shows all of it."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tests.infra.aws.estate import EVIDENCE, Estate, arn
from tests.infra.aws.matrix import ACTS, PRINCIPALS, STREAMED, Principal, cell, with_matrix
from tests.infra.aws.paths import EVERYTHING, Actor, World

PAGE = Path(__file__).parents[3] / "docs" / "threat-model.md"

PUTS = (
    "put ev aws", "put ev gcp", "put ev azure", "put op", "put coverage", "put config",
    "put custody", "put log",
)  # fmt: skip
CHANGES = ("change policy", "change lifecycle", "change metrics", "change tables", "change key")
MONITORING = ("silence alarms", "stop the sealer")
LOOKS = ("read", "read newest", "list")
YES = "yes"
EXECUTION = "via the CDK's deploy role, the stacks' execution role"

EXPECTED: dict[str, dict[str, str]] = {
    "writer of aws_cloudtrail": {"put ev aws": YES},
    "writer of gcp_audit": {"put ev gcp": YES},
    "writer of azure_monitor": {"put ev azure": YES},
    "sealer": dict.fromkeys(("put log", "lock log", *LOOKS, "sign"), YES),
    "reconcile": {**dict.fromkeys(LOOKS, YES), "put op": "via op-recon"},
    # It reads back its own statements, and can neither read nor list evidence.
    "coverage": {"put config": "via op-config", "put coverage": "via op-coverage"},
    "the role that reads settings": {},
    # It announces, and never reads whether it was recorded.
    "canary": {"put coverage": "via op-coverage"},
    "the role the canary probes with": {},
    "writer of config": {"put config": YES},
    "writer of coverage": {"put coverage": YES},
    "writer of recon": {"put op": YES},
    "writer of custody": {"put custody": YES},
    "auditor": dict.fromkeys(LOOKS, YES),
    # Forwarding only sends records out: neither side of it can put, lock or sign anything.
    "the function that forwards to the subscriber": {"read": YES},
    "subscriber": {},
    # It reads the newest version of evidence, and writes nothing.
    "auditor, through Athena": {"read newest": YES},
    "replication": {},
    "exporter": {"put ev aws": "via writer-aws_cloudtrail"},
    "administrator, log archive": {
        "put ev aws": "via aws_cloudtrail-organization, writer-aws_cloudtrail"
    },
    "owner of the Google project": {"put ev gcp": "via writer-gcp_audit"},
    "owner of the Azure subscription": {"put ev azure": "via writer-azure_monitor"},
    # What IAM cannot keep from the account's own administrator, the guardrails do.
    "administrator, evidence": {
        **dict.fromkeys((*PUTS, *LOOKS, *CHANGES, *MONITORING), YES),
        "lock log": "via sealer",
        "sign": "via sealer",
    },
    # Only one role, of the administrator's choice, may hold; even with all rights it may not delete
    # or shorten anything.
    "the legal role": {
        **dict.fromkeys((*PUTS, *LOOKS, *CHANGES, *MONITORING, "hold"), YES),
        "lock log": "via sealer",
        "sign": "via sealer",
    },
    "the same, with guardrails": dict.fromkeys(LOOKS, YES),
    "root of the evidence account, with guardrails": dict.fromkeys(LOOKS, YES),
    "administrator, log archive, with guardrails": {
        "put ev aws": "via aws_cloudtrail-organization, writer-aws_cloudtrail"
    },
    # Whoever deploys can change the deployment, the guardrails' own exception.
    "deployment, with guardrails": {
        **dict.fromkeys((*LOOKS, *CHANGES, *MONITORING), EXECUTION),
        **dict.fromkeys((*PUTS, "lock log", "sign"), "beyond"),
    },
    "any other principal of that account, with guardrails": {},
    "administrator elsewhere": {},
}
"""Missing cells are denied. `beyond`: through the execution role and one more."""


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.text)
def test_each_principal_may_do_exactly_what_is_expected(estate: Estate, who: Principal) -> None:
    """Row by row, compared with an expectation independent of templates."""
    actual = {act.text: way for act in ACTS if (way := cell(estate, who, act))}
    expected = EXPECTED[who.text]
    for act, way in actual.items():
        if expected.get(act) == "beyond":
            assert way.startswith(f"{EXECUTION}, "), act
            actual[act] = "beyond"
    assert expected == actual


@pytest.mark.parametrize("who", STREAMED, ids=lambda who: who.text)
def test_roles_that_fill_source_buckets_reach_no_evidence(streamed: Estate, who: Principal) -> None:
    """They write files that an exporter reads; only the exporter puts evidence."""
    assert [] == [act.text for act in ACTS if cell(streamed, who, act)]
    exporter = next(one for one in PRINCIPALS if one.text == "exporter")
    assert "via writer-aws_cloudtrail" == cell(streamed, exporter, ACTS[0])


def test_nobody_overwrites_deletes_or_locks_evidence(estate: Estate) -> None:
    """No row of the matrix has any of these, on any path."""
    never = {"overwrite", "delete", "delete version", "lock ev", "annotate"}
    assert not [
        (who.text, act.text)
        for who in PRINCIPALS
        for act in ACTS
        if act.text in never and cell(estate, who, act)
    ]


def test_the_page_shows_the_matrix(estate: Estate, streamed: Estate) -> None:
    """docs/threat-model.md is what `python -m tests.infra.aws` writes."""
    assert with_matrix(PAGE.read_text(), estate, streamed) == PAGE.read_text()


NEEDED = {
    "nhi-evidence-main-170b2e-identities": {"Changes", "Deploying", "Assets"},
    "nhi-evidence-main-170b2e-resources": {"Deployment"},
}
"""Statements without which an administrator can become the sealer or the pipeline."""


@pytest.mark.parametrize(
    ("policy", "sid"), [(key, sid) for key in NEEDED for sid in sorted(NEEDED[key])]
)
def test_each_guardrail_statement_closes_a_path(estate: Estate, policy: str, sid: str) -> None:
    """Each statement about identities closes a separate path, which is open without it."""
    mutated = copy.deepcopy(estate)
    for resource in mutated.of("AWS::Organizations::Policy"):
        if resource.properties["Name"] == policy:
            statements = resource.properties["Content"]["Statement"]
            statements[:] = [statement for statement in statements if statement["Sid"] != sid]
    administrator = Actor(
        text="administrator", principal=arn(EVIDENCE, "administrator"), rights=EVERYTHING
    )

    def becomes(estate: Estate) -> set[str]:
        world = World(estate, guarded=True)
        return {role.text for role, way in world.reachable(administrator) if way}

    assert not becomes(estate)
    assert becomes(mutated) & {"sealer", "the stacks' execution role"}


def test_an_access_point_is_closed_twice(estate: Estate) -> None:
    """By the bucket's policy for everybody, and by the guardrails, which see the access point's
    name.
    """
    act = next(one for one in ACTS if one.within)
    who = next(one for one in PRINCIPALS if one.text == "the same, with guardrails")
    open_bucket, unbound = copy.deepcopy(estate), copy.deepcopy(estate)
    for variant in (open_bucket, unbound):
        statements = variant.bucket_policy["Statement"]
        statements[:] = [each for each in statements if each["Sid"] != "AccessPoints"]
    for control in unbound.of("AWS::Organizations::Policy"):
        for statement in control.properties["Content"]["Statement"]:
            if isinstance(statement["Resource"], list):
                points = [each for each in statement["Resource"] if "accesspoint" in each]
                statement["Resource"] = [
                    each for each in statement["Resource"] if each not in points
                ]
    assert cell(open_bucket, who, act) is None
    assert cell(unbound, who, act) == "yes"
