"""Checks of the export: the sink, and in the project the function, its code and subscriptions.

https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from nhi_evidence.adapters import cloud_settings, environ
from nhi_evidence.adapters.cloud_checks import CloudChecks, same, variables
from nhi_evidence.adapters.gcp import sink_checks, subscription_checks
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import Config, gcp_names
from nhi_evidence.config.built_code import BuiltCode
from nhi_evidence.config.declaration import CloudEvent, Declaration, declaration
from nhi_evidence.config.tables import Gcp

FUNCTIONS = "cloudfunctions.googleapis.com"
PROJECTS = "cloudresourcemanager.googleapis.com"
STORAGE = "storage.googleapis.com"
RUN = "run.googleapis.com"
HOSTS = (FUNCTIONS, PROJECTS, STORAGE, RUN, sink_checks.LOGGING, subscription_checks.PUBSUB)

PLATFORM_VARIABLES = frozenset({"LOG_EXECUTION_ID"})
"""Variables that Cloud Functions itself sets."""


def checks(
    config: Config, gcp: Gcp, reader: RestReader, built: BuiltCode | None
) -> Iterator[Check]:
    """Yield every check of the project.

    Raises `DeclarationError` if the functions' declarations are not installed.
    """
    checks_of = CloudChecks(f"Google Cloud, {gcp.project}", reader, "deploy again: make deploy-gcp")
    declared = declaration("gcp_export")
    place = f"projects/{gcp.project}/locations/{gcp.region}"
    what = f"function {gcp_names.FUNCTION}"
    failed, function = checks_of.ask(
        what, f"https://{FUNCTIONS}/v2/{place}/functions/{gcp_names.FUNCTION}"
    )
    if failed is not None:
        yield failed
        function = {}
    else:
        yield checks_of.judged(what, _active(function))
        yield from _function(checks_of, config, gcp, declared, function)
        yield from _revision(checks_of, place, function)
        yield from _code(checks_of, gcp, function, built)
    yield from sink_checks.sink(checks_of, gcp, config.id)
    uri = str(function.get("serviceConfig", {}).get("uri", ""))
    for plan in subscription_checks.plans(gcp, declared, uri):
        yield from subscription_checks.subscription(checks_of, gcp, plan)


def _active(function: dict[str, Any]) -> tuple[State, str]:
    state = str(function.get("state"))
    return State.OK if state == "ACTIVE" else State.FAILED, state


def _function(
    checks_of: CloudChecks,
    config: Config,
    gcp: Gcp,
    declared: Declaration,
    function: dict[str, Any],
) -> Iterator[Check]:
    service, build = function.get("serviceConfig", {}), function.get("buildConfig", {})
    name, trigger = gcp_names.FUNCTION, declared.trigger
    if isinstance(trigger, CloudEvent):
        wanted = {
            "runtime": declared.function.runtime.replace(".", ""),
            "entry point": declared.function.handler.rpartition(".")[2],
            "memory": f"{declared.function.memory_mb} MiB",
            "timeout": f"{declared.function.timeout_seconds} s",
            "most instances": str(trigger.max_instances),
            "requests at once": str(trigger.concurrency),
            "ingress": "ALLOW_INTERNAL_ONLY",
            "runs as": gcp_names.exporter_email(gcp.project),
            "all traffic on the latest revision": "yes",
        }
        latest = service.get("allTrafficOnLatestRevision")
        actual = {
            "runtime": str(build.get("runtime")),
            "entry point": str(build.get("entryPoint")),
            "memory": _mebibytes(str(service.get("availableMemory"))),
            "timeout": f"{service.get('timeoutSeconds')} s",
            "most instances": str(service.get("maxInstanceCount")),
            "requests at once": str(service.get("maxInstanceRequestConcurrency")),
            "ingress": str(service.get("ingressSettings")),
            "runs as": str(service.get("serviceAccountEmail")),
            "all traffic on the latest revision": "yes" if latest else "no",
        }
        yield checks_of.judged(f"function {name}, configuration", same(differing(wanted, actual)))
    what = f"function {name}, environment"
    failed, project = checks_of.ask(what, f"https://{PROJECTS}/v1/projects/{quote(gcp.project)}")
    if failed is not None:
        yield checks_of.unseen(what, f"the project's number could not be read: {failed.observed}")
        return
    settings = cloud_settings.google(config, gcp, project_number=str(project["projectNumber"]))
    compared = variables(
        environ.variables(settings),
        service.get("environmentVariables", {}),
        ours=lambda name: name not in PLATFORM_VARIABLES,
    )
    yield checks_of.judged(what, same(compared))


def _mebibytes(quantity: str) -> str:
    """Return a memory size in a single unit: Google returns `1Gi` for `1024Mi`."""
    for unit, factor in (("Gi", 1024), ("Mi", 1)):
        number = quantity.removesuffix(unit)
        if quantity.endswith(unit) and number.isdigit():
            return f"{int(number) * factor} MiB"
    return quantity


def _revision(checks_of: CloudChecks, place: str, function: dict[str, Any]) -> Iterator[Check]:
    """Yield the check that Cloud Functions made the running revision, not someone in Cloud Run."""
    deployed = str(function.get("serviceConfig", {}).get("revision", ""))

    def judge(service: dict[str, Any]) -> tuple[State, str]:
        latest = str(service.get("latestReadyRevision", "")).rpartition("/")[2]
        if not deployed or not latest:
            return State.UNKNOWN, "no revision is named"
        return State.OK if latest == deployed else State.CHANGED, latest

    yield from checks_of.look(
        f"function {gcp_names.FUNCTION}, revision",
        f"https://{RUN}/v2/{place}/services/{gcp_names.FUNCTION}",
        judge,
        f"a revision was created outside the function, which created {deployed}: Cloud Run's "
        f"audit log says by whom. Then {checks_of.deploy}",
    )


def _code(
    checks_of: CloudChecks, gcp: Gcp, function: dict[str, Any], built: BuiltCode | None
) -> Iterator[Check]:
    what = f"function {gcp_names.FUNCTION}, code"
    package = None if built is None else built.functions.get("gcp_export")
    if package is None:
        yield checks_of.unseen(
            what, "not compared: --built names no folder written by `make synth`"
        )
        return
    wanted_bucket = gcp_names.source_bucket(gcp.project)
    wanted_object = gcp_names.source_object(package.sha256_hex)
    source = function.get("buildConfig", {}).get("source", {}).get("storageSource", {})
    bucket, name = str(source.get("bucket")), str(source.get("object"))
    remediation = (
        f"it is not what was built here, {wanted_object}: another release, or somebody's own "
        f"code. {checks_of.deploy}"
    )
    if (bucket, name) != (wanted_bucket, wanted_object):
        yield checks_of.judged(what, (State.CHANGED, f"gs://{bucket}/{name}"), remediation)
        return
    generation = f"?generation={source['generation']}" if source.get("generation") else ""
    yield from checks_of.look(
        what,
        f"https://{STORAGE}/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}{generation}",
        lambda stored: (
            State.OK if stored.get("md5Hash") == package.md5 else State.CHANGED,
            f"gs://{bucket}/{name}, MD5 {stored.get('md5Hash')}",
        ),
        remediation,
    )
