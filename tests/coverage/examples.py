"""The readings shipped as examples; `python -m tests.coverage.examples` writes them anew."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nhi_evidence.coverage import answers
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate.plants import PLANTS, planted
from nhi_evidence.evidence import keys

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "coverage"
AT = 1_772_438_400_000
"""2026-03-02 08:00 UTC."""
PLATFORMS = ("aws", "gcp", "azure", "github", "okta", "vault")
LATER = AT + 4 * 3_600_000
GAPS = (PLANTS[3], PLANTS[4])
"""What the example lacks at both readings: Google's DATA_READ, and the logs of a key vault."""
LATER_GAP = PLANTS[0]
"""And at the second: KMS."""


def files() -> dict[str, bytes]:
    """Return the name and content of every file."""
    readings = [
        planted(estate.reading(platform, at), gaps)
        for at, gaps in ((AT, GAPS), (LATER, (*GAPS, LATER_GAP)))
        for platform in PLATFORMS
    ]
    return {
        f"{reading.platform}-{keys.hour_of(reading.at)}.json": msgspec.json.format(
            answers.write(reading), indent=1
        )
        + b"\n"
        for reading in readings
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
