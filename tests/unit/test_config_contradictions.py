"""Configurations whose values contradict each other: each is named, with the fix."""

from __future__ import annotations

import pytest

from tests.unit.test_config import BUCKET, EXAMPLE, changed, problems

MANAGED = ("# management_account", "management_account")

FILES = """[[sources]]
source = "aws_cloudtrail"
evidence = "main"
keep_out_of_scope_raw = true
files = {{account = "111122223333", bucket = "other-logs", region = "eu-central-1", prefix = "{}"}}

"""
CANARIES = '[[canaries]]\nevidence = "main"\n'
ELSEWHERE = '[[canaries]]\nevidence = "other"\n'
CONTRADICTIONS = {
    "no retention": (
        [('profile = "trial"\n', "")],
        "evidence.buckets",
        "retention_days is missing and has no default",
    ),
    "trial with a retention": (
        [(BUCKET, BUCKET + "retention_days = 3\n")],
        "evidence.buckets.retention_days",
        'contradicts profile = "trial"',
    ),
    "long lock unconfirmed": (
        [('profile = "trial"\n', ""), (BUCKET, BUCKET + "retention_days = 31\n")],
        "evidence.buckets.retention_days",
        "write confirm_compliance_days = 31 next to it if that is intended",
    ),
    "long lock confirmed as another": (
        [
            ('profile = "trial"\n', ""),
            (BUCKET, BUCKET + "retention_days = 3650\nconfirm_compliance_days = 365\n"),
        ],
        "evidence.buckets.confirm_compliance_days",
        "is 365, but retention_days is 3650",
    ),
    "archive after the lock": (
        [(BUCKET, BUCKET + "archive_after_days = 1\n")],
        "evidence.buckets.archive_after_days",
        "is 1, less than 90 days before the lock ends after 1",
    ),
    "evidence beside the logs": (
        [('account = "222233334444"', 'account = "111122223333"')],
        "evidence.account",
        "is also the log-archive account",
    ),
    "evidence in the management account": (
        [('id = "o-exampleorg1"', 'id = "o-exampleorg1"\nmanagement_account = "222233334444"')],
        "evidence.account",
        "is the organization's management account",
    ),
    "answers among the evidence": (
        [(
            "# Where CloudTrail",
            ('[evidence.buckets.athena]\nresults = "nhi-evidence-222233334444"\n'
             'since = "2026-01-01"\ngigabytes_a_query = 1\n\n# Where CloudTrail'),
        )],
        "evidence.buckets.athena.results",
        "holds evidence: name a bucket of its own",
    ),
    "a day that is none": (
        [(
            "# Where CloudTrail",
            ('[evidence.buckets.athena]\nresults = "answers"\n'
             'since = "2026-02-31"\ngigabytes_a_query = 1\n\n# Where CloudTrail'),
        )],
        "evidence.buckets.athena.since",
        "is 2026-02-31, which is not a calendar day",
    ),
    "replica in the same account": (
        [(
            "# Where CloudTrail",
            ('[evidence.buckets.replica]\naccount = "222233334444"\nregion = "eu-west-1"\n'
            'bucket = "replica"\n# Where CloudTrail'),
        )],
        "evidence.buckets.replica.account",
        "is the evidence account",
    ),
    "replica in the same region": (
        [(
            "# Where CloudTrail",
            ('[evidence.buckets.replica]\naccount = "555566667777"\nregion = "eu-central-1"\n'
            'bucket = "replica"\n# Where CloudTrail'),
        )],
        "evidence.buckets.replica.region",
        "is the bucket's own region",
    ),
    "replica in an evidence bucket": (
        [(
            "# Where CloudTrail",
            ('[evidence.buckets.replica]\naccount = "555566667777"\nregion = "eu-west-1"\n'
            'bucket = "nhi-evidence-222233334444"\n# Where CloudTrail'),
        )],
        "evidence.buckets.replica.bucket",
        "is an evidence bucket: name another",
    ),
    "one log for two buckets": (
        [(
            BUCKET,
            BUCKET + 'name = "us"\nbucket = "nhi-evidence-us"\nregion = "us-east-1"\n'
            f'log = "example.org/evidence"\n{BUCKET}',
        )],
        "evidence.buckets.log",
        '"example.org/evidence" is taken by entry 1',
    ),
    "unknown evidence bucket": (
        [('evidence = "main"', 'evidence = "elsewhere"')],
        "sources.evidence",
        '"elsewhere" is not an evidence bucket; there are: main',
    ),
    "unknown trail, and one unused": (
        [('trail = "organization"', "")],
        "trails.name",
        'no source uses the trail "organization"',
    ),
    "unknown source": (
        [('source = "aws_cloudtrail"', 'source = "aws_cloudtrial"')],
        "sources.source",
        '"aws_cloudtrial" is not a source; there are: ',
    ),
    "two origins": (
        [(
            'trail = "organization"',
            ('trail = "organization"\n'
            'files = { account = "111122223333", bucket = "other", region = "us-east-1" }'),
        )],
        "sources.files",
        "contradicts trail",
    ),
    "origin of another cloud": (
        [('source = "gcp_audit"', 'source = "gcp_audit"\ntrail = "organization"')],
        "sources.trail",
        "is for AWS; gcp_audit comes from [gcp]",
    ),
    "window of a cloud that has none": (
        [('source = "gcp_audit"', 'source = "gcp_audit"\nbatch_window_seconds = 60')],
        "sources.batch_window_seconds",
        "is for AWS; gcp_audit comes from [gcp]",
    ),
    "cloud without its table": (
        [(EXAMPLE[EXAMPLE.index("[gcp]") : EXAMPLE.index("[azure]")], "")],
        "sources.source",
        '"gcp_audit" needs the table [gcp]',
    ),
    "table without its source": (
        [
            (
                (
                    '[[sources]]\nsource = "azure_monitor"\nevidence = "main"\n'
                    "keep_out_of_scope_raw = true\n"
                ),
                "",
            )
        ],
        "azure",
        'no source uses it: add [[sources]] with source = "azure_monitor"',
    ),
    "source twice": (
        [('source = "azure_monitor"', 'source = "gcp_audit"')],
        "sources",
        "repeats entry 2",
    ),
    "data events of an existing trail": (
        [('kind = "existing"', 'kind = "existing"\ndata_events = []')],
        "trails.data_events",
        "is for new trails",
    ),
    "data events not chosen": (
        [MANAGED, ('kind = "existing"', 'kind = "new"')],
        "trails",
        "data_events is missing and has no default, since each event costs",
    ),
    "new trail of nobody": (
        [('kind = "existing"', 'kind = "new"\ndata_events = []')],
        "trails.kind",
        "add management_account under [organization]",
    ),
    "topic of a new trail": (
        [
            MANAGED,
            (
                'kind = "existing"',
                'kind = "new"\ndata_events = []\ntopic = "arn:aws:sns:us-east-1:111122223333:t"',
            ),
        ],
        "trails.topic",
        "is for existing trails",
    ),
    "alarms to nobody": ([('email = "security@example.org"', "")], "alarms", "reaches nobody"),
    "MFA of a federated auditor": (
        [
            (
                "role/auditor",
                "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_0123456789abcdef",
            ),
            ("mfa = false", "mfa = true"),
        ],
        "auditors.principals",
        "is federated and never has MFA",
    ),
    "guardrails without a management account": (
        [(
            "[alarms]",
            ('[guardrails]\ntargets = ["ou-abcd-11111111"]\n'
            'pipeline_roles = ["arn:aws:iam::222233334444:role/execution"]\n'
            'pipeline_principals = ["arn:aws:iam::123456789012:role/deployment"]\n[alarms]'),
        )],
        "guardrails",
        "add management_account under [organization]",
    ),
    "settings of the evidence account": (
        [("[alarms]", '[coverage]\naccounts = ["222233334444"]\n[alarms]')],
        "coverage.accounts",
        "is the evidence account",
    ),
    "an account whose settings are read twice": (
        [("[alarms]", '[coverage]\naccounts = ["333344445555", "333344445555"]\n[alarms]')],
        "coverage.accounts",
        "is listed twice",
    ),
    "no account whose settings are read": (
        [("[alarms]", "[coverage]\naccounts = []\n[alarms]")],
        "coverage.accounts",
        "is empty",
    ),
    "a canary in the evidence account": (
        [("[alarms]", f'{CANARIES}accounts = ["222233334444"]\n[alarms]')],
        "canaries.accounts",
        "is the evidence account",
    ),
    "two canaries in one account": (
        [("[alarms]", f'{CANARIES}accounts = ["333344445555", "333344445555"]\n[alarms]')],
        "canaries.accounts",
        "is listed twice",
    ),
    "canaries of one bucket in two places": (
        [(
            "[alarms]",
            (f'{CANARIES}accounts = ["333344445555"]\n'
            f'{CANARIES}accounts = ["999988887777"]\n[alarms]'),
        )],
        "canaries.evidence",
        "already has canaries in entry 1",
    ),
    "canaries of no bucket": (
        [("[alarms]", f'{ELSEWHERE}accounts = ["333344445555"]\n[alarms]')],
        "canaries.evidence",
        "is not an evidence bucket",
    ),
    "canaries of nobody": (
        [("[alarms]", f"{CANARIES}accounts = []\n[alarms]")],
        "canaries",
        "is empty: name accounts, google or entra",
    ),
    "a canary of Entra without its logs": (
        [
            ("[alarms]", f"{CANARIES}entra = {{}}\n[alarms]"),
            ("# entra = true", "entra = false"),
        ],
        "canaries.entra",
        "needs the tenant's own logs",
    ),
    "region of no partition": (
        [('region = "eu-central-1"\nlog', 'region = "xx-central-1"\nlog')],
        "evidence.buckets.region",
        "is in no known AWS partition",
    ),
    "region of another partition": (
        [('region = "eu-central-1"\n# prefix', 'region = "us-gov-west-1"\n# prefix')],
        "trails.region",
        "is in aws-us-gov, but the evidence is in aws",
    ),
    "principal of another partition": (
        [("arn:aws:iam::444455556666", "arn:aws-cn:iam::444455556666")],
        "auditors.principals",
        "is not in the evidence's partition: it must begin with arn:aws:",
    ),
    "logs and evidence in one bucket": (
        [('bucket = "organization-trail-111122223333"', 'bucket = "nhi-evidence-222233334444"')],
        "trails.bucket",
        "is an evidence bucket: what is delivered and what is kept must not share one",
    ),
    "prefix with CloudTrail's own folder": (
        [('# prefix = "cloudtrail/"', 'prefix = "cloudtrail/AWSLogs/"')],
        "trails.prefix",
        "contains AWSLogs/, which CloudTrail adds itself",
    ),
    "prefix with an empty folder": (
        [('# prefix = "cloudtrail/"', 'prefix = "cloudtrail//"')],
        "trails.prefix",
        "has an empty folder",
    ),
    "prefix as a pattern": (
        [('# prefix = "cloudtrail/"', 'prefix = "cloud*/"')],
        "trails.prefix",
        "not a pattern",
    ),
    "prefixes that overlap": (
        [
            ("[gcp]", FILES.format("x/y/") + "[gcp]"),
            ("[azure]", FILES.format("x/") + "[azure]"),
        ],
        "sources.files.prefix",
        'overlaps "x/y/" of sources entry 4 in the same bucket',
    ),
    "key of another region": (
        [("# kms_key = \"arn:aws:kms:eu-central-1", "kms_key = \"arn:aws:kms:eu-west-1")],
        "trails.kms_key",
        "is in eu-west-1, but the bucket is in eu-central-1: S3 only encrypts with keys in",
    ),
    "topic of another region": (
        [("# topic = \"arn:aws:sns:eu-central-1", "topic = \"arn:aws:sns:eu-west-1")],
        "trails.topic",
        "is in eu-west-1, but the bucket is in eu-central-1: S3 only notifies topics in",
    ),
    "alarm topic where no alarm is": (
        [("# topics = [\"arn:aws:sns:eu-central-1", "topics = [\"arn:aws:sns:eu-west-1")],
        "alarms.topics",
        "is in eu-west-1, which has no alarms; alarms are in: eu-central-1",
    ),
    "empty list": (
        [('["arn:aws:iam::444455556666:role/auditor"]', "[]")],
        "auditors.principals",
        "is empty: at least one is needed",
    ),
}  # fmt: skip
"""Contradiction to the change of the example, the place, and the start of the message."""

TWO_BY_NATURE = {"unknown source": 1, "two origins": 1, "unknown trail, and one unused": 2}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_contradiction(kind: str) -> None:
    """Contradictory values are named with the fix."""
    changes, key, message = CONTRADICTIONS[kind]
    text = changed(*changes)
    if kind == "source twice":
        text = text.replace(text[text.index("[azure]") : text.index("# Who may")], "")
    reported = problems(text)
    assert TWO_BY_NATURE.get(kind, 1) == len(reported), reported
    problem = next(one for one in reported if one.key == key)
    assert message in problem.text
    assert key.rpartition(".")[2] in text.splitlines()[problem.line - 1]
