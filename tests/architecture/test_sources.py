"""A source is one folder: no other shipped file names it, except those listed here."""

from __future__ import annotations

from fnmatch import fnmatch

from nhi_evidence import sources
from tests.architecture.naming_sources import CODE, kind, named

OF_CLOUDS = {
    "aws_cloudtrail",
    "azure_activity",
    "azure_entra",
    "azure_monitor",
    "azure_resource",
    "gcp_audit",
}
"""The clouds' own logs, which more than a pack reads: each has an exporter, settings to read,
listings to compare, and canaries."""

ANY_SOURCE = {"shared/nhi_evidence/demo/*": "who acts in the demo's story, and where it shows"}

A_CLOUD = {
    "functions/*/deploy.toml": "which bundle carries which sources",
    "infra/aws/acknowledged.py": "in the name of a construct, with the reason for an exemption",
    "infra/aws/organization_trail.py": "makes a trail, and its entry",
    "shared/nhi_evidence/adapters/azure/exporter.py": "exports from Azure's Event Hubs",
    "shared/nhi_evidence/adapters/gcp/exporter.py": "exports from Google Cloud",
    "shared/nhi_evidence/adapters/listing/*": "lists by the clouds' own interfaces",
    "shared/nhi_evidence/azure/principal.py": "names the page of Azure's claims",
    "shared/nhi_evidence/catalog/atlas/*": "what the clouds' own lists of operations say",
    "shared/nhi_evidence/cli/*": "commands of one cloud, and examples",
    "shared/nhi_evidence/completeness/saved.py": "saved listings of the clouds",
    "shared/nhi_evidence/config/*": "tables of one cloud each, and examples",
    "shared/nhi_evidence/coverage/*": "settings, changes and canaries of the clouds",
    "shared/nhi_evidence/evidence/bundle/*": "checks CloudTrail's signatures without the library",
    "shared/nhi_evidence/sources/*/routes.json": "a router says which pack a category is of",
    "shared/nhi_evidence/investigate/trust.py": "records that set up trust between clouds",
}
"""Files that may name the log of a cloud, and why."""


def test_a_source_of_files_is_named_only_in_its_folder() -> None:
    """In shipped files; so a new source is a folder, its cases, its page and configuration."""
    assert {} == {
        source: elsewhere
        for source in sorted(set(sources.names()) - OF_CLOUDS)
        if (elsewhere := _elsewhere(source, tuple(ANY_SOURCE)))
    }


def test_a_cloud_s_log_is_named_where_that_cloud_is_the_subject() -> None:
    """Only in listed files, each with a reason."""
    allowed = (*ANY_SOURCE, *A_CLOUD)
    assert {} == {
        source: elsewhere
        for source in sorted(OF_CLOUDS)
        if (elsewhere := _elsewhere(source, allowed))
    }


def test_every_listed_place_names_a_source() -> None:
    """Otherwise the list would allow what is no longer needed."""
    files = {name for source in OF_CLOUDS for name in named(*CODE)[source]}
    idle = {place for place in A_CLOUD if not any(fnmatch(name, place) for name in files)}
    assert set() == idle
    assert set(sources.names()) >= OF_CLOUDS


def test_suites_over_all_sources_find_them() -> None:
    """Faults, bad input, fuzzing and leaks name no file source: a new one is covered at once."""
    files = named("tests/faults", "tests/fuzz", "tests/leaks", "tests/property")
    assert {} == {
        source: files[source]
        for source in sorted(set(sources.names()) - OF_CLOUDS)
        if files[source]
    }


def _elsewhere(source: str, allowed: tuple[str, ...]) -> list[str]:
    return [
        name
        for name in named(*CODE)[source]
        if kind(source, name) != "its folder"
        and not any(fnmatch(name, pattern) for pattern in allowed)
    ]
