"""The Google Cloud stacks: what is exported, by whom, and what nobody may do."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

from infra.teardown import Teardown
from tests.infra.terrain.synthesis import (
    Stack,
    Stacks,
    at,
    never_destroyed,
    only,
    synthesize,
    values,
)

EXPORTER = "serviceAccount:nhi-evidence-exporter@example-evidence.iam.gserviceaccount.com"


PUBSUB_AGENT = (
    "serviceAccount:service-${data.google_project.project.number}"
    "@gcp-sa-pubsub.iam.gserviceaccount.com"
)


def test_the_sink_takes_every_audit_log_of_everything_below(gcp: Stack) -> None:
    """It includes children, and excludes, intercepts and disables nothing."""
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
    """The topic's publishers are a binding, with the sink's identity as the only member."""
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


def test_services_of_one_first_name_have_settings_of_their_own(tmp_path: Path) -> None:
    """Their whole names tell them apart."""
    other = "storage.mtls.googleapis.com"
    changed = ("data_access = [", f'data_access = ["{other}", ')
    settings = synthesize(tmp_path, change=changed)["gcp-export"]["resource"][
        "google_organization_iam_audit_config"
    ].values()
    assert {other, "storage.googleapis.com"} <= {one["service"] for one in settings}


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
    """Create for the batch writer, read for the exporter, and nobody else reads a file.

    It is the whole policy: the one of a new bucket lets the viewers and editors of the project read
    every object. Owners manage the bucket, as whoever deploys it has to.
    """
    bucket, _ = at(gcp, "staging/bucket")
    writer, _ = at(gcp, "batch-writer/account")
    assert "google_storage_bucket_iam_binding" not in gcp["resource"]
    policy = only(gcp, "google_storage_bucket_iam_policy")
    assert f"${{{bucket}.name}}" == policy["bucket"]
    assert {
        "roles/storage.objectCreator": [f"${{{writer}.member}}"],
        "roles/storage.legacyBucketReader": [f"${{{writer}.member}}", EXPORTER],
        "roles/storage.legacyObjectReader": [EXPORTER],
        "roles/storage.legacyBucketOwner": ["projectOwner:example-evidence"],
    } == {one["role"]: one["members"] for one in _bindings(policy)}


def _bindings(policy: Stack) -> list[Stack]:
    return list(json.loads(policy["policy_data"])["bindings"])


def test_batches_are_bounded_and_nothing_is_dropped(gcp: Stack) -> None:
    """A file closes within the acknowledgement deadline; undeliverable messages are set aside."""
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
    assert at(gcp, "staging/access")[0] in batches["depends_on"]


def test_the_exporter_may_read_its_files_and_nothing_else(stacks: Stacks) -> None:
    """It reads one bucket and its metadata, over all stacks; no identity has a key."""
    granted = [
        (type_name, one["role"])
        for stack in stacks.values()
        for type_name, bodies in stack["resource"].items()
        for body in bodies.values()
        for one in (_bindings(body) if "policy_data" in body else [body])
        if EXPORTER in [one.get("member"), *one.get("members", [])]
    ]
    assert [
        ("google_storage_bucket_iam_policy", "roles/storage.legacyBucketReader"),
        ("google_storage_bucket_iam_policy", "roles/storage.legacyObjectReader"),
    ] == sorted(granted)
    assert set() == {
        type_name
        for stack in stacks.values()
        for type_name in stack["resource"]
        if re.search(r"key|password|secret", type_name)
    }


def test_exactly_these_roles_are_granted_on_the_project(gcp: Stack) -> None:
    """Grants on the whole project: no editor, no admin, no user."""
    builder, _ = at(gcp, "builder/account")
    assert {
        ("roles/logging.logWriter", f"${{{builder}.member}}", None),
        ("roles/storage.objectViewer", f"${{{builder}.member}}", BUILD_BUCKET_ALONE),
    } == {
        (one["role"], one["member"], one.get("condition", {}).get("expression"))
        for one in gcp["resource"]["google_project_iam_member"].values()
    }


BUILD_BUCKET = (
    "projects/_/buckets/gcf-v2-sources-${data.google_project.project.number}-europe-west1"
)


BUILD_BUCKET_ALONE = (
    f'resource.name == "{BUILD_BUCKET}" || resource.name.startsWith("{BUILD_BUCKET}/objects/")'
)


def test_the_builder_reads_source_and_nothing_else(gcp: Stack) -> None:
    """Its grants on buckets: our source, and by condition the platform's copy of it."""
    builder = f"${{{at(gcp, 'builder/account')[0]}.member}}"
    source, _ = at(gcp, "source/bucket")
    assert [(f"${{{source}.name}}", "roles/storage.objectViewer")] == [
        (body["bucket"], body["role"])
        for body in gcp["resource"]["google_storage_bucket_iam_member"].values()
        if body["member"] == builder
    ]
    granted = [path for path, value in values(gcp["resource"]) if value == builder]
    assert 4 == len(granted), granted


