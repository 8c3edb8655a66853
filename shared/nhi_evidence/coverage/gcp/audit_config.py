"""Data Access logs: a project's effective audit configuration, and who is exempt from it.

A project's configuration is the union of its own and every ancestor's; for a service, the union of
its own entry and that of `allServices`. A member exempted anywhere is exempt: a child cannot
revoke that (https://cloud.google.com/logging/docs/audit/configure-data-access).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.coverage.answers import Answer, Reading
from nhi_evidence.coverage.gcp.tree import POLICY
from nhi_evidence.coverage.verdict import Judgment, Verdict, unknown

MEMBERS = "cloudidentity.groups.memberships.searchTransitiveMemberships"
ALL_SERVICES = "allServices"


class _LogConfig(msgspec.Struct, rename="camel"):
    log_type: str
    exempted_members: tuple[str, ...] = ()


class _ServiceConfig(msgspec.Struct, rename="camel"):
    service: str
    audit_log_configs: tuple[_LogConfig, ...] = ()


class _Policy(msgspec.Struct, rename="camel"):
    audit_configs: tuple[_ServiceConfig, ...] = ()


def judge(
    reading: Reading,
    ancestors: Sequence[str],
    service: str,
    log_types: Sequence[str],
    identity: str | None,
) -> Judgment:
    """Judge whether a project records these log types of a service, for everyone or one identity.

    Raises `msgspec.ValidationError` for a malformed answer.
    """
    project = ancestors[0]
    policies = [(name, reading.single(POLICY, name)) for name in ancestors]
    unread = [name for name, answer in policies if answer is None or answer.status != "ok"]
    names = tuple(answer.name for _, answer in policies if answer is not None)
    if unread:
        reason = f"{project}: the policy of {', '.join(unread)} could not be read"
        return unknown(reason, answers=names)
    enabled: dict[str, str] = {}
    exempt: dict[str, str] = {}
    for at, log_config in _configs(policies, service):
        enabled.setdefault(log_config.log_type, at)
        if log_config.log_type in log_types:
            exempt.update((member, at) for member in log_config.exempted_members)
    missing = [log_type for log_type in log_types if log_type not in enabled]
    if missing:
        reason = f"{project}: {' and '.join(missing)} of {service} is off at every level"
        lost = tuple(f"{log_type} calls of {service} in {project}" for log_type in missing)
        return Judgment(Verdict.GAP, (reason,), lost, names)
    at = ", ".join(dict.fromkeys(enabled[log_type] for log_type in log_types))
    on = Judgment(Verdict.CONFIGURED, (f"{project}: switched on at {at}",), answers=names)
    return _with_exemptions(reading, on, exempt, project, identity)


def _configs(
    policies: Sequence[tuple[str, Answer | None]], service: str
) -> Iterator[tuple[str, _LogConfig]]:
    for name, answer in policies:
        if answer is None:
            continue
        for config in msgspec.convert(answer.answer, _Policy).audit_configs:
            if config.service in {service, ALL_SERVICES}:
                yield from ((name, log_config) for log_config in config.audit_log_configs)


def _with_exemptions(
    reading: Reading, on: Judgment, exempt: dict[str, str], project: str, identity: str | None
) -> Judgment:
    if identity is None:
        if not exempt:
            return on
        lost = tuple(f"calls of {member} in {project}" for member in exempt)
        reason = f"{project}: {len(exempt)} exempted members are not recorded"
        return Judgment(Verdict.GAP, (reason,), lost, on.answers)
    doubtful = []
    for member, at in exempt.items():
        is_member = _is_member(reading, member, identity)
        if is_member:
            reason = f"{project}: {identity} is exempted at {at}, as {member}"
            return Judgment(
                Verdict.GAP, (reason,), (f"calls of {identity} in {project}",), on.answers
            )
        if is_member is None:
            doubtful.append(member)
    if doubtful:
        reason = f"{project}: whether {identity} belongs to {', '.join(doubtful)} is not known"
        return unknown(reason, answers=on.answers)
    return on


def _is_member(reading: Reading, member: str, identity: str) -> bool | None:
    """Whether an exempted member is or contains this identity; None where that is not known."""
    kind, _, name = member.partition(":")
    email = identity.partition(":")[2] or identity
    if kind in {"user", "serviceAccount"}:
        return name.lower() == email.lower()
    if kind == "domain":
        return email.lower().endswith(f"@{name.lower()}")
    if kind == "group":
        answer = reading.single(MEMBERS, member)
        if answer is None or answer.status != "ok":
            return None
        keys = (
            key.get("id", "").lower()
            for one in answer.answer.get("memberships", ())
            for key in one.get("preferredMemberKey", ())
        )
        return email.lower() in set(keys)
    if kind in {"principal", "principalSet"}:
        return member == identity if kind == "principal" else None
    return None
