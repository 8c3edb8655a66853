"""The report: it loads nothing, shows only what records say, and works in a real browser."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path

import msgspec
import pytest

from nhi_evidence.investigate import lineage
from nhi_evidence.investigate.index import MemoryIndex, Selection, Unread
from nhi_evidence.investigate.lineage import Credential, Mint
from nhi_evidence.investigate.report import chart, words
from nhi_evidence.investigate.report.page import page
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import TITLES, Judged, Timeline, Visibility, compose
from tests import browser
from tests.investigating import HOUR, MINUTE, START, minted, used

KEY, SESSION = "AKIAIOSFODNN7EXAMPLE", "ASIAI44QH8DHBEXAMPLE"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def story() -> list[Row]:
    return [
        used(
            0, KEY, phase="Credential Validation", operation="GetCallerIdentity", ip="203.0.113.77"
        ),
        used(MINUTE, KEY, operation="ListBuckets"),
        used(2 * MINUTE, KEY, operation="GetSecretValue", phase="Secret Access", outcome="denied"),
        minted(3 * MINUTE, KEY, SESSION),
        used(
            4 * MINUTE, SESSION, operation="GetSecretValue", phase="Secret Access", provider="GCP",
            targets=(HOSTILE,), account="example-payments",
        ),
    ]  # fmt: skip


def timeline_of(
    rows: list[Row] | None = None, subject: str = KEY, unread: Unread | None = None
) -> Timeline:
    seen = Visibility(
        what="AWS, object reads", verdict="GAP", since=START, until=START + HOUR,
        reason="no data events", is_seen=False,
        step="data_access", platform="aws", is_on_record=False, cell="aws.data_access.services",
        accounts=(),
    )  # fmt: skip

    def judge(path: lineage.Path) -> Judged:
        return Judged((seen,), tuple(() for _ in path.steps))

    index = MemoryIndex(story() if rows is None else rows, unread=unread)
    selection = Selection(credentials=frozenset({KEY}))
    return compose(index, selection, subject=subject, judge=judge)


def test_nothing_is_loaded_and_the_policy_is_of_what_is_there() -> None:
    text = page(timeline_of()).decode()
    links = re.findall(r"""<[^>]+ (?:href|src|action)=["']?([^"'\s>]+)""", text)
    assert {link[0] for link in links} == {"#"}
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', text)[0])
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        body = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[0]
        digest = b64encode(sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not re.search(r"<[^>]+ style=", text), "its own policy would refuse it"


def test_text_from_records_stays_text() -> None:
    text = page(timeline_of(subject=HOSTILE)).decode()
    assert "<img" not in text
    assert "<script>alert" not in text


def test_text_from_records_turns_no_words_around() -> None:
    """Nor can it act on a terminal that the page is printed on."""
    hostile = "Create\u202eliarT\x1b[31m\u2066"
    subject = "x\u202ey"
    text = page(timeline_of([used(0, KEY, operation=hostile)], subject)).decode()
    assert not set(text) & set("\u202e\u2066\x1b")
    assert r"Create\u202eliarT\u001b[31m\u2066" in text
    assert r"<title>x\u202ey</title>" in text


def test_it_opens_with_the_verdict_of_the_terminal() -> None:
    """What could not be read has one line with its number, not one for each record."""
    unread = Unread()
    for text in ["bad.json: event_time_malformed"] * 4 + ["cut.json: malformed_json"]:
        unread.note(text)
    text = page(timeline_of(story(), unread=unread)).decode()
    first, *others = re.findall(r'<p class="status \w+">(.*?)</p>', text)
    assert first.startswith(
        "<strong>INCOMPLETE</strong>: 5 records, over 4 min 0 s, in AWS, GCP; more was"
    )
    assert [each for each in others if "not read:" in each] == [
        "not read: bad.json: event_time_malformed (4 times)",
        "not read: cut.json: malformed_json",
    ]
    assert "not everything was read: 5 objects or lines could not be read" in text
    assert "<strong>FOUND</strong>" in page(timeline_of()).decode()
    assert "<strong>NONE ON RECORD</strong>" in page(timeline_of([])).decode()


def test_gaps_have_titles_in_words() -> None:
    """Not the codes that the JSON has."""
    timeline = timeline_of()
    text = page(timeline).decode()
    assert timeline.gaps
    for gap in timeline.gaps:
        assert f">{TITLES[gap.kind]}: {gap.text}<" in text
    assert not [code for code in TITLES if "_" in code and code.replace("_", " ") in text]


def test_a_place_has_no_empty_parts() -> None:
    """A raw log has no unit."""
    assert ", , record" not in page(timeline_of()).decode()


def test_without_data_it_is_small() -> None:
    assert len(gzip.compress(page(timeline_of([])))) < 250_000


def test_an_empty_report_says_that_nothing_is_on_record() -> None:
    text = page(timeline_of([]), verify=["nhi-evidence verify ./evidence"]).decode()
    assert "What was read has no record of" in text
    assert "<td>GAP</td>" in text, "what could not have been seen matters most where nothing is"
    assert "<pre>nhi-evidence verify ./evidence</pre>" in text


def test_an_empty_report_without_a_coverage_report_says_what_that_means() -> None:
    """Absence proves nothing then, and the terminal says so as well."""
    timeline = msgspec.structs.replace(timeline_of([]), visibility=None)
    assert "may have happened without being recorded" in page(timeline).decode()


def test_the_words_are_those_of_the_records() -> None:
    sentences = list(words.story(timeline_of()))
    assert sentences[0].startswith("The first record is GetCallerIdentity (success)")
    assert "It crosses AWS, GCP." in sentences
    assert any("secret access: 2 records, 1 of them refused" in each for each in sentences)
    assert sentences[-1].endswith("4 min 0 s after the first.")


def test_colors_of_phases_stand_out_against_white() -> None:
    """WCAG 2.2, 1.4.11: a contrast of three to one."""
    for color in chart.COLORS.values():
        channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
            for each in channels
        )
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert 1.05 / (luminance + 0.05) >= (2.5 if color == chart.COLORS["Unknown"] else 3)


def test_an_even_share_of_very_many_records_is_drawn_and_that_is_stated() -> None:
    rows = [used(number, KEY) for number in range(chart.MAX_MARKS + 500)]
    text = page(timeline_of(rows)).decode()
    assert text.count("<circle") == chart.MAX_MARKS
    assert f"An even sample of {chart.MAX_MARKS}" in text


def test_accounts_with_a_common_prefix_are_distinguishable() -> None:
    """A name that does not fit shows both ends, and exists in full as a title."""
    accounts = [f"AAAA0A0A-BB1B-CC2C-DD3D-EEEEEE4E4E{end}" for end in ("4F", "5F")]
    rows = [used(at, KEY, provider="Azure", account=name) for at, name in enumerate(accounts)]
    text = page(timeline_of(rows)).decode()
    assert re.findall(r"<title>Azure (AAAA[^<]+)</title>Azure ([^<]+)</text>", text) == [
        (name, f"AAAA0A…{name[-12:]}") for name in accounts
    ]


def test_credentials_that_made_each_other_are_drawn() -> None:
    def credential(uid: str, parent: str | None) -> Credential:
        return Credential(
            uid=uid, mint=Mint.SEEN, minted_by=None, parent=parent, first=None, last=None, uses=0
        )

    drawn = "".join(chart.credentials([credential("a", "b"), credential("b", "a")]))
    assert drawn.count("<rect") == 2
    assert not list(chart.credentials([]))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(page(timeline_of(), verify=["nhi-evidence verify ./evidence --key KEY"]))
    return path


def rows_on_screen(used_page: browser.Page) -> int:
    count = used_page.js("document.querySelectorAll('#rows tbody tr:not([hidden])').length")
    return int(count)


@pytest.mark.parametrize("width", [1280, 420])
def test_in_a_browser_it_filters_by_click_and_by_keyboard_without_complaint(
    file: Path, width: int
) -> None:
    with browser.opened(file, width=width) as used_page:
        assert rows_on_screen(used_page) == 5
        used_page.js("document.querySelector('[name=text]').focus()")
        used_page.type("getsecret")
        assert rows_on_screen(used_page) == 2
        used_page.key("Tab")
        used_page.js("document.activeElement.value = 'Secret Access'")
        used_page.js("document.activeElement.dispatchEvent(new Event('input', {bubbles: true}))")
        assert rows_on_screen(used_page) == 2
        assert used_page.js("document.querySelector('output').textContent") == "2 of 5 records"
        used_page.click("a[href='#r1'] circle")
        assert used_page.js("document.activeElement.id") == "r1"
        assert rows_on_screen(used_page) == 5, "a mark leads to its record, whatever was filtered"
        overflow = used_page.js(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, "nothing is wider than the window"
        assert used_page.screenshot().startswith(b"\x89PNG")
        assert not used_page.complaints
        assert used_page.requests == [file.as_uri()]


@pytest.mark.parametrize("width", [400, 1280])
def test_names_without_a_space_do_not_widen_it(tmp_path: Path, width: int) -> None:
    """Wherever a record has them, only elements that scroll on their own exceed the window."""
    name = "subscription/" + "0123456789abcdef" * 12
    rows = [
        used(0, KEY, operation=name, provider="Azure", account=name, targets=(name,)),
        used(MINUTE, KEY, phase=name, service=name, ip=name),
    ]
    file = tmp_path / "report.html"
    file.write_bytes(page(timeline_of(rows, subject=name), verify=[f"nhi-evidence verify {name}"]))
    with browser.opened(file, width=width) as used_page:
        widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        content, window = used_page.js(widths)
        assert content <= window


def test_everything_is_there_without_scripts(file: Path) -> None:
    text = re.sub(r"<script>.*?</script>", "", file.read_text(), flags=re.DOTALL)
    assert text.count("<circle") == 5
    assert text.count('<tr id="r') == 5
