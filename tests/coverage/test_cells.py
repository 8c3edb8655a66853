"""Every cell has what a reader needs, an evaluator, and a case for each verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.coverage import cells as cells_module
from nhi_evidence.coverage import judges
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.cells import PHASES, Cell, Step, cells, setting_of, settings
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon, google, microsoft
from nhi_evidence.demo.estate.amazon import field, selector
from nhi_evidence.demo.estate.edits import Change, edited, put, without_source
from nhi_evidence.errors import CatalogError, SettingsError

READINGS = {reading.platform: reading for reading in estate.readings(0)}
V = Verdict
IMPOSSIBLE = {"impossible": V.IMPOSSIBLE, "not_known": V.UNKNOWN}
"""Evaluators that read nothing; the opposite case is an arriving record (test_canaries)."""
NEVER_HERE = {
    "aws_event_bus": V.ELSEWHERE,
    "aws_telemetry": V.ELSEWHERE,
    "azure_traces": V.ELSEWHERE,
    "entra_tenant_setting": V.ELSEWHERE,
}
"""Settings whose best verdict is a record elsewhere."""


def _without_management(cell: Cell) -> Change:
    """Exclude the cell's event source, or if it has none, let only writes pass."""
    source = cell.params["kinds"][0].get("source")
    cut = (
        field("eventSource", source, operator="NotEquals") if source else field("readOnly", "false")
    )
    rest = amazon.selectors()[1:]
    management = selector(field("eventCategory", "Management"), cut)
    return edited("cloudtrail:GetEventSelectors", put(AdvancedEventSelectors=[management, *rest]))


def _without_type(cell: Cell) -> Change:
    """Select every data type except the cell's first."""
    type_ = cell.params["kinds"][0]["type"]
    rest = [
        one
        for one in amazon.selectors()
        if field("resources.type", type_) not in one["FieldSelectors"]
    ]
    return edited("cloudtrail:GetEventSelectors", put(AdvancedEventSelectors=rest))


def _refused_alone(_cell: Cell) -> Change:
    network = [
        selector(*one["FieldSelectors"], field("errorCode", "VpceAccessDenied"))
        if field("eventCategory", "NetworkActivity") in one["FieldSelectors"]
        else one
        for one in amazon.selectors()
    ]
    return edited("cloudtrail:GetEventSelectors", put(AdvancedEventSelectors=network))


def _without_log_type(cell: Cell) -> Change:
    """Omit one Data Access type the cell needs: half enabled is not enabled."""
    others = {"ADMIN_READ", "DATA_READ", "DATA_WRITE"} - {cell.params["types"][-1]}
    config = google.audit_config(*sorted(others))
    return edited(
        "cloudresourcemanager.getIamPolicy", put(auditConfigs=[config]), google.ORGANIZATION
    )


def _without_sink(_cell: Cell) -> Change:
    return edited("logging.sinks.list", put(sinks=[]), google.ORGANIZATION)


def _without_category(cell: Cell) -> Change:
    kept = [c for c in ("Administrative", "Policy") if c not in cell.params["categories"]]
    return edited(
        "Microsoft.Insights/diagnosticSettings",
        put(value=[microsoft.setting(kept)]),
        microsoft.SUBSCRIPTION,
    )


def _without_setting(cell: Cell) -> Change:
    """Remove the setting from one resource of the type: the others do not make up for it."""
    ids = {
        "Microsoft.KeyVault/vaults": microsoft.VAULT,
        "Microsoft.Storage/storageAccounts": f"{microsoft.STORAGE}/tableServices/default",
        "Microsoft.ContainerService/managedClusters": microsoft.CLUSTER,
        "Microsoft.CognitiveServices/accounts": microsoft.MODEL,
    }
    return edited("Microsoft.Insights/diagnosticSettings", put(value=[]), ids[cell.params["type"]])


def _without_entra(cell: Cell) -> Change:
    kept = [name for name in microsoft.ENTRA if name != cell.params["category"]]
    return edited(
        "Microsoft.Insights/diagnosticSettings",
        put(value=[microsoft.setting(kept)]),
        microsoft.TENANT,
    )


def _one_device(_cell: Cell) -> Change:
    return edited("GET sys/audit", lambda body: {"data": dict(list(body["data"].items())[:1])})


def _hashed(_cell: Cell) -> Change:
    devices = {name: {"type": "file", "options": {}} for name in ("one/", "two/")}
    return edited("GET sys/audit", lambda _: {"data": devices})


def _off(call: str, body: Any) -> Callable[[Cell], Change]:
    return lambda _cell: edited(call, lambda _: body)


def _not_deployed(cell: Cell) -> Change:
    return without_source(cell.params["source"])