def test_nothing_is_granted_to_the_public(stacks: Stacks) -> None:
    """Neither allUsers nor allAuthenticatedUsers is a member anywhere."""
    everything = [value for stack in stacks.values() for _, value in values(stack)]
    assert [] == [one for one in everything if str(one).startswith(("allUsers", "allAuth"))]


def test_only_our_subscription_calls_the_function(gcp: Stack) -> None:
    """Internal ingress, one invoker, no trigger, and separate identities to run, build and call."""
    function_name, function = at(gcp, "export/function")
    caller, builder = at(gcp, "caller/account")[0], at(gcp, "builder/account")[0]
    assert "python313" == function["build_config"]["runtime"]
    assert f"${{{builder}.name}}" == function["build_config"]["service_account"]
    assert "event_trigger" not in function
    service = function["service_config"]
    assert "ALLOW_INTERNAL_ONLY" == service["ingress_settings"]
    assert f"serviceAccount:{service['service_account_email']}" == EXPORTER
    invoker = only(gcp, "google_cloud_run_v2_service_iam_binding")
    assert ("roles/run.invoker", [f"${{{caller}.member}}"]) == (invoker["role"], invoker["members"])
    _, push = at(gcp, "stored/subscription")
    address = f"${{{function_name}.service_config[0].uri}}"
    assert {
        "push_endpoint": f"{address}/projects/example-evidence/topics/nhi-evidence-files",
        "oidc_token": {"service_account_email": f"${{{caller}.email}}", "audience": address},
    } == push["push_config"]
    _, minted = at(gcp, "caller/minted-by")
    assert ("roles/iam.serviceAccountTokenCreator", [PUBSUB_AGENT]) == (
        minted["role"],
        minted["members"],
    )
    assert not [path for path, value in values(gcp["resource"]) if "eventarc" in str(value)]


def test_a_delivery_is_retried_for_as_long_as_its_file_is_kept(gcp: Stack) -> None:
    """With backoff and no last attempt; the platform waits longer than a call may take."""
    _, push = at(gcp, "stored/subscription")
    _, batches = at(gcp, "batches/subscription")
    _, bucket = at(gcp, "staging/bucket")
    assert f"{14 * 86_400}s" == push["message_retention_duration"]
    assert int(bucket["retention_policy"]["retention_period"]) >= 14 * 86_400
    assert "dead_letter_policy" not in push
    timeout = only(gcp, "google_cloudfunctions2_function")["service_config"]["timeout_seconds"]
    assert timeout < push["ack_deadline_seconds"] <= 600
    backoff = {"minimum_backoff": "10s", "maximum_backoff": "600s"}
    assert [backoff, backoff] == [push["retry_policy"], batches["retry_policy"]]


def test_no_file_is_written_unannounced(gcp: Stack) -> None:
    """From the invoker to the sink, each step waits for its consumer."""
    order = (
        *("export/invoker", "stored/subscription", "announced/notification"),
        *("batches/subscription", "organization/sink"),
    )
    for earlier, later in pairwise(order):
        assert at(gcp, earlier)[0] in at(gcp, later)[1]["depends_on"], (earlier, later)
    _, notification = at(gcp, "announced/notification")
    _, batches = at(gcp, "batches/subscription")
    assert ["OBJECT_FINALIZE"] == notification["event_types"]
    assert batches["cloud_storage_config"]["filename_prefix"] == notification["object_name_prefix"]
    assert f"${{{at(gcp, 'files/topic')[0]}.id}}" == notification["topic"]
    _, publisher = at(gcp, "files/publisher")
    (agent,) = gcp["data"]["google_storage_project_service_account"]
    assert [f"${{data.google_storage_project_service_account.{agent}.member}}"] == publisher[
        "members"
    ]


