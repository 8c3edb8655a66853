"""What a bundle states about its parts: licenses, and a CycloneDX bill of materials.

https://cyclonedx.org/docs/1.5/json/
"""

from __future__ import annotations

import re
from email.message import Message
from email.parser import HeaderParser
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from infra.declaration import Declaration

_NOTICES = ("LICEN", "NOTICE", "COPYING", "AUTHORS")
_RULE = "=" * 78
_OSI = "License :: OSI Approved :: "


class Part(msgspec.Struct, frozen=True):
    """One distribution that was installed into a bundle."""

    name: str
    version: str
    license: str
    """As its metadata states it: an SPDX expression, or the words of older metadata."""
    is_expression: bool
    texts: tuple[tuple[str, str], ...]
    """Names and contents of the license and notice files in its wheel."""


def installed(packages: Path) -> tuple[Part, ...]:
    """Read the metadata of every distribution under `packages`, sorted by name."""
    parts = (_part(info) for info in packages.glob("*.dist-info"))
    return tuple(sorted(parts, key=lambda part: _canonical(part.name)))


def third_party(parts: tuple[Part, ...]) -> str:
    """Return the text of `THIRD_PARTY.txt`: each part, its license, and its notices in full."""
    lines = ["This bundle holds the following works of others, under the licenses they state.", ""]
    lines += [f"{part.name} {part.version}: {part.license}" for part in parts]
    for part in parts:
        for name, text in part.texts:
            lines += ["", _RULE, f"{part.name} {part.version}: {name}", _RULE, text.rstrip()]
    return "\n".join(lines) + "\n"


def sbom(exported: str, declared: Declaration, parts: tuple[Part, ...]) -> str:
    """Return uv's CycloneDX export, reduced to what is in the bundle and made reproducible.

    uv lists what the lock has for any platform, and adds a date. Here the components are those that
    were installed, with their licenses; the serial number is derived from the content, and there is
    no date. Raises `KeyError` for a part the export does not list.
    """
    document: dict[str, Any] = msgspec.json.decode(exported)
    listed = {(one["name"], one["version"]): one for one in document["components"]}
    components = [
        {**listed[_canonical(part.name), part.version], "licenses": [_license(part)]}
        for part in parts
    ]
    known = {one["bom-ref"] for one in components}
    subject = document["metadata"]["component"]
    document["components"] = components
    document["dependencies"] = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", []) if ref in known]}
        for one in document["dependencies"]
        if one["ref"] in known
    ]
    document["dependencies"].append({"ref": subject["bom-ref"], "dependsOn": sorted(known)})
    del document["metadata"]["timestamp"]
    document["metadata"]["component"] = {
        **subject,
        "type": "application",
        "properties": [{"name": "nhi-evidence:function", "value": declared.function.name}],
    }
    del document["serialNumber"]
    content = msgspec.json.encode(document, order="deterministic")
    serial = UUID(bytes=sha256(content).digest()[:16], version=4)
    document["serialNumber"] = f"urn:uuid:{serial}"
    done = msgspec.json.encode(document, order="deterministic")
    return msgspec.json.format(done, indent=1).decode() + "\n"


def _canonical(name: str) -> str:
    """Return a distribution's name as indexes and locks spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _part(info: Path) -> Part:
    metadata = HeaderParser().parsestr((info / "METADATA").read_text(encoding="utf-8"))
    expression = metadata.get("License-Expression")
    files = sorted(
        path
        for path in info.rglob("*")
        if path.is_file()
        and (path.parent.name == "licenses" or path.name.upper().startswith(_NOTICES))
    )
    return Part(
        name=metadata["Name"],
        version=metadata["Version"],
        license=expression or _older_license(metadata),
        is_expression=expression is not None,
        texts=tuple(
            (path.relative_to(info).as_posix(), path.read_text(encoding="utf-8", errors="replace"))
            for path in files
        ),
    )


def _older_license(metadata: Message) -> str:
    """Return a license from before PEP 639: the classifiers, else the free text's first line."""
    classifiers = [
        one.removeprefix(_OSI) for one in metadata.get_all("Classifier", []) if _OSI in one
    ]
    free = str(metadata.get("License", "")).strip().splitlines()
    return "; ".join(classifiers) or (free[0] if free else "not stated")


def _license(part: Part) -> dict[str, Any]:
    if part.is_expression:
        return {"expression": part.license}
    return {"license": {"name": part.license}}
