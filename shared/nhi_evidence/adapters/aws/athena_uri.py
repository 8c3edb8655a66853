"""Athena over one evidence bucket, named by a URI: `athena://NAME?region=REGION&auditor=AUDITOR`.

The workgroup is the one that the deployment makes; its database is named after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.athena import AthenaError, Session
from nhi_evidence.adapters.aws.session import role_session
from nhi_evidence.adapters.store.evidence_uri import endpoint_of
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate.athena import views

if TYPE_CHECKING:
    from nhi_evidence.adapters.store.evidence_uri import Access

SCHEME = "athena://"
_FORM = "athena://NAME?region=REGION[&auditor=NAME][&database=NAME][&endpoint=URL]"
_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}")
_DATABASE = re.compile(r"[a-z0-9_]{1,255}")
"""Names that Glue accepts, without any character that could end a quoted name."""


class Named(msgspec.Struct, frozen=True):
    """What an Athena URI names."""

    workgroup: str
    database: str
    region: str
    endpoint: str | None

    @property
    def text(self) -> str:
        """Description for messages."""
        return f"Athena, workgroup {self.workgroup} in {self.region}"


def parse(uri: str) -> Named:
    """Read a URI. Raises `SettingsError` saying what is wrong with it."""
    parts = urlsplit(uri)
    options = parse_qs(parts.query, keep_blank_values=True)
    database = options.get("database", [parts.netloc.lower().replace("-", "_")])[0]
    workgroup = "-".join([parts.netloc, *options.get("auditor", [])[:1]])
    unknown = set(options) - {"region", "auditor", "database", "endpoint"}
    repeated = any(len(values) > 1 for values in options.values())
    region = options.get("region", [""])[0]
    if unknown or repeated or parts.path.strip("/") or parts.fragment or not region:
        raise SettingsError(f"{uri}: Athena is named {_FORM}")
    if not _WORKGROUP.fullmatch(workgroup) or not _DATABASE.fullmatch(database):
        raise SettingsError(f"{uri}: not a valid name of a workgroup or a database")
    return Named(workgroup, database, region, endpoint_of(uri, options))


class Table(msgspec.Struct, frozen=True):
    """What the catalog says about the table over evidence."""

    bucket: str
    sources: tuple[str, ...]
    first_hour: str
    """Athena does not see anything earlier."""


def open_session(named: Named, access: Access) -> tuple[Session, Table, Any]:
    """Return a session, the table it queries, and an S3 client that may list the bucket.

    Raises `SettingsError` when AWS cannot be reached or refuses.
    """
    try:
        session = _session(access, named.endpoint)
        clients = {
            name: session.client(name, region_name=named.region, endpoint_url=named.endpoint)
            for name in ("athena", "glue", "s3")
        }
        opened = Session(
            client=clients["athena"], workgroup=named.workgroup, database=named.database
        )
        return opened, _table(clients["glue"], named), clients["s3"]
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(f"{named.text}: {error}") from error


def _session(access: Access, endpoint: str | None) -> boto3.session.Session:
    if access.role_arn is None:
        return boto3.session.Session(profile_name=access.profile)
    return role_session(
        access.role_arn,
        session_name="nhi-evidence-audit",
        external_id=access.external_id,
        profile=access.profile,
        endpoint_url=endpoint,
    )


def _table(glue: Any, named: Named) -> Table:
    answer = glue.get_table(DatabaseName=named.database, Name=views.EVIDENCE)["Table"]
    parameters = answer.get("Parameters", {})
    place = urlsplit(answer["StorageDescriptor"]["Location"])
    sources = parameters.get(f"projection.{views.OF_SOURCE}.values", "")
    hours = parameters.get(f"projection.{views.HOUR}.range", "")
    if place.scheme != "s3" or place.path != "/ev/v1/" or not sources or not hours:
        text = f"table {named.database}.{views.EVIDENCE} is not as the deployment makes it"
        raise AthenaError(f"{named.text}: {text}; `doctor` says how")
    return Table(place.netloc, tuple(sources.split(",")), hours.partition(",")[0])


def hours_with_evidence(s3: Any, table: Table) -> Iterator[tuple[str, str]]:
    """Yield each source and hour with evidence in the bucket. Raises `AthenaError`."""
    for source in table.sources:
        prefix = f"ev/v1/{source}/h="
        try:
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=table.bucket, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                for each in page.get("CommonPrefixes", ()):
                    yield source, each["Prefix"].removeprefix(prefix).rstrip("/")
        except (BotoCoreError, ClientError) as error:
            raise AthenaError(f"{table.bucket}: cannot be listed: {error}") from error
