"""Text made inert: nothing acts on a screen or hides in it, and no value changes."""

from __future__ import annotations

import json
import sys

import pytest

from nhi_evidence import inert
from nhi_evidence.evidence.bundle import check_proof
from nhi_evidence.terminal import safe_text

SAMPLES = [
    ("\x1b[31m", "\\u001b[31m"),
    ("a\u202eb", "a\\u202eb"),
    ("admin\u200b", "admin\\u200b"),
    ("x\u00ad\u2060\ufeff\u3164", "x\\u00ad\\u2060\\ufeff\\u3164"),
    ("\U000e0041", "\\udb40\\udc41"),
    ("\ud800", "\\ud800"),
    ("é 中文 \U0001f600", "é 中文 \U0001f600"),
]


@pytest.mark.parametrize(("text", "escaped"), SAMPLES)
def test_what_is_not_visible_is_shown(text: str, escaped: str) -> None:
    """As JSON escapes it, so that it is the same in both."""
    assert escaped == inert.neutralize(text)
    assert text == inert.neutralize(text, keep=text)


@pytest.mark.parametrize("text", [text for text, _ in SAMPLES[:-2]] + ["é", "\x7f\x85\u2028"])
def test_a_document_keeps_its_value(text: str) -> None:
    """Only its spelling changes."""
    document = json.dumps({"name": text}, ensure_ascii=False).encode()
    escaped = safe_text.neutralize_json(document)
    assert {"name": text} == json.loads(escaped)
    assert inert.neutralize(escaped.decode()) == escaped.decode()


def test_the_program_for_auditors_shows_the_same() -> None:
    """It has nothing of this package, so the characters are listed twice: here, every one."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert inert.neutralize(every) == check_proof.inert(every)
