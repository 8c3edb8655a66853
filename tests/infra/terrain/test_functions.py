"""The infrastructure gives functions what they declare, read and bind to."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import msgspec
import pytest

from infra.bundle import stage
from infra.declaration import EventHub, declaration
from infra.gcp.build_source import build_source
from nhi_evidence import config
from nhi_evidence.adapters import environ
from nhi_evidence.config.azure_names import ACTIVITY_CATEGORIES as ACTIVITY
from nhi_evidence.config.azure_names import GROUP_CATEGORIES
from tests.infra.terrain.synthesis import ROOT, Stack, at, example, only
from tests.infra.unstaged import unstaged

CLOUDS = ("gcp_export", "azure_export")


@pytest.fixture(scope="session")
def variables(gcp: Stack, azure: Stack) -> dict[str, dict[str, str]]:
    """Return the `NHI_EVIDENCE_*` variables of each function."""
    service = only(gcp, "google_cloudfunctions2_function")["service_config"]
    template = json.loads(at(azure, "export/site")[1]["template_content"])
    settings = template["resources"][0]["properties"]["siteConfig"]["appSettings"]
    return {
        "gcp_export": dict(service["environment_variables"]),
        "azure_export": {
            one["name"]: one["value"] for one in settings if one["name"].startswith("NHI_")
        },
    }


@pytest.mark.parametrize("name", CLOUDS)
def test_variables_are_those_declared_and_read(
    name: str, variables: dict[str, dict[str, str]]
) -> None:
    """Every variable is in deploy.toml, all required ones are set, and the function reads them."""
    declared = declaration(name)
    module, _, struct = declared.function.settings.partition(":")
    shape = getattr(importlib.import_module(module), struct)
    fields = {environ.PREFIX + one.name.upper(): one for one in msgspec.structs.fields(shape)}
    assert set(declared.environment) == set(fields)
    assert set(variables[name]) <= set(fields)
    assert {one for one, field in fields.items() if field.required} <= set(variables[name])
    environ.read_settings(shape, variables[name])


def test_both_write_as_their_own_role_into_the_bucket_the_configuration_names() -> None:
    """Bucket, owner, region, role and audience are those of the example."""
    from infra.terrain import azure_settings, gcp_settings  # noqa: PLC0415 - starts jsii

    read = config.read(example())
    assert read.gcp is not None
    assert read.azure is not None
    google, azure = gcp_settings(read, read.gcp), azure_settings(read, read.azure)
    for source, settings in (("gcp_audit", google), ("azure_monitor", azure)):
        assert (
            "nhi-evidence-222233334444",
            "222233334444",
            "eu-central-1",
            f"arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-writer-{source}",
        ) == (
            settings.bucket,
            settings.bucket_owner,
            settings.bucket_region,
            settings.writer_role_arn,
        )
    assert read.gcp.audience == google.audience
    assert read.azure.audience == azure.token_audience


def test_google_s_exporter_accepts_only_its_own_files(
    gcp: Stack, variables: dict[str, dict[str, str]]
) -> None:
    """From the staging bucket of this project, by number, under the files' prefix."""
    (accepted,) = json.loads(variables["gcp_export"]["NHI_EVIDENCE_SOURCE_BUCKETS"])
    _, bucket = at(gcp, "staging/bucket")
    _, batches = at(gcp, "batches/subscription")
    assert {
        "bucket": bucket["name"],
        "prefix": batches["cloud_storage_config"]["filename_prefix"],
        "project_number": "${data.google_project.project.number}",
    } == accepted
    assert bucket["project"] == gcp["data"]["google_project"]["project"]["project_id"]
    assert "[]" == variables["gcp_export"]["NHI_EVIDENCE_SOURCE_TOPICS"]


def test_the_azure_trigger_is_bound_to_what_is_deployed(
    azure: Stack, variables: dict[str, dict[str, str]]
) -> None:
    """Hub, consumer group and connection of the function's own binding are in the stack."""
    module = importlib.import_module("functions.azure_export.function_app")
    (function,) = module.app.get_functions()
    (binding,) = [
        one for one in json.loads(str(function))["bindings"] if one["type"] == "eventHubTrigger"
    ]
    assert "%NHI_EVIDENCE_HUB%" == binding["eventHubName"]
    assert at(azure, "logs/hub")[1]["name"] == variables["azure_export"]["NHI_EVIDENCE_HUB"]
    group = only(azure, "azurerm_eventhub_consumer_group")["name"]
    declared = declaration("azure_export").trigger
    assert isinstance(declared, EventHub)
    assert group.startswith(f"{declared.consumer_group}-")
    assert "%EventHubConsumerGroup%" == binding["consumerGroup"]
    assert "MANY" == binding["cardinality"]
    template = at(azure, "export/site")[1]["template_content"]
    assert f'"{binding["connection"]}__fullyQualifiedNamespace"' in template


