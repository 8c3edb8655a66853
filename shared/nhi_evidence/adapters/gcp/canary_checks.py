"""Checks of a project's canary: that it exists, is harmless, and is used by one function only.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts
https://cloud.google.com/resource-manager/reference/rest/v3/projects/getIamPolicy
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from nhi_evidence.adapters.cloud_checks import CloudChecks, Judged, same
from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.checks import Check, State, differing
from nhi_evidence.config import Config, federated, naming
from nhi_evidence.config.tables import GoogleCanary

IAM = "iam.googleapis.com"
PROJECTS = "cloudresourcemanager.googleapis.com"
HOSTS = (IAM, PROJECTS)
_DEPLOY = "deploy again: make deploy-gcp"


def checks(config: Config, reader: RestReader) -> Iterator[Check]:
    """Yield every check of the Google Cloud canaries."""
    taken_by = federated.google_canaries(config)
    for entry in config.canaries:
        if entry.google is not None:
            canary = _Canary(
                entry.google, taken_by[entry.google.project], reader, deployment=config.id
            )
            yield from canary.checks()
            yield from canary.provider(config)


class _Canary:
    """The canary of one project."""

    def __init__(
        self, canary: GoogleCanary, function: str, reader: RestReader, *, deployment: str
    ) -> None:
        self._canary, self._function = canary, function
        self._email = naming.google_canary(deployment, canary.project)
        self._role = naming.google_canary_role(deployment)
        self._checks = CloudChecks(f"Google Cloud, canary of {canary.project}", reader, _DEPLOY)
        place = f"projects/{quote(canary.project)}/serviceAccounts/{quote(self._email, safe='@')}"
        self._account = f"https://{IAM}/v1/{place}"

    def checks(self) -> Iterator[Check]:
        """Yield the checks of account, keys, role, permissions, and who impersonates it."""
        look, project = self._checks.look, quote(self._canary.project)
        yield from look("service account", self._account, _enabled)
        yield from look("keys", f"{self._account}/keys?keyTypes=USER_MANAGED", _no_keys)
        role = f"projects/{project}/roles/{self._role}"
        yield from look("role", f"https://{IAM}/v1/{role}", _harmless)
        yield from look(
            "rights in its project",
            f"https://{PROJECTS}/v3/projects/{project}:getIamPolicy",
            lambda policy: self._rights(policy, role),
            "somebody granted it a right, or removed its role: remove any additional grants, then "
            f"{self._checks.deploy}",
            body={"options": {"requestedPolicyVersion": 3}},
        )
        yield self._checks.unseen(
            "rights elsewhere",
            "not checked; shown by: gcloud asset search-all-iam-policies "
            f"--query 'policy:{self._email}' --scope organizations/ID",
        )
        pool = (self._canary.provider or "").rpartition("/providers/")[0]
        if not pool:
            yield self._checks.unseen("who acts as it", "provider of canaries.google is not known")
            return
        member = f"principal:{pool}/subject/{self._function}"
        yield from look(
            "who acts as it",
            f"{self._account}:getIamPolicy?options.requestedPolicyVersion=3",
            lambda policy: _taken(policy, member),
            body={},
        )

    def provider(self, config: Config) -> Iterator[Check]:
        """Yield the check of the provider by which Google Cloud knows the function."""
        if self._canary.provider is None:
            yield self._checks.unseen("provider", "provider of canaries.google is not known")
            return
        issuer = config.evidence.token_issuer
        wanted = {
            "state": "ACTIVE",
            "issuer": issuer or "",
            "subject": "assertion.sub",
            "takes": federated.google_condition(config),
        }

        def judge(provider: dict[str, Any]) -> Judged:
            is_off = provider.get("disabled") is True
            actual = {
                "state": "disabled" if is_off else str(provider.get("state")),
                "issuer": str((provider.get("oidc") or {}).get("issuerUri")),
                "subject": str((provider.get("attributeMapping") or {}).get("google.subject")),
                "takes": str(provider.get("attributeCondition")),
            }
            if issuer is None:
                # Created by hand: who else may use it is not known here.
                known = ("state", "subject")
                return same(differing({name: wanted[name] for name in known}, actual))
            return same(differing(wanted, actual))

        name = self._canary.provider.removeprefix(f"//{IAM}/")
        yield from self._checks.look("provider", f"https://{IAM}/v1/{name}", judge)

    def _rights(self, policy: dict[str, Any], role: str) -> Judged:
        member = f"serviceAccount:{self._email}"
        roles = sorted(
            str(binding.get("role")) + (" with a condition" if binding.get("condition") else "")
            for binding in policy.get("bindings") or ()
            if member in (binding.get("members") or ())
        )
        return same(differing({"roles": role}, {"roles": ", ".join(roles) or "none"}))


def _enabled(account: dict[str, Any]) -> Judged:
    if account.get("disabled") is True:
        return State.CHANGED, "disabled"
    return State.OK, str(account.get("email"))


def _no_keys(listed: dict[str, Any]) -> Judged:
    names = [str(key.get("name")).rpartition("/")[2] for key in listed.get("keys") or ()]
    return (State.CHANGED, f"keys: {', '.join(names)}") if names else (State.OK, "none")


def _harmless(role: dict[str, Any]) -> Judged:
    if role.get("deleted") is True:
        return State.CHANGED, "deleted"
    allowed = ", ".join(sorted(map(str, role.get("includedPermissions") or ()))) or "nothing"
    return same(differing({"allows": federated.CANARY_PERMISSION}, {"allows": allowed}))


def _taken(policy: dict[str, Any], member: str) -> Judged:
    pairs = sorted(
        f"{each} ({binding.get('role')})"
        for binding in policy.get("bindings") or ()
        for each in binding.get("members") or ()
    )
    wanted = f"{member} ({federated.CANARY_TAKEN_BY})"
    return same(differing({"taken by": wanted}, {"taken by": ", ".join(pairs) or "nobody"}))
