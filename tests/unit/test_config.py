"""The configuration file: the example is valid, and each kind of fault names its line and fix."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence import config
from nhi_evidence.config import naming
from nhi_evidence.config.locate import lines

EXAMPLE = (Path(__file__).parents[2] / "nhi-evidence.example.toml").read_text()
BUCKET = "[[evidence.buckets]]\n"


def problems(text: str) -> tuple[config.Problem, ...]:
    with pytest.raises(config.ConfigError) as caught:
        config.read(text, "nhi-evidence.toml")
    return caught.value.problems


def changed(*changes: tuple[str, str]) -> str:
    """Return the example with each text replaced once; a missing text is an error."""
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_the_example_holds() -> None:
    """The documented example is a configuration, with the profile applied."""
    read = config.read(EXAMPLE)
    bucket = read.bucket("main")
    assert (True, 1, 1) == (read.trial, bucket.retention_days, bucket.grace_days)
    assert ["aws_cloudtrail", "gcp_audit", "azure_monitor"] == [
        one.source for one in read.sources_in("main")
    ]
    assert "111122223333" == read.log_archive.account
    assert "organization-trail-111122223333" == read.trail("organization").bucket


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        ("", None),  # the example is a trial
        ("retention_days = 30\n", None),
        ("retention_days = 119\nconfirm_compliance_days = 119\n", None),
        ("retention_days = 120\nconfirm_compliance_days = 120\n", 30),
        ("retention_days = 400\nconfirm_compliance_days = 400\n", 30),
        ("retention_days = 400\nconfirm_compliance_days = 400\narchive_after_days = 310\n", 310),
        ("retention_days = 400\nconfirm_compliance_days = 400\narchive_after_days = 0\n", None),
    ],
)
def test_evidence_is_archived_where_it_pays(keys: str, after: int | None) -> None:
    """It is archived after 30 days if R exceeds that by the class's minimum of 90, never for a
    trial.
    """
    changes = [("log = ", f"{keys}log = ")] if keys else []
    text = changed(*changes, *([('profile = "trial"', "")] if keys else []))
    assert after == config.read(text).bucket("main").archive_after_days


def test_every_commented_key_of_the_example_is_known() -> None:
    """Every key the example offers in comments is accepted when uncommented."""
    uncommented = []
    for line in EXAMPLE.splitlines():
        bare = line.removeprefix("# ")
        named = bare.split(" = ")[0]
        is_key = line.startswith("# ") and " = " in bare and named.replace("_", "").isalpha()
        is_table = line.startswith("# [")
        uncommented.append(bare if is_key or is_table else line)
    text = "\n".join(uncommented).replace('profile = "trial"\n', "")
    assert text.count("\n# ") < EXAMPLE.count("\n# ") - 15
    reported = problems(text)
    assert ['"..." is not the name of a source; for example source = "aws_cloudtrail"'] == [
        one.text for one in reported
    ]
    read = config.read(
        text.replace('source = "..."', 'source = "aws_cloudtrail"').replace(
            'data_events = ["AWS::S3::Object"]', ""
        )
    )
    assert (400, 30) == (read.bucket("main").retention_days, read.bucket("main").grace_days)
    assert read.guardrails is not None


SHAPE = {
    "unknown key": (
        ("mfa = false", "mfa = false\nmfaa = false"),
        "auditors.mfaa",
        "unknown key; did you mean mfa?",
    ),
    "unknown key like none": (
        ('id = "o-exampleorg1"', 'id = "o-exampleorg1"\nzzz = 1'),
        "organization.zzz",
        "unknown key; known here: id, management_account",
    ),
    "unknown table": (("[gcp]", "[gpc]"), "gpc", "unknown key; did you mean gcp?"),
    "number for a text": (
        ('account = "111122223333"', "account = 111122223333"),
        "log_archive.account",
        (
            "111122223333 (a number) is not an AWS account id: 12 digits, in quotes; "
            'for example account = "222233334444"'
        ),
    ),
    "text for a number": (
        ("monthly_budget_usd = 200", 'monthly_budget_usd = "200"'),
        "alarms.monthly_budget_usd",
        '"200" is not a whole number of US dollars; for example monthly_budget_usd = 200',
    ),
    "text for a truth": (
        ("keep_out_of_scope_raw = true", 'keep_out_of_scope_raw = "yes"'),
        "sources.keep_out_of_scope_raw",
        '"yes" is not true or false, without quotes; for example keep_out_of_scope_raw = true',
    ),
    "value out of form": (
        ("o-exampleorg1", "example"),
        "organization.id",
        (
            '"example" is not the id of an AWS organization (aws organizations '
            'describe-organization); for example id = "o-exampleorg1"'
        ),
    ),
    "value not offered": (
        ('signer = "ed25519"', 'signer = "rsa"'),
        "evidence.signer",
        '"rsa" is not one of "ed25519", "p256"; for example signer = "ed25519"',
    ),
    "value out of bounds": (
        ('profile = "trial"', ""),
        "evidence.buckets.retention_days",
        "0 (a number) is not a whole number of days, 1 to 36500; for example retention_days = 365",
    ),
    "wildcard principal": (
        ("444455556666:role/auditor", "444455556666:root"),
        "auditors.principals",
        (
            '"arn:aws:iam::444455556666:root" is not the ARN of one IAM role or user: no account '
            "as a whole, no wildcard; for example "
            'principals = ["arn:aws:iam::444455556666:role/auditor"]'
        ),
    ),
    "text for a list": (
        ('["arn:aws:iam::444455556666:role/auditor"]', '"arn:aws:iam::444455556666:role/auditor"'),
        "auditors.principals",
        'is a text, not a list: write principals = ["arn:aws:iam::444455556666:role/auditor"]',
    ),
    "value for a table": (
        ('[log_archive]\naccount = "111122223333"', ""),
        "log_archive",
        "is a text, not a table: write [log_archive]",
    ),
    "table for a list": (
        ("[[auditors]]", "[auditors]"),
        "auditors",
        "is a table, not a list: write [[auditors]]",
    ),
    "missing value": (
        ('location = "westeurope"', ""),
        "azure",
        (
            'location is missing: add under [azure] location = "europe-west1" '
            "(a location of the provider)"
        ),
    ),
    "missing list": (
        ('subscriptions = ["22222222-3333-4444-5555-666666666666"]', ""),
        "azure",
        (
            "subscriptions is missing: add under [azure] subscriptions = "
            '["11111111-2222-3333-4444-555555555555"] (a UUID in lower case)'
        ),
    ),
    "missing table": (
        ('[organization]\nid = "o-exampleorg1" ', ""),
        "",
        "organization is missing: add the table [organization]",
    ),
}
"""Kind of fault to the change of the example, the place, and the message."""

EXTRA = {
    "value out of bounds": (BUCKET, BUCKET + "retention_days = 0\n"),
    "value for a table": ('profile = "trial"', 'profile = "trial"\nlog_archive = "111122223333"'),
}


@pytest.mark.parametrize("kind", SHAPE)
def test_misspelled_or_mistyped_keys_are_reported(kind: str) -> None:
    """Each is one problem at its line, with what to write instead."""
    change, key, message = SHAPE[kind]
    text = changed(change, *([EXTRA[kind]] if kind in EXTRA else []))
    reported = problems(text)
    assert [(key, message)] == [(one.key, one.text) for one in reported]
    named = key.rpartition(".")[2]
    assert named in text.splitlines()[reported[0].line - 1] or not named


def test_all_problems_are_reported_at_once() -> None:
    """All problems are listed in the order of the file."""
    text = changed(
        ("o-exampleorg1", "x"), ("[[auditors]]", "[[auditor]]"), ("mfa = false", "mfa = 0")
    )
    reported = problems(text)
    assert ["organization.id", "auditor"] == [one.key for one in reported]
    assert sorted(one.line for one in reported) == [one.line for one in reported]
    text = changed(('account = "222233334444"', 'account = "111122223333"'), ("email", "# email"))
    assert ["evidence.account", "alarms"] == [one.key for one in problems(text)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[organization\n", 1, "is not TOML: expected ']'"),
        ('a = 1\nb = "x\n', 2, "is not TOML: "),
        ("a = 1\na = 2\n", 2, "is not TOML: cannot overwrite a value"),
        ("a = 1\nb = ", 2, "is not TOML: invalid value"),
    ],
)
def test_invalid_toml_is_reported_with_its_line(text: str, line: int, message: str) -> None:
    """Syntax errors are named with their line, too."""
    (problem,) = problems(text)
    assert (line, "") == (problem.line, problem.key)
    assert problem.text.startswith(message)
    assert str(problem).startswith(f"nhi-evidence.toml:{line}: is not TOML")


DOCUMENT = '''
# [not.a.table]
"quoted key".'x' = """
text = "no key"
[no.table] \\""" still"""
title = 'a # no comment' # a comment = here
[a.b]
list = [ # one
  1, 'two', [ "x" ],
  { k = "}", l = { m = [1] } }, # three
]
date = 1979-05-27T07:32:00Z
lit = \'\'\'
[[c]]
\'\'\'
inline = { p.q = 1, r = [] }
[[c]]
n = 1
[[c.d]]
[[c]]
n = 2
[c.e]
f = true
[[c.d]]
g = 1.5
'''


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_numbers_are_known_for_everything_in_toml(newline: str) -> None:
    """Every table, key and element that tomllib reads has its line number."""
    text = DOCUMENT.replace("\n", newline)
    places = lines(text)

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        assert path in places
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                walk(inner, (*path, at))

    walk(tomllib.loads(text), ())
    named = {
        ("quoted key", "x"): 3, ("title",): 6, ("a", "b"): 7, ("a", "b", "list", 1): 9,
        ("a", "b", "list", 2, 0): 9, ("a", "b", "list", 3, "l", "m", 0): 10, ("a", "b", "date"): 12,
        ("a", "b", "inline", "p", "q"): 16, ("c", 0, "n"): 18, ("c", 0, "d", 0): 19,
        ("c", 1, "n"): 21, ("c", 1, "e", "f"): 23, ("c", 1, "d", 0, "g"): 25,
    }  # fmt: skip
    assert named == {path: places[path] for path in named}


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
    ],
)
def test_every_partition_can_be_configured(region: str, partition: str) -> None:
    """All regions and ARNs belong to one partition, whichever it is."""
    text = EXAMPLE.replace("eu-central-1", region).replace("arn:aws:", f"arn:{partition}:")
    read = config.read(text)
    assert region == read.bucket("main").region
    arn = naming.role_arn(region, read.evidence.account, "x")
    assert arn.startswith(f"arn:{partition}:iam:")


@pytest.mark.parametrize("name", ["365", "evidence", "example.org", "org/evidence", "example.org/"])
def test_a_log_is_named_by_a_domain_and_a_path(name: str) -> None:
    """A name is never reused, so a typo is refused before anything is signed."""
    (problem,) = problems(changed(('log = "example.org/evidence"', f'log = "{name}"')))
    assert "evidence.buckets.log" == problem.key
    assert "a domain of yours and a path" in str(problem)
