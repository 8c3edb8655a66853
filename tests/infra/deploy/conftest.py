"""Machines that tests of this folder deploy from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.infra.deploy.machine import Machine, Machines


@pytest.fixture
def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Machines:
    """Make the machine this process deploys from, of a configuration and answers."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def build(text: str, **answers: str) -> Machine:
        return Machine(tmp_path, capfd, text, **answers)

    return build