OTHER_SIDE: dict[str, tuple[Callable[[Cell], Change], Verdict]] = {
    "aws_management": (_without_management, V.GAP),
    "aws_data": (_without_type, V.GAP),
    "aws_network": (_refused_alone, V.GAP),
    "aws_event_bus": (_off("events:DescribeRule", {"Name": "reads", "State": "ENABLED"}), V.GAP),
    "aws_evidence_bucket": (
        _off("s3:GetObjectLockConfiguration", {"ObjectLockConfiguration": {}}),
        V.GAP,
    ),
    "aws_telemetry": (
        _off("observabilityadmin:GetTelemetryRule", {"TelemetryRule": {}, "RuleArn": ""}),
        V.GAP,
    ),
    "aws_aggregated": (_off("cloudtrail:GetEventConfiguration", {}), V.GAP),
    "aws_api_gateway": (_off("apigateway:GetStages", {"item": [{"stageName": "prod"}]}), V.GAP),
    "gcp_data_access": (_without_log_type, V.GAP),
    "gcp_always_on": (_without_sink, V.ELSEWHERE),
    "azure_subscription": (_without_category, V.ELSEWHERE),
    "azure_resources": (_without_setting, V.GAP),
    "azure_traces": (
        _off("Microsoft.CognitiveServices/accounts/projects/connections", {"enabled": False}),
        V.GAP,
    ),
    "entra": (_without_entra, V.GAP),
    "entra_tenant_setting": (
        _off("Microsoft.Insights/diagnosticSettings", {"value": []}),
        V.GAP,
    ),
    "github_stream": (_off("GET enterprises/audit-log/streams", [{"enabled": False}]), V.GAP),
    "github_api_events": (_off("github:ApiRequestEvents", {"enabled": False}), V.GAP),
    "okta_log": (_not_deployed, V.ELSEWHERE),
    "vault_audit": (_one_device, V.GAP),
    "vault_accessor": (_hashed, V.GAP),
    "eks_audit": (
        _off("eks:DescribeCluster", {"cluster": {"logging": {"clusterLogging": []}}}),
        V.GAP,
    ),
    "mcp_server": (_off("mcp:Heartbeat", {"enabled": False}), V.GAP),
    "anthropic_feed": (_off("GET v1/compliance/activities", {"enabled": False}), V.GAP),
    "openai_audit": (_off("GET v1/organization/audit_logs", {"enabled": False}), V.GAP),
}
"""For each readable setting: a change that removes a cell, and the resulting verdict."""


def judged(cell: Cell, change: Change | None = None) -> tuple[Verdict, str]:
    reading: Reading | None = READINGS.get(judges.reader_of(cell.platform))
    if change is not None and reading is not None:
        reading = change(reading)
    judgment = judges.judge(cell, reading)
    assert judgment.reasons
    assert all(judgment.reasons)
    return judgment.verdict, "; ".join((*judgment.reasons, *judgment.missing))


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.id)
def test_a_cell_states_what_a_reader_needs(cell: Cell) -> None:
    """Status, how it is read, what the record is, and how to fix or compensate it."""
    setting = setting_of(cell)
    assert setting.evaluator in {*judges.BY_TABLE, *judges.EVALUATORS}
    assert setting.reads
    assert all((cell.case, cell.record, cell.probe, cell.expect, setting.setting))
    assert all((setting.fix.cdk, setting.fix.terraform, setting.fix.cli))
    assert setting.delay_minutes > 0
    assert cell.step in PHASES
    assert cell.refs
    assert cell.compensating or cell.documented not in {"impossible", "not known"}


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.id)
def test_a_cell_has_a_case_on_each_side(cell: Cell) -> None:
    """With everything on it is recorded, here if possible; with its setting off it is not."""
    setting = setting_of(cell)
    assert not judges.needs_reading(cell) or judges.reader_of(cell.platform) in READINGS, (
        f"{cell.id}: {setting.evaluator} judges a reading of {cell.platform}, and no command makes "
        f"one: the evaluator of {setting.id} has to be one of {', '.join(IMPOSSIBLE)}"
    )
    verdict, why = judged(cell)
    if setting.evaluator in IMPOSSIBLE:
        assert verdict is IMPOSSIBLE[setting.evaluator], why
        assert judges.judge(cell, None).verdict is verdict
        return
    best = V.UNKNOWN if cell.confidence == "low" else NEVER_HERE.get(setting.id, V.CONFIGURED)
    assert verdict is best, why
    change, expected = OTHER_SIDE[setting.id]
    verdict, why = judged(cell, change(cell))
    assert verdict is expected, why
    assert judges.judge(cell, None).verdict is V.UNKNOWN


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.id)
def test_what_is_read_comes_from_the_calls_a_setting_names(cell: Cell) -> None:
    """Refusing every call a setting names leaves nothing to base a verdict on."""
    reading = READINGS.get(judges.reader_of(cell.platform))
    if setting_of(cell).evaluator in IMPOSSIBLE or reading is None:
        return
    denied = tuple(
        answer
        if answer.call.startswith("nhi-evidence:")
        else msgspec.structs.replace(answer, status="denied", error="AccessDenied", answer=None)
        for answer in reading.answers
    )
    judgment = judges.judge(cell, msgspec.structs.replace(reading, answers=denied))
    assert judgment.verdict is V.UNKNOWN, judgment


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.id)
def test_answers_of_another_shape_are_unknown(cell: Cell) -> None:
    """Whatever a provider answers, a cell is judged or unknown, and no exception is raised."""
    reading = READINGS.get(judges.reader_of(cell.platform))
    if reading is None:
        return
    bodies: list[Any] = [None, [], "text", 7, {"value": 3}, {"trailList": [{}]}, {"ancestor": [{}]}]
    for body in bodies:
        odd = tuple(
            answer
            if answer.call.startswith("nhi-evidence:")
            else msgspec.structs.replace(answer, answer=body)
            for answer in reading.answers
        )
        judgment = judges.judge(cell, msgspec.structs.replace(reading, answers=odd))
        assert judgment.verdict is not V.CONFIGURED or setting_of(cell).evaluator in {
            "reachable",
            "mcp",
        }


