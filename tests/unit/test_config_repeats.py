"""A name stands in a list once, in whichever list of the file it is."""

from __future__ import annotations

import pytest

from tests.unit.test_config import changed, problems

SUBSCRIPTION = '"22222222-3333-4444-5555-666666666666"'
LISTS = {
    "azure.subscriptions": f"subscriptions = [{SUBSCRIPTION}]",
    "gcp.data_access": '    "secretmanager.googleapis.com",',
    "gcp.reconcile_projects": '# reconcile_projects = ["example-payments"]',
    "azure.resource_types": '    "Microsoft.KeyVault/vaults",',
    "auditors.principals": 'principals = ["arn:aws:iam::444455556666:role/auditor"]',
}
"""Key to a line of the example that has one name of the list."""


@pytest.mark.parametrize("key", LISTS)
def test_a_name_listed_twice_is_refused(key: str) -> None:
    """A stack would need two resources of one name; the first line is meant."""
    line = LISTS[key]
    name = line.partition('"')[2].partition('"')[0]
    twice = line.removeprefix("# ").replace(f'"{name}"', f'"{name}", "{name}"')
    (problem,) = problems(changed((line, twice)))
    assert (key, f'"{name}" is listed twice: remove one') == (problem.key, problem.text)
