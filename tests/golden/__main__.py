"""Make the golden texts anew."""

from __future__ import annotations

from tests.golden.athena_texts import FOLDER, texts

for name, text in texts():
    (FOLDER / name).write_text(text)