def test_a_limit_is_of_the_cell_s_own_platform() -> None:
    """One that stands in two platforms' cells was copied, unless nothing is known of either."""
    of: dict[str, set[str]] = {}
    for cell in cells():
        if cell.limit and cell.documented != "not known":
            of.setdefault(cell.limit, set()).add(cell.platform)
    assert {} == {limit: platforms for limit, platforms in of.items() if len(platforms) > 1}


def test_one_log_of_a_cluster_is_enough() -> None:
    """Its audit log has who asks who it is; no source reads the authenticator's log."""
    audit = {"cluster": {"logging": {"clusterLogging": [{"types": ["audit"], "enabled": True}]}}}
    change = _off("eks:DescribeCluster", audit)
    for cell in cells():
        if cell.setting == "eks_audit":
            assert judged(cell, change(cell))[0] is V.CONFIGURED, cell.id


def test_the_matrix_is_complete() -> None:
    """Thirteen steps, every setting in use, and no cell without its platform's reader."""
    assert set(Step) == {cell.step for cell in cells()} == set(PHASES)
    assert set(settings()) == {cell.setting for cell in cells()}
    with_reading = [cell for cell in cells() if judges.needs_reading(cell)]
    assert len(with_reading) == 121
    documented = Counter(cell.documented for cell in with_reading)
    assert dict(documented) == {"setting": 89, "default": 24, "partial": 8}


def test_a_value_that_is_not_allowed_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def declared(name: str, file: str, shape: type[msgspec.Struct]) -> msgspec.Struct:
        try:
            return msgspec.convert(
                {"cells": [{"id": "x", "platform": "x", "step": "probe"}]}, shape
            )
        except msgspec.MsgspecError as error:
            raise SettingsError(f"source {name!r}: {file}: {error}") from error

    monkeypatch.setattr(sources, "declared", declared)
    cells_module._of_sources.cache_clear()
    try:
        with pytest.raises(CatalogError) as refused:
            cells_module._of_sources()
    finally:
        cells_module._of_sources.cache_clear()
    assert "coverage.toml" in str(refused.value)
    assert "'probe'" in str(refused.value)
    assert "one of credential_validation, enumeration, permission_probing" in str(refused.value)


@pytest.mark.parametrize("name", judges.EVALUATORS)
def test_an_evaluator_of_a_reading_can_be_called(name: str) -> None:
    """None is there that only the table's own decision keeps from being called."""
    cell = next(one for one in cells() if judges.evaluator_of(one) == name)
    reading = READINGS[judges.reader_of(cell.platform)]
    assert judges.EVALUATORS[name](reading, cell.params, judges.EVERYONE).reasons


def test_an_evaluator_that_does_not_exist_is_refused_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = cells()[0]
    misspelled = msgspec.structs.replace(setting_of(cell), evaluator="reachible")
    monkeypatch.setattr(judges, "setting_of", lambda _cell: misspelled)
    with pytest.raises(CatalogError) as refused:
        judges.judge(cell, None)
    assert str(refused.value) == (
        f"coverage: setting {misspelled.id}: no evaluator reachible; one of "
        + ", ".join((*judges.BY_TABLE, *judges.EVALUATORS))
    )


def test_sources_exist_in_this_release_except_three_without_any() -> None:
    """A cell waiting for a source by a wrong name would never be recorded here."""
    named = {cell.params["source"] for cell in cells() if "source" in cell.params}
    assert named - set(sources.names()) == {"mcp_audit", "anthropic_activity", "openai_audit"}


def test_why_nothing_records_it_is_one_sentence() -> None:
    """A cell's record begins with `none` where there is none; the reason does not repeat it."""
    reasons = [
        judges.judge(cell, None).reason for cell in cells() if cell.documented == "impossible"
    ]
    assert len(reasons) > 5
    assert not [one for one in reasons if re.search(r"\. none|none[:;]|: none$|[.:;]$", one)]
    assert "AWS has no setting that records it: InvalidClientTokenId and" in " ".join(reasons)
