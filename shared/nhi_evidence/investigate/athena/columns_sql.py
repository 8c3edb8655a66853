"""Each column of `events` as an Athena expression over a normalized record `n`."""

from __future__ import annotations

from nhi_evidence.investigate.columns import COLUMNS, CREDENTIAL_LABELS, Column, Type

_NONE = "CAST(ARRAY[] AS ARRAY(VARCHAR))"
_EPOCH = "TIMESTAMP '1970-01-01 00:00:00.000'"


def select_list() -> str:
    """Return all columns in order, each under its name."""
    return ",\n    ".join(f"{_expression(column)} AS {column.name}" for column in COLUMNS)


def _expression(column: Column) -> str:
    if column.name in _SPECIAL:
        return _SPECIAL[column.name]
    paths = ["n." + ".".join(f'"{part}"' for part in path.split(".")) for path in column.path]
    if column.type is Type.TIME:
        # A time outside the calendar must not fail the whole query.
        return f"TRY(date_add('millisecond', {paths[0]}, {_EPOCH}))"
    if column.type is Type.TEXTS:
        paths.append(_NONE)
    return paths[0] if len(paths) == 1 else f"coalesce({', '.join(paths)})"


def _each(things: str, value: str) -> str:
    """Map an expression over the things of an array, leaving out nulls."""
    return f"filter(transform(coalesce({things}, ARRAY[]), x -> {value}), x -> x IS NOT NULL)"


def _observed(name: str) -> str:
    return f"""element_at(filter(n."observables", x -> x."name" = '{name}'), 1)."value\""""


def _where_acted(place: str, name: str) -> str:
    """Read the caller as `row_reading` does: from its own place, else from the observables."""
    return f"CASE WHEN n.{place} IS NOT NULL THEN n.{place}.{name} ELSE {{}} END"


def _targets() -> str:
    """List what was acted on, wherever the class keeps it; each once, in the local order."""
    placed, unplaced = _targets_at("n"), _targets_at('n."unmapped"')
    files = [_FILE.format('n."databucket"."file"'), _FILE.format('n."unmapped"."file"')]
    parts = [
        _each('n."resources"', _NAMED),
        _present([*placed, files[0]]),
        _each('n."unmapped"."resources"', _NAMED),
        _present([*unplaced, files[1], 'n."log_name"']),
    ]
    return f"array_distinct(concat({', '.join(parts)}))"


_NAMED = 'coalesce(x."uid", x."name")'
_FILE = 'coalesce({0}."uid", {0}."path", {0}."name")'


def _targets_at(at: str) -> list[str]:
    return [
        f'coalesce({at}."{thing}"."uid", {at}."{thing}"."name")'
        for thing in ("databucket", "table", "entity", "group")
    ]


def _present(values: list[str]) -> str:
    return f"filter(ARRAY[{', '.join(values)}], x -> x IS NOT NULL)"


def _hop_credentials() -> str:
    """List them as `row_reading` does: of hops, then of labels."""
    prefixes = " OR ".join(f"starts_with(x, '{prefix}')" for prefix in CREDENTIAL_LABELS)
    labels = f"""filter(coalesce(n."nhi"."labels", ARRAY[]), x -> {prefixes})"""
    of_hops = _each('n."nhi_delegations"', 'x."credential_uid"')
    return f"concat({of_hops}, transform({labels}, x -> substr(x, strpos(x, ':') + 1)))"


_SPECIAL = {
    "source": "pack",
    "hops": _each('n."nhi_delegations"', 'coalesce(x."canonical_uid", x."uid")'),
    "hop_credentials": _hop_credentials(),
    "mechanisms": _each('n."nhi_delegations"', 'x."mechanism"'),
    "ip": _where_acted('"src_endpoint"', '"ip"').format(_observed("src_endpoint.ip")),
    "user_agent": _where_acted('"http_request"', '"user_agent"').format(
        _observed("http_request.user_agent")
    ),
    "targets": _targets(),
    "target_names": _each('n."resources"', 'CASE WHEN x."uid" IS NOT NULL THEN x."name" END'),
}
