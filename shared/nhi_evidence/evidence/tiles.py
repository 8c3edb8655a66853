"""Hash tiles and entry bundles of a log (https://c2sp.org/tlog-tiles). Pure: names and bytes.

A tree grows only at its right edge, which is the hashes of the partial tile of each level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from struct import pack, unpack_from

from nhi_evidence.evidence import merkle

WIDTH = 256
"""Hashes in a full tile."""

MAX_ENTRY_BYTES = 0xFFFF
"""Maximum entry size: a bundle states the length of an entry in 16 bits."""

ENTRIES = "entries"

_DIGITS = 1000

Edge = tuple[tuple[bytes, ...], ...]
"""Hashes of the partial tile of each level, level 0 first; a level may be empty."""

ReadTile = Callable[[str], bytes]
"""Returns a tile by its path; raises `KeyError` when there is none."""


def path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Return the path of a tile below the log's prefix: `tile/<L>/<N>[.p/<W>]`."""
    digits = f"{number % _DIGITS:03d}"
    while number >= _DIGITS:
        number //= _DIGITS
        digits = f"x{number % _DIGITS:03d}/{digits}"
    return f"tile/{level}/{digits}" + (f".p/{width}" if width < WIDTH else "")


def edge_widths(size: int) -> list[int]:
    """Return the width of each level's partial tile: `floor(s / 256**l) mod 256`."""
    widths = []
    while size:
        widths.append(size % WIDTH)
        size //= WIDTH
    return widths


def read_edge(size: int, read: ReadTile) -> Edge:
    """Read the right edge of a stored tree.

    Raises `KeyError` naming a missing tile, `ValueError` naming one of the wrong length.
    """
    edge = []
    for level, width in enumerate(edge_widths(size)):
        name = path(level, size >> 8 * (level + 1), width)
        edge.append(tuple(hashes(read(name), width, name)) if width else ())
    return tuple(edge)


def hashes(tile: bytes, width: int, name: str) -> Iterator[bytes]:
    """Yield the hashes of a tile. Raises `ValueError` when its width is wrong."""
    if len(tile) != width * merkle.HASH_BYTES:
        raise ValueError(f"{name}: {len(tile)} bytes instead of {width * merkle.HASH_BYTES}")
    for start in range(0, len(tile), merkle.HASH_BYTES):
        yield tile[start : start + merkle.HASH_BYTES]


def edge_root(edge: Edge) -> bytes:
    """Return the root of the tree that a right edge belongs to.

    Each level's hashes cover full tiles of the level below, and the rest of that level is to the
    right of them.
    """
    below: list[bytes] = []
    for level in edge:
        row = [*level, *below]
        below = [merkle.root(row)] if row else []
    return below[0] if below else merkle.EMPTY_ROOT


def grow(edge: Edge, size: int, leaves: Sequence[bytes]) -> tuple[dict[str, bytes], Edge]:
    """Append leaf hashes to a tree of `size`.

    Returns the hash tiles that are new in the grown tree, full ones and the partial ones of its
    new right edge, and that edge.
    """
    tiles: dict[str, bytes] = {}
    grown: list[tuple[bytes, ...]] = []
    row: list[bytes] = list(leaves)
    level = 0
    while row or level < len(edge):
        partial = edge[level] if level < len(edge) else ()
        number = size >> 8 * (level + 1)
        here = [*partial, *row]
        full = len(here) // WIDTH
        above = []
        for position in range(full):
            tile = here[position * WIDTH : (position + 1) * WIDTH]
            tiles[path(level, number + position)] = b"".join(tile)
            above.append(merkle.root(tile))
        rest = tuple(here[full * WIDTH :])
        if rest and row:
            tiles[path(level, number + full, len(rest))] = b"".join(rest)
        grown.append(rest)
        row = above
        level += 1
    return tiles, tuple(grown)


def grow_entries(size: int, tail: Sequence[bytes], entries: Sequence[bytes]) -> dict[str, bytes]:
    """Append entries to the bundles of a tree of `size`; `tail` fills its partial bundle."""
    here = [*tail, *entries]
    first = size // WIDTH
    bundles = {}
    for number, start in enumerate(range(0, len(here), WIDTH), start=first):
        chunk = here[start : start + WIDTH]
        bundles[path(ENTRIES, number, len(chunk))] = bundle(chunk)
    return bundles


def bundle(entries: Iterable[bytes]) -> bytes:
    """Return an entry bundle: each entry preceded by its length as a big-endian uint16.

    Raises `ValueError` on an entry larger than MAX_ENTRY_BYTES.
    """
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes does not fit into a bundle")
        parts.append(pack(">H", len(entry)))
        parts.append(entry)
    return b"".join(parts)


def unbundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises `ValueError` when it is truncated."""
    entries = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError(f"entry bundle is cut short at byte {at}")
        (length,) = unpack_from(">H", data, at)
        entry = data[at + 2 : at + 2 + length]
        if len(entry) < length:
            raise ValueError(f"entry bundle is cut short at byte {at}")
        entries.append(entry)
        at += 2 + length
    return entries


def subtree_of(size: int, read: ReadTile) -> merkle.Subtree:
    """Return the subtree function of a stored tree of `size`, reading the tiles it needs.

    The requested ranges must begin at a multiple of their size, as those of RFC 6962 proofs do.
    """

    def of(start: int, end: int) -> bytes:
        level = 0
        while start % WIDTH ** (level + 1) == 0 and end - start >= WIDTH ** (level + 1):
            level += 1
        unit = WIDTH**level
        row = [_node(level, number, size, read) for number in range(start // unit, end // unit)]
        if end % unit:
            row.append(of(end - end % unit, end))
        return merkle.root(row)

    return of


def _node(level: int, number: int, size: int, read: ReadTile) -> bytes:
    """Return hash `number` of a level, from a full tile or the partial one at this tree's size."""
    tile = number // WIDTH
    width = min(WIDTH, (size >> 8 * level) - tile * WIDTH)
    name = path(level, tile, width)
    data = read(name)
    at = number % WIDTH * merkle.HASH_BYTES
    if len(data) != width * merkle.HASH_BYTES:
        raise ValueError(f"{name}: {len(data)} bytes instead of {width * merkle.HASH_BYTES}")
    return data[at : at + merkle.HASH_BYTES]
