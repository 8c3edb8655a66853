"""The document of `doctor --json`: its form, its verdict, and its page."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nhi_evidence.checks import Check, State
from nhi_evidence.terminal import doctor_report
from nhi_evidence.terminal.doctor_report import Report

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def checks(*states: State) -> list[Check]:
    return [Check("account", f"thing {at}", state, "seen") for at, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ((State.OK, State.UNKNOWN), "well"),
        ((State.OK, State.FAILED), "not well"),
        ((State.OK, State.CHANGED), "not well"),
        ((State.UNKNOWN, State.NOT_DEPLOYED), "not well"),
        ((State.UNKNOWN,), "nothing was looked at"),
        ((), "nothing was looked at"),
    ],
)
def test_only_what_was_checked_is_ok(states: tuple[State, ...], verdict: str) -> None:
    """What could not be checked is neither ok nor wrong."""
    assert verdict == doctor_report.verdict(checks(*states))


def test_the_document_round_trips_strictly() -> None:
    """No extra field is accepted, and every state is counted, including those with none."""
    report = doctor_report.report(checks(State.OK, State.OK, State.CHANGED), "1.2.3")
    text = msgspec.json.encode(report)
    assert report == msgspec.json.decode(text, type=Report)
    plain = msgspec.json.decode(text)
    assert ("nhi-evidence/doctor/1", "1.2.3") == (plain["schema"], plain["release"])
    assert {"ok": 2, "failed": 0, "changed": 1, "not deployed": 0, "unknown": 0} == plain["states"]
    with pytest.raises(msgspec.ValidationError, match="more"):
        msgspec.json.decode(msgspec.json.encode({**plain, "more": 1}), type=Report)


def test_the_page_names_every_field_and_state() -> None:
    """docs/operations.md describes exactly this form."""
    assert f"`{doctor_report.SCHEMA}`" in PAGE
    fields = [one.name for one in msgspec.structs.fields(Report)]
    rows = PAGE[PAGE.index("`--json` prints one document") :].splitlines()
    described = [row.split("`")[1] for row in rows[:40] if row.startswith("| `")]
    assert [*fields, *(str(one) for one in State)] == described
    of_check = {one.name for one in msgspec.structs.fields(Check)}
    (row,) = [one for one in rows[:40] if one.startswith("| `checks`")]
    assert of_check == {*row.partition("with")[2].split("`")[1::2]}
