"""The Google Cloud stacks: what is exported, by whom, and what nobody may do."""

from __future__ import annotations

import re
from pathlib import Path

from tests.infra.terrain.synthesis import Stack, Stacks, at, only, synthesize, values

EXPORTER = "serviceAccount:nhi-evidence-exporter@example-evidence.iam.gserviceaccount.com"
PUBSUB_AGENT = (
    "serviceAccount:service-${data.google_project.project.number}"
    "@gcp-sa-pubsub.iam.gserviceaccount.com"
)


def test_the_sink_takes_every_audit_log_of_everything_below(gcp: Stack) -> None:
    """Children included, nothing excluded, nothing intercepted, not disabled."""
    sink = only(gcp, "google_logging_organization_sink")
    assert "123456789012" == sink["org_id"]
    assert sink["include_children"] is True
    assert set() == {"exclusions", "disabled", "intercept_children"} & set(sink)
    assert [
        "cloudaudit.googleapis.com/activity",
        "cloudaudit.googleapis.com/data_access",
        "cloudaudit.googleapis.com/system_event",
        "cloudaudit.googleapis.com/policy",
    ] == re.findall(r'log_id\("([^"]+)"\)', sink["filter"])
    assert set() == set(re.findall(r"\b(?:NOT|AND)\b|[-!]=|=~", sink["filter"]))


def test_only_the_sink_publishes(gcp: Stack) -> None:
    """The topic's publishers are bound, not added to, and the sink's identity is the one."""
    topic, _ = at(gcp, "audit/topic")
    sink, body = at(gcp, "organization/sink")
    assert f"pubsub.googleapis.com/${{{topic}.id}}" == body["destination"]
    _, binding = at(gcp, "organization/publisher")
    assert "roles/pubsub.publisher" == binding["role"]
    assert f"${{{topic}.name}}" == binding["topic"]
    assert [f"${{{sink}.writer_identity}}"] == binding["members"]


def test_data_access_logs_are_on_without_exemption(gcp: Stack) -> None:
    """Each configured service has the types its coverage needs; nobody is exempted."""
    configured = {
        one["service"]: [log["log_type"] for log in one["audit_log_config"]]
        for one in gcp["resource"]["google_organization_iam_audit_config"].values()
    }
    assert {
        "allServices": ["ADMIN_READ"],
        "secretmanager.googleapis.com": ["ADMIN_READ", "DATA_READ"],
        "storage.googleapis.com": ["DATA_READ", "DATA_WRITE"],
        "aiplatform.googleapis.com": ["DATA_READ"],
        "mcp.googleapis.com": ["ADMIN_READ", "DATA_READ", "DATA_WRITE"],
        "container.googleapis.com": ["DATA_READ"],
    } == configured
    assert [] == [path for path, _ in values(gcp) if "exempted" in path]


def test_a_file_waits_where_nobody_can_change_it(gcp: Stack) -> None:
    """No public access, no access lists, no overwriting, no deleting; gone a day later."""
    _, bucket = at(gcp, "staging/bucket")
    assert "enforced" == bucket["public_access_prevention"]
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["force_destroy"] is False
    kept = int(bucket["retention_policy"]["retention_period"])
    assert 14 * 86_400 == kept
    assert [{"action": {"type": "Delete"}, "condition": {"age": 15}}] == bucket["lifecycle_rule"]
    _, topic = at(gcp, "audit/topic")
    assert kept > int(topic["message_retention_duration"].removesuffix("s"))


def test_files_are_written_by_one_identity_and_read_by_one(gcp: Stack) -> None:
    """Create for the batch writer, read for the exporter: bound, so nobody else by a grant."""
    bucket, _ = at(gcp, "staging/bucket")
    writer, _ = at(gcp, "batch-writer/account")
    bound = gcp["resource"]["google_storage_bucket_iam_binding"].values()
    assert {f"${{{bucket}.name}}"} == {one["bucket"] for one in bound}
    assert {
        "roles/storage.objectCreator": [f"${{{writer}.member}}"],
        "roles/storage.legacyBucketReader": [f"${{{writer}.member}}", EXPORTER],
        "roles/storage.objectViewer": [EXPORTER],
    } == {one["role"]: one["members"] for one in bound}


