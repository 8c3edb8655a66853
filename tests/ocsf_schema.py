"""The published OCSF 1.8.0 schema with the nhi extension merged in, as JSON Schema validators.

The base schema is the compiled one `ocsf-json-schema` publishes; the extension is read from
`docs/ocsf/nhi`, the folder that would be submitted for registration.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
EXTENSION = Path(__file__).parent.parent / "docs" / "ocsf" / "nhi"
PROFILE = "nhi/nhi"


def problems(record: dict[str, Any]) -> list[str]:
    """Return what is wrong with an OCSF record; an empty list means it is valid."""
    profiles = tuple(record.get("metadata", {}).get("profiles", ()))
    validator = _validator(record.get("class_uid", -1), profiles)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator.iter_errors(record)
    ]


@cache
def merged_schema() -> dict[str, Any]:
    """Return the compiled schema with the extension's attributes on every class."""
    schema: dict[str, Any] = get_ocsf_schema(VERSION)  # read anew, so it may be changed
    dictionary = {**schema["dictionary"]["attributes"], **_read("dictionary.json")["attributes"]}
    objects = {path.stem: _read(f"objects/{path.name}") for path in EXTENSION.glob("objects/*")}
    known = {*schema["objects"], *objects}
    for name, definition in objects.items():
        parent = schema["objects"].get(definition["extends"], {"attributes": {}})
        attributes = {**parent["attributes"]} if definition["extends"] != "object" else {}
        for attribute, overlay in definition["attributes"].items():
            attributes[attribute] = _attribute(dictionary[attribute], overlay, known)
        schema["objects"][name] = {**definition, "attributes": attributes}
    for attribute, overlay in _read("profiles/nhi.json")["attributes"].items():
        entry = _attribute(dictionary[attribute], overlay, known) | {"profiles": [PROFILE]}
        for ocsf_class in schema["classes"].values():
            ocsf_class["attributes"][attribute] = entry
    return schema


@cache
def _validator(class_uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    embedded = OcsfJsonSchemaEmbedded(merged_schema())
    name = embedded.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(embedded.get_class_schema(name, list(profiles)))


def _attribute(
    entry: dict[str, Any], overlay: dict[str, Any], objects: Collection[str]
) -> dict[str, Any]:
    merged = {**entry, **overlay}
    kind = merged["type"]
    if kind in objects:
        merged |= {"type": "object_t", "object_type": kind}
    return merged


def _read(name: str) -> Any:
    return json.loads((EXTENSION / name).read_text())
