"""A name stands in a list once, in whichever list of the file it is."""

from __future__ import annotations

import pytest

from tests.unit.test_config import changed, problems

LISTS = {
    "gcp.data_access": '    "secretmanager.googleapis.com",',
    "alarms.topics": '# topics = ["arn:aws:sns:eu-central-1:111122223333:alarms"]',
}
"""Key to a line of the example that has one name of the list; others: test_config_values.py."""


@pytest.mark.parametrize("key", LISTS)
def test_a_name_listed_twice_is_refused(key: str) -> None:
    """A stack would need two resources of one name; the first line is meant."""
    line = LISTS[key]
    name = line.partition('"')[2].partition('"')[0]
    twice = line.removeprefix("# ").replace(f'"{name}"', f'"{name}", "{name}"')
    (problem,) = problems(changed((line, twice)))
    assert (key, f'"{name}" is listed twice: remove one') == (problem.key, problem.text)