def test_batches_are_bounded_and_nothing_is_dropped(gcp: Stack) -> None:
    """A file closes within the acknowledgement deadline; what cannot be written is set aside."""
    _, batches = at(gcp, "batches/subscription")
    writer, _ = at(gcp, "batch-writer/account")
    dead, _ = at(gcp, "dead-letters/topic")
    written = batches["cloud_storage_config"]
    assert int(written["max_duration"].removesuffix("s")) <= batches["ack_deadline_seconds"]
    assert 1024 <= written["max_bytes"] <= 64_000_000
    assert f"${{{writer}.email}}" == written["service_account_email"]
    assert "text_config" in written
    assert {
        "dead_letter_topic": f"${{{dead}.id}}",
        "max_delivery_attempts": 100,
    } == batches["dead_letter_policy"]
    subscriptions = gcp["resource"]["google_pubsub_subscription"].values()
    assert {""} == {one["expiration_policy"]["ttl"] for one in subscriptions}
    assert not [one for one in subscriptions if "filter" in one or "message_transforms" in one]
    assert [PUBSUB_AGENT] == at(gcp, "dead-letters/publisher")[1]["members"]
    assert [PUBSUB_AGENT] == at(gcp, "batches/agent")[1]["members"]
    grants = {at(gcp, f"staging/{one}")[0] for one in ("writer", "metadata", "reader")}
    assert grants <= set(batches["depends_on"])


def test_the_exporter_may_read_its_files_and_nothing_else(stacks: Stacks) -> None:
    """It reads one bucket and its metadata, by any stack; no identity has a key."""
    roles = [
        (type_name, body["role"])
        for stack in stacks.values()
        for type_name, bodies in stack["resource"].items()
        for body in bodies.values()
        if EXPORTER in [body.get("member"), *body.get("members", [])]
    ]
    assert [
        ("google_storage_bucket_iam_binding", "roles/storage.legacyBucketReader"),
        ("google_storage_bucket_iam_binding", "roles/storage.objectViewer"),
    ] == sorted(roles)
    assert set() == {
        type_name
        for stack in stacks.values()
        for type_name in stack["resource"]
        if re.search(r"key|password|secret", type_name)
    }


def test_roles_on_the_project_are_these(gcp: Stack) -> None:
    """What is granted on the whole project, and to whom: no editor, no admin, no user."""
    caller, builder = at(gcp, "caller/account")[0], at(gcp, "builder/account")[0]
    assert {
        ("roles/eventarc.eventReceiver", f"${{{caller}.member}}"),
        ("roles/logging.logWriter", f"${{{builder}.member}}"),
        ("roles/storage.objectViewer", f"${{{builder}.member}}"),
        (
            "roles/pubsub.publisher",
            f"${{data.google_storage_project_service_account.{_agent(gcp)}.member}}",
        ),
    } == {
        (one["role"], one["member"])
        for one in gcp["resource"]["google_project_iam_member"].values()
    }


def _agent(stack: Stack) -> str:
    (name,) = stack["data"]["google_storage_project_service_account"]
    return str(name)


def test_nothing_is_granted_to_the_public(stacks: Stacks) -> None:
    """Neither allUsers nor allAuthenticatedUsers is a member anywhere."""
    everything = [value for stack in stacks.values() for _, value in values(stack)]
    assert [] == [one for one in everything if str(one).startswith(("allUsers", "allAuth"))]


