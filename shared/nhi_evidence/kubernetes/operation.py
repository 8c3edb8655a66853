"""A call to the Kubernetes API in the API's own terms: its group, and what is done to what.

An operation is `<verb> <resource>[/<subresource>]`, as authorization rules write resources; for a
request without a resource, `<verb> <path>`. The group without a name is `core`.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nhi_evidence.reading.bounded_cache import bounded_cache

CORE = "core"
"""The API group without a name, which GKE calls the same."""

_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d+)?", re.ASCII)
_RESOURCE_NAME = re.compile(rf"([^/]+)/{_VERSION.pattern}/", re.ASCII)
_BUILT_IN = ("io", "k8s")
_UNQUALIFIED = frozenset({"apps", "autoscaling", "batch", CORE, "extensions", "policy"})
"""Kubernetes groups whose names have no domain."""
_RBAC = "rbac.authorization.k8s.io"
_NAMESPACES = "namespaces"
_LONGEST = 1024


class Operation(NamedTuple):
    """What is asked of the API."""

    group: str
    """The API group; `core` for the one without a name."""
    verb: str
    resource: str
    """`<resource>[/<subresource>]`; for a request without a resource, its path."""

    @property
    def text(self) -> str:
        """The operation as the catalog spells it."""
        return f"{self.verb} {self.resource}"


class ObjectName(NamedTuple):
    """An object's namespace, None if it is cluster-scoped, and name, None for a collection."""

    namespace: str | None
    name: str | None


@bounded_cache(results=1024, longest=_LONGEST)
def of_method(method: str, resource_name: str | None) -> Operation | None:
    """Parse GKE's name of a call, `<group reversed>.<version>.<resource>[.<subresource>].<verb>`.

    `io.k8s.core.v1.pods.exec.create` is `create pods/exec` of `core`. The group is taken from
    `resource_name` if that states it: methods have been logged with both
    `io.k8s.authorization.rbac` and `io.k8s.rbac`. None for a call in any other form, such as
    `io.k8s.readyz`.
    https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
    """
    parts = method.split(".")
    version = next((at for at, part in enumerate(parts) if at and _VERSION.fullmatch(part)), None)
    if version is None:
        return None
    *resources, verb = parts[version + 1 :] or [""]
    if not verb or not resources or not all(resources):
        return None
    stated = _RESOURCE_NAME.match(resource_name) if resource_name else None
    return Operation(stated[1] if stated else _group(parts[:version]), verb, "/".join(resources))


@bounded_cache(results=1024, longest=_LONGEST)
def object_name(resource_name: str, resource: str) -> ObjectName:
    """Parse GKE's name of a resource, both parts None if it is in another form.

    The form is `<group>/<version>[/namespaces/<namespace>]/<resource>[/<name>[/<subresource>]]`.
    """
    match = _RESOURCE_NAME.match(resource_name)
    parts = resource_name[match.end() :].split("/") if match else []
    plain = resource.partition("/")[0]
    namespace = None
    if parts[:1] == [_NAMESPACES] and parts[2:3] == [plain]:
        namespace, parts = parts[1], parts[2:]
    name = parts[1] if parts[:1] == [plain] and len(parts) > 1 else None
    return ObjectName(namespace or None, name or None)


def _group(domain: list[str]) -> str:
    """Return a group from its reversed domain: `io.k8s.authorization.rbac`, `io.k8s.apps`."""
    if tuple(domain[:2]) != _BUILT_IN:
        return ".".join(reversed(domain))
    short = ".".join(reversed(domain[2:]))
    if short in _UNQUALIFIED:
        return short
    return _RBAC if short == "rbac" else f"{short}.k8s.io"
