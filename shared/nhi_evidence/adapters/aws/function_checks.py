"""Checks of a function: its configuration, environment, code, and what starts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from nhi_evidence.adapters.aws.aws_checks import (
    DEPLOY,
    AwsChecks,
    Clients,
    Judged,
    NotThereError,
)
from nhi_evidence.checks import Check, differing
from nhi_evidence.config import naming
from nhi_evidence.config.aws.redelivery import Redelivery
from nhi_evidence.config.built_code import Package
from nhi_evidence.config.declaration import Function, Sqs

_CHANGED = (
    "somebody changed it; CloudTrail says who (UpdateFunctionConfiguration, UpdateFunctionCode). "
    f"Then {DEPLOY}"
)


class FunctionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One function, as the stacks write it."""

    name: str
    """Name of the function, its role and its log group."""
    account: str
    region: str
    declared: Function
    environment: Mapping[str, str]
    package: Package | None
    """The built package; None if unknown."""


def function(checks_of: AwsChecks, clients: Clients, plan: FunctionPlan) -> Iterator[Check]:
    """Yield the checks of one function, whatever starts it."""
    lambda_, name = clients.client("lambda", plan.region), plan.name

    def ask() -> dict[str, Any]:
        return dict(lambda_.get_function_configuration(FunctionName=name))

    yield from checks_of.look(
        f"function {name}",
        ask,
        lambda answer: (answer.get("State", "Active") == "Active", answer.get("State", "Active")),
        DEPLOY,
    )
    yield from checks_of.compare(
        f"function {name}, configuration",
        ask,
        lambda answer: differing(_planned(plan), _configuration(answer)),
        _CHANGED,
    )
    yield from checks_of.compare(
        f"function {name}, environment",
        ask,
        lambda answer: _environment(answer.get("Environment", {}), plan.environment),
        _CHANGED,
    )
    yield from checks_of.compare(
        f"function {name}, concurrency",
        lambda: lambda_.get_function_concurrency(FunctionName=name),
        _unreserved,
        "a reservation holds it back, and one of 0 stops it: remove it "
        f"(aws lambda delete-function-concurrency --function-name {name})",
    )
    if plan.package is None:
        yield checks_of.unseen(
            f"function {name}, code",
            "not compared: --built names no folder written by `make synth`",
        )
        return
    wanted = plan.package.sha256
    yield from checks_of.compare(
        f"function {name}, code",
        ask,
        lambda answer: (answer.get("CodeSha256") == wanted, f"SHA-256 {answer.get('CodeSha256')}"),
        f"it is not what was built here, {wanted}: another release, or somebody's own code; "
        f"CloudTrail says who (UpdateFunctionCode). Then {DEPLOY}",
    )


def _planned(plan: FunctionPlan) -> dict[str, str]:
    declared = plan.declared
    return {
        "runtime": declared.runtime,
        "handler": declared.handler,
        "architecture": declared.architecture,
        "memory": f"{declared.memory_mb} MB",
        "timeout": f"{declared.timeout_seconds} s",
        "role": naming.role_arn(plan.region, plan.account, plan.name),
        "log group": naming.log_group(plan.name),
        "package": "Zip",
        "layers": "none",
        "subnets": "none",
    }