UNREAD = (
    *("audit/topic", "batches/subscription", "staging/bucket", "files/topic"),
    *("stored/subscription", "dead-letters/topic", "dead-letters/subscription"),
)


def test_terraform_refuses_to_destroy_unread_records(gcp: Stack, tmp_path: Path) -> None:
    """It protects whatever holds messages or files; in the last teardown step nothing."""
    kept = {at(gcp, path)[0] for path in UNREAD}
    assert kept == never_destroyed(gcp)
    drained = synthesize(tmp_path / "drain", teardown=Teardown.DRAIN)["gcp-export"]
    assert kept == never_destroyed(drained)
    assert "google_logging_organization_sink" not in drained["resource"]
    assert set(gcp["resource"]) - set(drained["resource"]) == {
        "google_logging_organization_sink",
        "google_pubsub_topic_iam_binding",
    } - set(drained["resource"])
    removed = synthesize(tmp_path / "remove", teardown=Teardown.REMOVE)["gcp-export"]
    assert set() == never_destroyed(removed)


def test_everything_stays_in_the_region(gcp: Stack) -> None:
    """Messages, files, containers and the function have the configured region."""
    places = {
        str(value).lower()
        for path, value in values(gcp["resource"])
        if path.endswith((".location", ".allowed_persistence_regions"))
    }
    assert {"europe-west1"} == places


def test_the_identity_comes_first_and_alone(stacks: Stacks) -> None:
    """The stack AWS waits for creates the account, enables services and outputs the subject."""
    identity = stacks["gcp-identity"]
    assert {"google_service_account", "google_project_service"} == set(identity["resource"])
    account, body = at(identity, "exporter/account")
    switched_on = {
        f"google_project_service.{name}" for name in identity["resource"]["google_project_service"]
    }
    assert switched_on == set(body["depends_on"])
    assert f"${{{account}.unique_id}}" == identity["output"]["exporter_subject"]["value"]


def test_small_estates_can_use_single_messages(tmp_path: Path) -> None:
    """Delivery "direct" has no staging bucket and no batches, and the same sink and function."""
    direct = synthesize(
        tmp_path,
        change=('audience = "nhi-evidence"', 'audience = "nhi-evidence"\ndelivery = "direct"'),
    )["gcp-export"]
    topic, body = at(direct, "audit/topic")
    push_name, push = at(direct, "messages/subscription")
    assert f"${{{topic}.id}}" == push["topic"]
    assert push["push_config"]["push_endpoint"].endswith(
        f"/projects/example-evidence/topics/{body['name']}"
    )
    assert f"{31 * 86_400}s" == push["message_retention_duration"]
    assert {"minimum_backoff": "10s", "maximum_backoff": "600s"} == push["retry_policy"]
    assert [push_name] == at(direct, "organization/sink")[1]["depends_on"]
    assert {topic, push_name} == never_destroyed(direct)
    assert 1 == len(direct["resource"]["google_pubsub_subscription"])
    service = only(direct, "google_cloudfunctions2_function")["service_config"]
    variables = service["environment_variables"]
    assert (
        '["projects/example-evidence/topics/nhi-evidence-audit-logs"]'
        == (variables["NHI_EVIDENCE_SOURCE_TOPICS"])
    )
    assert (
        "[]"
        == variables["NHI_EVIDENCE_SOURCE_BUCKETS"]
        == variables["NHI_EVIDENCE_ANNOUNCING_TOPICS"]
    )
    assert ["source/bucket"] == [
        one["//"]["metadata"]["path"].partition("/")[2]
        for one in direct["resource"]["google_storage_bucket"].values()
    ]
