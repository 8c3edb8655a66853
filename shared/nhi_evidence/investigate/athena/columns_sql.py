"""Each column of `events` as an expression of Athena's over a normalized record `n`."""

from __future__ import annotations

from nhi_evidence.investigate.columns import COLUMNS, Column, Type

_NONE = "CAST(ARRAY[] AS ARRAY(VARCHAR))"
_EPOCH = "TIMESTAMP '1970-01-01 00:00:00.000'"


def select_list() -> str:
    """Return all columns in their order, each under its name."""
    return ",\n    ".join(f"{_expression(column)} AS {column.name}" for column in COLUMNS)


def _expression(column: Column) -> str:
    if column.name in _SPECIAL:
        return _SPECIAL[column.name]
    paths = ["n." + ".".join(f'"{part}"' for part in path.split(".")) for path in column.path]
    if column.type is Type.TIME:
        # A time that is no instant of the calendar must not end the whole query.
        return f"TRY(date_add('millisecond', {paths[0]}, {_EPOCH}))"
    if column.type is Type.TEXTS:
        paths.append(_NONE)
    return paths[0] if len(paths) == 1 else f"coalesce({', '.join(paths)})"


def _each(things: str, value: str) -> str:
    """What is made of each thing of an array, without those of which nothing is made."""
    return f"filter(transform(coalesce({things}, ARRAY[]), x -> {value}), x -> x IS NOT NULL)"


def _observed(name: str) -> str:
    return f"""element_at(filter(n."observables", x -> x."name" = '{name}'), 1)."value\""""


def _where_acted(place: str, name: str) -> str:
    """As `row_reading` reads the caller: where it stands, else among the observables."""
    return f"CASE WHEN n.{place} IS NOT NULL THEN n.{place}.{name} ELSE {{}} END"


def _targets() -> str:
    """What was acted on, wherever the class has its place for it; each once, in the local order."""
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


_SPECIAL = {
    "source": "pack",
    "hops": _each('n."nhi_delegations"', 'coalesce(x."canonical_uid", x."uid")'),
    "hop_credentials": _each('n."nhi_delegations"', 'x."credential_uid"'),
    "mechanisms": _each('n."nhi_delegations"', 'x."mechanism"'),
    "ip": _where_acted('"src_endpoint"', '"ip"').format(_observed("src_endpoint.ip")),
    "user_agent": _where_acted('"http_request"', '"user_agent"').format(
        _observed("http_request.user_agent")
    ),
    "targets": _targets(),
    "target_names": _each('n."resources"', 'CASE WHEN x."uid" IS NOT NULL THEN x."name" END'),
}
