"""Checks of Athena over an evidence bucket: tables, workgroup, queries, roles, first hour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_evidence.adapters.aws import bucket_checks
from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, EvidenceBucket
from nhi_evidence.config.aws import athena_roles
from nhi_evidence.config.aws.buckets import answers_bucket
from nhi_evidence.config.tables import Athena
from nhi_evidence.investigate.athena import plan as plans
from nhi_evidence.investigate.athena import views
from nhi_evidence.investigate.athena.plan import AthenaPlan, TablePlan, WorkgroupPlan


def checks(
    checks_of: AwsChecks, clients: Clients, config: Config, store: EvidenceBucket, table: Athena
) -> Iterator[Check]:
    """Yield every check of the Athena resources over one evidence bucket."""
    plan = plans.athena(config, store, table)
    answers = AwsChecks(f"evidence account {config.evidence.account}, {table.results}")
    yield from bucket_checks.bucket(answers, clients, answers_bucket(config, store, table))
    for _, asker in athena_roles.athena_askers(config, store):
        yield from role(checks_of, clients.client("iam", store.region), asker)
    athena = clients.client("athena", store.region)
    for group in plan.workgroups:
        yield from _workgroup(checks_of, athena, plan, group)
    glue = clients.client("glue", store.region)
    for each in plan.tables:
        yield from checks_of.compare(
            f"table {plan.database}.{each.name}",
            lambda each=each: glue.get_table(DatabaseName=plan.database, Name=each.name),  # type: ignore[misc]
            lambda answer, each=each: _described(answer["Table"], each),  # type: ignore[misc]
            f"a changed table gives wrong answers. {DEPLOY}",
        )
    yield from _seen(checks_of, clients, config, store, table)


def _workgroup(
    checks_of: AwsChecks, athena: Any, plan: AthenaPlan, group: WorkgroupPlan
) -> Iterator[Check]:
    yield from checks_of.compare(
        f"workgroup {group.name}",
        lambda: athena.get_work_group(WorkGroup=group.name),
        lambda answer: _bounded(answer["WorkGroup"], plan, group),
        DEPLOY,
    )
    yield from checks_of.compare(
        f"saved questions of {group.name}",
        lambda: _named(athena, group.name),
        lambda texts: _as_saved(texts, plan),
        DEPLOY,
    )


def _bounded(answer: dict[str, Any], plan: AthenaPlan, group: WorkgroupPlan) -> Judged:
    settings = answer.get("Configuration", {})
    result = settings.get("ResultConfiguration", {})
    wanted: dict[str, tuple[object, object]] = {
        "state": (answer.get("State"), "ENABLED"),
        "enforced": (settings.get("EnforceWorkGroupConfiguration"), True),
        "bytes a query": (settings.get("BytesScannedCutoffPerQuery"), plan.bytes_limit),
        "engine": (settings.get("EngineVersion", {}).get("SelectedEngineVersion"), plans.ENGINE),
        "output": (result.get("OutputLocation"), group.output),
        "encryption": (
            result.get("EncryptionConfiguration", {}).get("EncryptionOption"),
            "SSE_S3",
        ),
    }
    wrong = [f"{name} {is_}" for name, (is_, should) in wanted.items() if is_ != should]
    bound = f"enforced, at most {plan.bytes_limit // plans.GB} GB a query"
    return not wrong, ", ".join(wrong) or bound


def _named(athena: Any, workgroup: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for page in athena.get_paginator("list_named_queries").paginate(WorkGroup=workgroup):
        ids = page["NamedQueryIds"]
        if ids:
            queries = athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
            texts |= {each["Name"]: each["QueryString"] for each in queries}
    return texts


def _as_saved(texts: dict[str, str], plan: AthenaPlan) -> Judged:
    wrong = [each.name for each in plan.queries if texts.get(each.name) != each.sql]
    text = f"{len(plan.queries)}, as deployed"
    return not wrong, f"missing or changed: {', '.join(wrong)}" if wrong else text


def _described(answer: dict[str, Any], plan: TablePlan) -> Judged:
    """Judge whether a table is defined as the stacks write it; Glue's additions are ignored."""
    described = answer["StorageDescriptor"]
    parameters = answer.get("Parameters", {})
    serde = described["SerdeInfo"]
    wanted: dict[str, tuple[object, object]] = {
        "location": (described["Location"], plan.location),
        "columns": (
            [(each["Name"], each["Type"]) for each in described["Columns"]],
            [(views.LINE, "string")],
        ),
        "partition keys": (
            [(each["Name"], each["Type"]) for each in answer["PartitionKeys"]],
            [(key, "string") for key in plan.keys],
        ),
        "format": (described["InputFormat"], plans.INPUT_FORMAT),
        "reader": (
            (serde["SerializationLibrary"], serde.get("Parameters", {})),
            (plans.SERDE, plans.SERDE_PARAMETERS),
        ),
        "projection": (_projected(parameters), _projected(plan.parameters)),
    }
    wrong = [name for name, (is_, should) in wanted.items() if is_ != should]
    text = plan.parameters["storage.location.template"]
    return not wrong, f"changed: {', '.join(wrong)}" if wrong else text


def _projected(parameters: dict[str, str]) -> dict[str, str]:
    ours = ("projection.", "storage.location")
    # Glue keeps whatever else anyone sets, such as skipping a header line of every object.
    more = {name: value for name, value in parameters.items() if "skip.header" in name}
    return more | {name: value for name, value in parameters.items() if name.startswith(ours)}


def _seen(
    checks_of: AwsChecks, clients: Clients, config: Config, store: EvidenceBucket, table: Athena
) -> Iterator[Check]:
    """Yield checks that there is no evidence from before the hours that Athena sees."""
    s3 = clients.client("s3", store.region)
    first = f"{table.since.replace('-', '')}00"
    for source in dict.fromkeys(one.source for one in config.sources_in(store.name)):
        prefix = f"ev/v1/{source}/h="
        yield from checks_of.look(
            f"hours of {source} that Athena sees",
            lambda prefix=prefix: s3.list_objects_v2(  # type: ignore[misc]
                Bucket=store.bucket,
                ExpectedBucketOwner=config.evidence.account,
                Prefix=prefix,
                MaxKeys=1,
            ),
            lambda answer, prefix=prefix: _all_seen(answer, prefix, first),  # type: ignore[misc]
            "evidence of earlier hours is not queried: set since to their day, and deploy",
        )


def _all_seen(answer: dict[str, Any], prefix: str, first: str) -> Judged:
    keys = [each["Key"] for each in answer.get("Contents", [])]
    if not keys:
        return True, "there is no evidence yet"
    # Digits sort before `unknown`, which has a table of its own.
    hour = keys[0].removeprefix(prefix).partition("/")[0]
    return hour >= first, f"the first is {hour}, they begin with {first}"