def _configuration(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what Lambda states, or its defaults, in the words of `_planned`."""
    layers = [str(one["Arn"]) for one in answer.get("Layers") or ()]
    subnets = (answer.get("VpcConfig") or {}).get("SubnetIds") or ()
    logging = (answer.get("LoggingConfig") or {}).get("LogGroup")
    return {
        "runtime": str(answer.get("Runtime")),
        "handler": str(answer.get("Handler")),
        "architecture": ", ".join(answer.get("Architectures") or ("x86_64",)),
        "memory": f"{answer.get('MemorySize')} MB",
        "timeout": f"{answer.get('Timeout')} s",
        "role": str(answer.get("Role")),
        "log group": str(logging or naming.log_group(str(answer.get("FunctionName")))),
        "package": str(answer.get("PackageType") or "Zip"),
        "layers": ", ".join(layers) or "none",
        "subnets": ", ".join(subnets) or "none",
    }


def _environment(answer: Mapping[str, Any], wanted: Mapping[str, str]) -> Judged:
    """Compare variables; report names only, as a value may be a secret."""
    if "Error" in answer:
        return False, f"cannot be read: {answer['Error'].get('ErrorCode')}"
    actual = answer.get("Variables", {})
    kinds = {
        "missing": wanted.keys() - actual.keys(),
        "changed": {name for name in wanted.keys() & actual.keys() if wanted[name] != actual[name]},
        "added": actual.keys() - wanted.keys(),
    }
    faults = [f"{kind}: {', '.join(sorted(names))}" for kind, names in kinds.items() if names]
    return not faults, "; ".join(faults) or f"{len(wanted)} variables, as deployed"


def _unreserved(answer: Mapping[str, Any]) -> Judged:
    reserved = answer.get("ReservedConcurrentExecutions")
    return reserved is None, "none reserved" if reserved is None else f"{reserved} reserved"


def queue_mapping(
    checks_of: AwsChecks,
    clients: Clients,
    plan: FunctionPlan,
    queue: str,
    *,
    numbers: Redelivery,
    trigger: Sqs,
) -> Iterator[Check]:
    """Yield the checks of the mapping that passes a queue's messages to a function.

    `queue` is the queue's ARN.
    """
    lambda_, name = clients.client("lambda", plan.region), plan.name

    def ask() -> list[dict[str, Any]]:
        answer = lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        if not answer:
            raise NotThereError("no event source mapping")
        return [dict(mapping) for mapping in answer]

    yield from checks_of.look(
        f"function {name}, its queue",
        ask,
        _enabled,
        "the function takes nothing from its queue: enable its event source mapping",
    )
    wanted = {
        "queue": queue,
        "batch": str(numbers.batch_size),
        "window": f"{numbers.window} s",
        "failures by item": "yes" if trigger.report_batch_item_failures else "no",
        "most at once": str(trigger.maximum_concurrency),
        "filters": "none",
    }
    yield from checks_of.compare(
        f"function {name}, batches",
        ask,
        lambda answer: _mapped(answer, wanted),
        "a filter discards messages, and a different batch or window changes what objects hold: "
        f"{DEPLOY}",
    )


def _enabled(mappings: list[dict[str, Any]]) -> Judged:
    states = [str(one.get("State")) for one in mappings]
    return "Enabled" in states, ", ".join(states)


def _mapped(mappings: list[dict[str, Any]], wanted: Mapping[str, str]) -> Judged:
    if len(mappings) != 1:
        queues = ", ".join(str(one.get("EventSourceArn")) for one in mappings)
        return False, f"{len(mappings)} mappings, not 1: {queues}"
    (mapping,) = mappings
    by_item = "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ())
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or ()
    scaling = mapping.get("ScalingConfig") or {}
    return differing(
        wanted,
        {
            "queue": str(mapping.get("EventSourceArn")),
            "batch": str(mapping.get("BatchSize")),
            "window": f"{mapping.get('MaximumBatchingWindowInSeconds', 0)} s",
            "failures by item": "yes" if by_item else "no",
            "most at once": str(scaling.get("MaximumConcurrency", "none")),
            "filters": "; ".join(str(one.get("Pattern")) for one in filters) or "none",
        },
    )


def clock(
    checks_of: AwsChecks, clients: Clients, plan: FunctionPlan, minutes: int
) -> Iterator[Check]:
    """Yield the checks of the rule that starts a function every `minutes` minutes."""
    events, rule = clients.client("events", plan.region), naming.clock(plan.name)
    yield from checks_of.look(
        f"rule {rule}",
        lambda: events.describe_rule(Name=rule),
        lambda answer: (answer.get("State") == "ENABLED", str(answer.get("State"))),
        f"nothing starts {plan.name}: enable the rule",
    )
    unit = "minute" if minutes == 1 else "minutes"
    hours, rest = divmod(minutes, 60)
    every = f"{minutes} {unit}"
    if not rest:
        every = f"{hours} {'hour' if hours == 1 else 'hours'}"
    arn = naming.function_arn(plan.region, plan.account, plan.name)
    yield from checks_of.compare(
        f"rule {rule}, what it starts",
        lambda: (events.describe_rule(Name=rule), events.list_targets_by_rule(Rule=rule)),
        lambda answers: differing(
            {"every": every, "starts": arn},
            {
                "every": str(answers[0].get("ScheduleExpression"))[len("rate(") : -1],
                "starts": ", ".join(str(one["Arn"]) for one in answers[1]["Targets"]),
            },
        ),
        f"somebody changed its schedule or target (PutRule, PutTargets). {DEPLOY}",
    )