def test_the_azure_host_is_configured_as_declared() -> None:
    """host.json allows batches as large and long as in deploy.toml."""
    host = json.loads((ROOT / "functions" / "azure_export" / "host.json").read_text())
    declared = declaration("azure_export")
    assert isinstance(declared.trigger, EventHub)
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert declared.function.timeout_seconds == hours * 3600 + minutes * 60 + seconds
    hubs = host["extensions"]["eventHubs"]
    assert declared.trigger.max_batch_size == hubs["maxEventBatchSize"] == 256
    assert hubs["minEventBatchSize"] < hubs["maxEventBatchSize"] <= hubs["prefetchCount"]
    assert "00:05:00" == hubs["maxWaitTime"]
    # The host twice, the worker three times, the lines of one object, and what runs anyway.
    largest_mb = (2 + 3) * 256 * 1 + 2 * 128 + 500
    assert largest_mb <= declared.function.memory_mb


def test_every_log_of_azure_and_entra_has_a_pack() -> None:
    """No exported, and paid, category is unknown to the exporter."""
    from infra.azure import entra_logs  # noqa: PLC0415 - starts jsii

    table = ROOT / "shared" / "nhi_evidence" / "sources" / "azure_monitor" / "routes.json"
    routes = json.loads(table.read_text())["routes"]
    activities = (*ACTIVITY, *GROUP_CATEGORIES)
    wanted = {*activities, *entra_logs.CATEGORIES}
    assert [] == sorted(one for one in wanted if one.lower() not in routes)


def test_google_s_entry_point_exists(gcp: Stack) -> None:
    """The entry point is a CloudEvent function of the entry file."""
    declared = declaration("gcp_export").function
    entry = only(gcp, "google_cloudfunctions2_function")["build_config"]["entry_point"]
    assert "main.py" == declared.entry
    source = (ROOT / "functions" / "gcp_export" / declared.entry).read_text()
    assert re.search(rf"^@functions_framework\.cloud_event\n(?:@.*\n)*def {entry}\(", source, re.M)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive of the real bundle."""
    folder = tmp_path_factory.mktemp("source")
    return build_source(stage("gcp_export", into=folder), folder)


def test_google_builds_from_our_code_and_the_lock(source: Path) -> None:
    """It has our code and the entry, no wheels, and every requirement pinned with hashes."""
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        wanted = archive.read("requirements.txt").decode()
    assert {"main.py", "requirements.txt", "nhi_evidence"} == {
        one.partition("/")[0] for one in names
    }
    assert not [one for one in names if one.startswith("nhi_evidence/cli/")]
    pinned = re.split(r"\n(?=\S)", wanted.strip())
    assert [] == [one for one in pinned if not re.match(r"[\w.-]+==\S+ ", one)]
    assert [] == [one for one in pinned if "--hash=sha256:" not in one]
    distributions = {one.partition("==")[0] for one in pinned}
    assert {"functions-framework", "boto3", "msgspec"} <= distributions
    assert str(ROOT) not in wanted


def test_the_same_source_is_the_same_archive(source: Path, tmp_path: Path) -> None:
    """Built again, elsewhere, the archive has the same bytes."""
    assert source.read_bytes() == build_source(stage("gcp_export"), tmp_path).read_bytes()


def test_google_compiles_the_source(source: Path, tmp_path: Path) -> None:
    """The build refuses invalid Python: every file of the archive compiles."""
    with zipfile.ZipFile(source) as archive:
        archive.extractall(tmp_path)
    for file in tmp_path.rglob("*.py"):
        compile(file.read_text(), str(file), "exec")


def test_two_builds_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another deployment builds the same while this one copies."""
    bundle = unstaged(tmp_path / "functions")("gcp_export")
    copy, builds = shutil.copytree, iter([build_source])

    def interrupted(source: Path, target: Path) -> None:
        for build in builds:
            build(bundle, tmp_path / "build")
        copy(source, target)

    monkeypatch.setattr(shutil, "copytree", interrupted)
    assert [build_source(bundle, tmp_path / "build")] == [*(tmp_path / "build").iterdir()]