def test_the_function_is_called_by_eventarc_alone_and_called_again(gcp: Stack) -> None:
    """Internal ingress, one invoker, its own identities to run, to build and to be called by."""
    function = only(gcp, "google_cloudfunctions2_function")
    caller, builder = at(gcp, "caller/account")[0], at(gcp, "builder/account")[0]
    bucket, _ = at(gcp, "staging/bucket")
    assert "python313" == function["build_config"]["runtime"]
    assert f"${{{builder}.name}}" == function["build_config"]["service_account"]
    service, trigger = function["service_config"], function["event_trigger"]
    assert "ALLOW_INTERNAL_ONLY" == service["ingress_settings"]
    assert f"serviceAccount:{service['service_account_email']}" == EXPORTER
    assert "RETRY_POLICY_RETRY" == trigger["retry_policy"]
    assert "google.cloud.storage.object.v1.finalized" == trigger["event_type"]
    assert [{"attribute": "bucket", "value": f"${{{bucket}.name}}"}] == trigger["event_filters"]
    assert f"${{{caller}.email}}" == trigger["service_account_email"]
    invoker = only(gcp, "google_cloud_run_v2_service_iam_binding")
    assert ("roles/run.invoker", [f"${{{caller}.member}}"]) == (invoker["role"], invoker["members"])


def test_everything_stays_in_the_region(gcp: Stack) -> None:
    """Messages, files, containers and the function have the configured region."""
    places = {
        str(value).lower()
        for path, value in values(gcp["resource"])
        if path.endswith((".location", ".trigger_region", ".allowed_persistence_regions"))
    }
    assert {"europe-west1"} == places


def test_someone_is_told_when_logs_stop_wait_or_are_set_aside(gcp: Stack) -> None:
    """Four alarms to the configured address."""
    alarms = gcp["resource"]["google_monitoring_alert_policy"].values()
    watched = {
        metric
        for one in alarms
        for _, value in values(one["conditions"])
        for metric in re.findall(r'metric\.type = "([^"]+)"', str(value))
    }
    assert {
        "pubsub.googleapis.com/subscription/num_undelivered_messages",
        "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
        "pubsub.googleapis.com/topic/send_message_operation_count",
        "run.googleapis.com/request_count",
    } == watched
    channel = only(gcp, "google_monitoring_notification_channel")
    assert {"email_address": "security@example.org"} == channel["labels"]


def test_the_identity_comes_first_and_alone(stacks: Stacks) -> None:
    """The stack AWS waits for makes the account, switches services on and shows the subject."""
    identity = stacks["gcp-identity"]
    assert {"google_service_account", "google_project_service"} == set(identity["resource"])
    account, _ = at(identity, "exporter/account")
    assert f"${{{account}.unique_id}}" == identity["output"]["exporter_subject"]["value"]


def test_small_estates_take_single_messages(tmp_path: Path) -> None:
    """Delivery "direct" has no staging bucket and no batches, and the same sink and function."""
    direct = synthesize(
        tmp_path,
        change=('audience = "nhi-evidence"', 'audience = "nhi-evidence"\ndelivery = "direct"'),
    )["gcp-export"]
    topic, _ = at(direct, "audit/topic")
    trigger = only(direct, "google_cloudfunctions2_function")["event_trigger"]
    assert "google.cloud.pubsub.topic.v1.messagePublished" == trigger["event_type"]
    assert f"${{{topic}.id}}" == trigger["pubsub_topic"]
    assert "google_pubsub_subscription" not in direct["resource"]
    service = only(direct, "google_cloudfunctions2_function")["service_config"]
    variables = service["environment_variables"]
    assert (
        '["projects/example-evidence/topics/nhi-evidence-audit-logs"]'
        == (variables["NHI_EVIDENCE_SOURCE_TOPICS"])
    )
    assert "[]" == variables["NHI_EVIDENCE_SOURCE_BUCKETS"]
    assert ["source/bucket"] == [
        one["//"]["metadata"]["path"].partition("/")[2]
        for one in direct["resource"]["google_storage_bucket"].values()
    ]
