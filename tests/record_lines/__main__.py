"""Compare the lines of every record with the stored digests; `python -m tests.record_lines`.

`--corpus FOLDER` adds the corpus; `--update` stores what is there now, which says that the change
is meant. Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.record_lines import digested


def main() -> int:
    """Print each input whose lines are not those that are stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=None)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("sources", nargs="*", default=digested.all_sources())
    options = parser.parse_args()
    stored = digested.stored() if digested.STORED.exists() else {}
    differing = 0
    for source in options.sources:
        now = digested.digests(source, options.corpus)
        before = stored.get(source, {})
        changed = [name for name in now if name in before and now[name] != before[name]]
        new = [name for name in now if name not in before]
        sys.stdout.write(
            f"{source}: {len(now)} inputs, {len(changed)} changed, {len(new)} new\n"
            + "".join(f"  changed: {name}\n" for name in changed)
        )
        differing += len(changed)
        kept = before if options.corpus is None else {}
        of_corpus = {name: text for name, text in kept.items() if name.startswith("corpus ")}
        stored[source] = dict(sorted({**of_corpus, **now}.items()))
    if options.update:
        digested.STORED.write_text(json.dumps(stored, indent=0, sort_keys=True) + "\n")
        return 0
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
