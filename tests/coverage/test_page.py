"""The page: self-contained, usable by keyboard, printable, and tested in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path

import msgspec
import pytest

from nhi_evidence.coverage.answers import Answer
from nhi_evidence.coverage.controls import features, support
from nhi_evidence.coverage.matrix import Matrix, matrix
from nhi_evidence.coverage.page import LETTERS, instant, page
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate.edits import added
from tests.browser import opened

MATRIX = matrix(estate.readings(1_772_438_400_000))


def test_nothing_is_loaded_from_anywhere() -> None:
    """Addresses are only within the page; its own policy forbids every other."""
    text = page(MATRIX, support(MATRIX)).decode()
    links = re.findall(r"""(?:href|src|action)=["']?([^"'\s>]+)""", text)
    assert {link[0] for link in links} == {"#"}
    assert "@import" not in text
    assert "url(" not in text
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', text)[0])
    assert policy.startswith("default-src 'none'; ")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        body = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[0]
        digest = b64encode(sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_text_from_answers_turns_no_words_around() -> None:
    """A name of a cluster, an account that is not read and a control: all are shown as escapes."""
    hostile = "x\u202ey\x1b[31m\u2066"
    cluster = Answer(
        call="eks:ListClusters", scope="111122223333/eu-west-1", answer={"clusters": [hostile]}
    )
    judged = matrix([added(cluster)(estate.reading("aws", 0))])
    judged = msgspec.structs.replace(judged, not_read=(*judged.not_read, hostile))
    every = [msgspec.structs.replace(one, note=hostile) for one in support(judged)]
    text = page(judged, every).decode()
    assert not set(text) & set("\u202e\u2066\x1b")
    escaped = r"x\u202ey\u001b[31m\u2066"
    assert f"{escaped}." in text
    assert f"<em>{escaped}</em>" in text


def test_every_cell_is_on_the_page_with_its_fix() -> None:
    text = page(MATRIX).decode()
    for cell in MATRIX.cells:
        assert f'id="{cell.cell}"' in text
        assert f'href="#{cell.cell}"' in text
    marks = re.findall(r'<a class="mark (\w+)" [^>]*>(\w)</a>', text)
    assert len(marks) == len(MATRIX.cells)
    assert {(LETTERS[Verdict(verdict)]) for verdict, _ in marks} == {letter for _, letter in marks}


def test_text_from_answers_is_never_markup() -> None:
    name = "<script>alert(1)</script>"
    cluster = Answer(
        call="eks:ListClusters", scope="111122223333/eu-west-1", answer={"clusters": [name]}
    )
    reading = added(cluster)(estate.reading("aws", 0))
    text = page(matrix([reading])).decode()
    assert name not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_times_outside_the_calendar_are_numbers() -> None:
    assert instant(0) == "1970-01-01 00:00:00Z"
    assert instant(10**18) == f"{10**18} ms"


def _browser() -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("allowance:chromium is not installed")
    return program


def _look(tmp_path: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "coverage.html"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [
            _browser(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=2000",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr",
            "--v=0",
            *options,
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,  # hung, however busy the machine
    )


@pytest.mark.parametrize("width", [1280, 480])
def test_a_browser_shows_the_page_without_errors(tmp_path: Path, width: int) -> None:
    shot = tmp_path / "shot.png"
    seen = _look(
        tmp_path, page(MATRIX).decode(), f"--window-size={width},900", f"--screenshot={shot}"
    )
    assert "CONSOLE" not in seen.stderr
    assert shot.stat().st_size > 20_000


@pytest.mark.parametrize("width", [400, 768, 1280])
def test_nothing_is_wider_than_the_window(tmp_path: Path, width: int) -> None:
    """Resource names have no space to break at; a map or table scrolls on its own."""
    file = tmp_path / "coverage.html"
    file.write_bytes(page(MATRIX, support(MATRIX)))
    with opened(file, width=width) as window_:
        widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        for opening in ("''", *(f"'#{cell.cell}'" for cell in MATRIX.cells[::20])):
            window_.js(f"location.hash = {opening}")
            content, window = window_.js(widths)
            assert content <= window, opening
        assert not window_.complaints


PRESS = """
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const at = () => document.activeElement.hash;
const all = [...document.querySelectorAll(".map .mark")];
all[0].focus(); const seen = [at()];
press("ArrowRight"); seen.push(at());
press("ArrowLeft"); seen.push(at());
press("ArrowDown"); seen.push(at());
press("ArrowUp"); seen.push(at());
all[3].focus(); all[3].click();
setTimeout(() => {
  const shown = [...document.querySelectorAll("article")].filter((one) => one.offsetParent);
  seen.push(shown.map((one) => one.id).join());
  press("Escape");
  setTimeout(() => {
    seen.push(String(document.querySelectorAll(".chosen").length), at());
    document.title = JSON.stringify(seen);
  }, 50);
}, 50);
"""


def test_the_page_works_with_the_keyboard_alone(tmp_path: Path) -> None:
    """Arrow keys move over the map, opening shows only that cell, Escape returns to its mark."""
    digest = b64encode(sha256(PRESS.encode()).digest()).decode()
    text = page(MATRIX).decode().replace("script-src ", f"script-src &#x27;sha256-{digest}&#x27; ")
    text = text.replace("</body>", f"<script>{PRESS}</script></body>")
    seen = _look(tmp_path, text, "--window-size=1280,900", "--dump-dom")
    assert "CONSOLE" not in seen.stderr
    title = unescape(re.findall(r"<title>(.*?)</title>", seen.stdout)[0])
    cells = [f"#{cell.cell}" for cell in MATRIX.cells]
    first, right, left, down, up, focus, chosen, back = msgspec.json.decode(title)
    hashes = re.findall(r'href="(#[^"]+)"', page(MATRIX).decode())
    assert (first, right, left) == (hashes[0], hashes[1], hashes[0])
    assert down.startswith("#aws_agent.")
    assert up in cells
    assert up.startswith("#aws.")
    assert (f"#{focus}", chosen, back) == (hashes[3], "0", hashes[3])


def test_printing_shows_every_cell(tmp_path: Path) -> None:
    paper = tmp_path / "coverage.pdf"
    _look(tmp_path, page(MATRIX).decode(), f"--print-to-pdf={paper}")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert pages > len(MATRIX.cells) // 6


def test_controls_are_never_called_met() -> None:
    """A control has one of three words, none of which judges it as met."""
    every = support(MATRIX)
    assert {one.evidence for one in every} <= {"evidence available", "partial", "gap"}
    text = page(MATRIX, every).decode().lower()
    assert "compliant" not in text
    eight = next(one for one in every if one.control == "NHI8")
    assert "Environment" in eight.note
    assert "NHI-08" in eight.note
    names = {
        control
        for feature in features()
        for group in feature.controls.values()
        for control in group
    }
    assert {one.control for one in every} == names
    assert not any(re.fullmatch(r"[A-Z]{2}\.[A-Z]{2}-\d", name) for name in names)


def test_nothing_recorded_is_a_gap_of_every_control() -> None:
    nothing: Matrix = matrix([msgspec.structs.replace(estate.reading("okta", 0), answers=())])
    assert {one.evidence for one in support(nothing)} == {"gap"}
