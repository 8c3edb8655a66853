"""Options shared by every command that touches evidence."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from nhi_evidence.adapters.own_name import own_name
from nhi_evidence.adapters.store.evidence_uri import Access, NamedCopy
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import anchor, note, provider
from nhi_evidence.evidence.verify import Policy

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000

Evidence = Annotated[
    str,
    typer.Argument(
        metavar="EVIDENCE", help="The evidence: s3://bucket[?endpoint=URL], or a directory."
    ),
]
RoleArn = Annotated[
    str | None, typer.Option("--role-arn", help="Assume this role to reach the bucket.")
]
ExternalId = Annotated[
    str | None, typer.Option("--external-id", help="External ID the role requires.")
]
Profile = Annotated[str | None, typer.Option("--profile", help="AWS profile to use.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="KEY", help="A verifier key (name+id+key), or a file with one per line."
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", exists=True, dir_okay=False, help="Verifier policy (docs/verification.md)."
    ),
]

ProviderKeys = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="The provider's public keys: what `aws cloudtrail list-public-keys` prints.",
    ),
]


class _Timestamps(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="rfc3161"):
    name: str
    roots: str
    """PEM file, relative to the policy."""


class _Witness(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="cosignature"):
    key: str


class _Copy(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="copy"):
    evidence: str
    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None


class _PolicyFile(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[str] = []
    mappers: list[str] = []
    """Mapper digests of accepted releases, the latest last."""
    require_cosignature: bool = False
    retention_days: float = 0
    grace_days: float = 0
    seal_delay_minutes: float = 60
    head_age_hours: float = 3
    anchors: list[_Timestamps | _Witness | _Copy] = []
    anchors_required: int = 0
    anchor_age_hours: float = 24


def pinned(key_options: list[str] | None) -> tuple[note.Key, ...]:
    """Read verifier keys, each given directly or as a file of keys.

    Raises `SettingsError` naming one that is invalid, or when they belong to different logs.
    """
    keys: list[note.Key] = []
    for text in key_options or ():
        if _is_file(text):
            lines = Path(text).read_text(encoding="utf-8", errors="replace").splitlines()
            named = [line for line in lines if line.strip() and not line.startswith("#")]
            if not named:
                raise SettingsError(f"{text}: no verifier key in it")
            keys += [_key(line, f"{text}: ") for line in named]
        elif "+" in text:
            keys.append(_key(text))
        else:
            why = "not a verifier key (name+id+key), and there is no such file"
            raise SettingsError(f"{text}: {why}")
    for key in keys:
        if key.algorithm is note.Algorithm.COSIGNATURE_V1:
            raise SettingsError(f"the key of {key.name} is a witness's; it cannot sign a log")
    if keys and not any(key.is_primary for key in keys):
        raise SettingsError(f"no signing key for {keys[0].name}: ML-DSA-44 only cosigns")
    if len({key.name for key in keys}) > 1:
        raise SettingsError(
            f"keys belong to different logs: {', '.join(sorted(k.name for k in keys))}"
        )
    return tuple(keys)


def _key(text: str, where: str = "") -> note.Key:
    try:
        return note.parse_key(text)
    except note.NoteError as error:
        raise SettingsError(f"{where}{error}") from error


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # an ML-DSA key is longer than a file name may be
        return False


def provider_keys(file: Path | None) -> dict[str, bytes]:
    """Read a provider's public keys. Raises `SettingsError`."""
    if file is None:
        return {}
    try:
        return provider.read_keys(file.read_bytes())
    except (OSError, provider.ProviderError) as error:
        raise SettingsError(f"{file}: {error}") from error


def policy(file: Path | None, verifier_keys: list[str] | None) -> Policy:
    """Return what to verify against. Raises `SettingsError` without a trusted key."""
    settings = _PolicyFile()
    if file is not None:
        try:
            content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
            settings = msgspec.convert(content, _PolicyFile)
        except (OSError, ValueError, msgspec.ValidationError) as error:
            raise SettingsError(f"{file}: {error}") from error
    keys = pinned([*settings.keys, *(verifier_keys or ())])
    if not keys:
        raise SettingsError("no trusted key: give --key, or --policy with keys")
    try:
        trusts = tuple(_trusts(settings, file.parent if file else Path()))
    except (anchor.AnchorError, OSError) as error:
        raise SettingsError(f"{file}: {error}") from error
    if settings.require_cosignature and all(key.is_primary for key in keys):
        raise SettingsError(f"{file}: require_cosignature needs an ML-DSA-44 key among the keys")
    return Policy(
        name=keys[0].name,
        keys=keys,
        mappers=tuple(settings.mappers),
        head_age_ms=int(settings.head_age_hours * HOUR_MS),
        require_cosignature=settings.require_cosignature,
        retention_ms=int(settings.retention_days * DAY_MS),
        grace_ms=int(settings.grace_days * DAY_MS),
        seal_delay_ms=int(settings.seal_delay_minutes * MINUTE_MS),
        trusts=trusts,
        copies=tuple(_copies(settings)),
        anchors_required=settings.anchors_required,
        anchor_age_ms=int(settings.anchor_age_hours * HOUR_MS),
    )


def again(
    command: str, about: str, *words: str, trusted: Trusted, access: Access | None = None
) -> str:
    """Return a command line for the same evidence and keys, ready to run.

    Options come last, as they were given; paths are as typed, so it runs in this folder.
    """
    reached = [] if access is None else access_words(access)
    return shlex.join([own_name(), *command.split(), about, *words, *trusted.words(), *reached])


class Trusted(msgspec.Struct, frozen=True):
    """The options that say whom to trust, as given."""

    policy: Path | None
    keys: list[str] | None

    def words(self) -> list[str]:
        """Return those options again."""
        chosen = ["--policy", str(self.policy)] if self.policy is not None else []
        return [*chosen, *(word for key in self.keys or () for word in ("--key", key))]


def access_words(access: Access) -> list[str]:
    """Return the options that give access to the evidence again."""
    words = {
        "--role-arn": access.role_arn,
        "--external-id": access.external_id,
        "--profile": access.profile,
    }
    return [word for name, value in words.items() if value for word in (name, value)]


def _trusts(settings: _PolicyFile, folder: Path) -> Iterator[anchor.Trust]:
    for entry in settings.anchors:
        if isinstance(entry, _Timestamps):
            yield anchor.authority(entry.name, (folder / entry.roots).read_bytes())
        elif isinstance(entry, _Witness):
            yield anchor.witness(entry.key)


def _copies(settings: _PolicyFile) -> Iterator[tuple[str, NamedCopy]]:
    for entry in settings.anchors:
        if isinstance(entry, _Copy):
            access = Access(
                role_arn=entry.role_arn, external_id=entry.external_id, profile=entry.profile
            )
            yield entry.evidence, NamedCopy(entry.evidence, access)
