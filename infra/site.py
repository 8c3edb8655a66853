"""The pages of the documentation site: `docs/`, and the root's pages beside them.

The documents are written to be read in the repository. Here a link out of `docs/` is rewritten to
the page's place in the site, or reduced to its text if it leads to a source file; generated blocks
become plain ones. Finding dead links is left to the site generator (`make docs`).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Pages in the repository's root, and their names in the site."""

_DECISIONS = "# Decisions\n\nDecisions that a newcomer would question, a page each.\n"

_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#]+)(#[^)]*)?\)")
_GENERATED = re.compile(r"^```(?:help [a-z -]+|cost|demo)$", re.MULTILINE)


def stage(target: Path) -> list[str]:
    """Write every page under `target`, replacing it; return their names."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target, ignore=shutil.ignore_patterns("*.json"))
    for name, inside in PAGES.items():
        (target / inside).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    decisions = target / "decisions"
    rows = [
        f"- [{page.read_text(encoding='utf-8').partition(chr(10))[0].lstrip('# ')}]({page.name})"
        for page in sorted(decisions.glob("0*.md"))
    ]
    (decisions / "index.md").write_text("\n".join([_DECISIONS, *rows, ""]), encoding="utf-8")
    sources = {target / inside: ROOT / name for name, inside in PAGES.items()}
    names = []
    for page in sorted(set(target.rglob("*.md")) - {decisions / "index.md"}):
        source = sources.get(page, ROOT / "docs" / page.relative_to(target))
        page.write_text(rewritten(page, source, target), encoding="utf-8")
        names.append(page.relative_to(target).as_posix())
    return names


def rewritten(page: Path, source: Path, target: Path) -> str:
    """Return a page as the site shows it; `source` is its path in the repository."""

    def led(link: re.Match[str]) -> str:
        text, path, anchor = link[1], link[2], link[3] or ""
        aimed = (source.parent / path).resolve()
        if aimed.parent == ROOT and aimed.name in PAGES:
            place = target / PAGES[aimed.name]
        elif aimed == ROOT / "docs" / "decisions":
            place = target / "decisions" / "index.md"
        elif ROOT / "docs" in aimed.parents and aimed.suffix == ".md":
            place = target / aimed.relative_to(ROOT / "docs")
        elif aimed.exists():
            return f"`{aimed.relative_to(ROOT).as_posix()}`" if text == path else text
        else:
            return link[0]
        return f"[{text}]({_relative(page.parent, place)}{anchor})"

    text = _GENERATED.sub("```text", source.read_text(encoding="utf-8"))
    return _LINK.sub(led, text)


def _relative(folder: Path, place: Path) -> str:
    up, parts = folder, []
    while up not in (place, *place.parents):
        up = up.parent
        parts.append("..")
    return "/".join([*parts, place.relative_to(up).as_posix()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Stage the pages, and print how many there are."""
    parser = argparse.ArgumentParser(description="Stage the pages of the documentation site.")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    sys.stdout.write(f"{len(stage(options.out.resolve()))} pages in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
