"""What a call to the Kubernetes API is about: objects, the account, whom a binding names."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from nhi_evidence.event import About, Target, User
from nhi_evidence.reading.address import is_absent
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.lenient_decoder import nested

OF_NHI = frozenset(
    {
        "certificatesigningrequests",
        "clusterrolebindings",
        "clusterroles",
        "rolebindings",
        "roles",
        "secrets",
        "serviceaccounts",
    }
)
"""Resources that are, contain or empower non-human identities."""
CLUSTER = "Kubernetes Cluster"
"""The target type of the cluster itself."""
_ACCOUNTS = "serviceaccounts"
_BINDINGS = frozenset({"clusterrolebindings", "rolebindings"})
_ENTITIES = {"certificatesigningrequests": "Certificate Signing Request"}
_SUBJECT_ACCOUNT = "ServiceAccount"
_USER_TYPE_SERVICE = 4


class Named(NamedTuple):
    """The object that a call names, as far as it does."""

    resource: str
    """In the plural, without a subresource: `pods`."""
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    path: str | None = None
    """The path of the request, or the provider's own name for the object."""


class _Granted(NamedTuple):
    subjects: tuple[Target, ...] = ()
    user: User | None = None
    """The subject of a binding, if there is only one."""
    privileges: tuple[str, ...] = ()


def about(
    named: Named | None,
    path: str | None,
    request: msgspec.Raw,
    *,
    cluster: Target | None,
    issued: tuple[str, ...] = (),
) -> About:
    """Return what a call is about; `path` is used for a request without a resource.

    Raises as `msgspec.json.decode` does when the request's object cannot be decoded.
    """
    if named is None:
        by_path = (Target(uid=path),) if path else ()
        return About(targets=(*by_path, *((cluster,) if cluster else ())))
    if named.resource in _BINDINGS:
        return _about(named, _granted(request), cluster, issued)
    return _about_cached(named, cluster, issued)


@bounded_cache(results=2048, longest=2048)
def _about_cached(named: Named, cluster: Target | None, issued: tuple[str, ...]) -> About:
    """Return what a call is about; cached, as controllers ask for the same objects repeatedly."""
    return _about(named, _Granted(), cluster, issued)


def _about(
    named: Named, granted: _Granted, cluster: Target | None, issued: tuple[str, ...]
) -> About:
    user = granted.user
    if named.resource == _ACCOUNTS and named.name:
        user = User(uid=named.uid, name=named.name, type_id=_USER_TYPE_SERVICE)
    kind = _ENTITIES.get(named.resource)
    return About(
        targets=_targets(named, granted.subjects, cluster),
        is_nhi=named.resource in OF_NHI,
        user=user,
        entity=Target(uid=named.uid, name=named.name, type=kind) if kind and named.name else None,
        privileges=granted.privileges,
        issued_credentials=issued,
    )


def _targets(
    named: Named, subjects: tuple[Target, ...], cluster: Target | None
) -> tuple[Target, ...]:
    """Return the object, its namespace, whom a binding names, and the cluster."""
    targets = []
    uid = named.uid or named.path
    if uid or named.name:
        targets.append(Target(uid=uid, name=named.name, type=named.resource))
    if named.namespace:
        targets.append(Target(name=named.namespace, type="namespaces"))
    targets += subjects
    if cluster is not None:
        targets.append(cluster)
    return tuple(targets)


def _granted(request: msgspec.Raw) -> _Granted:
    """Return whom a binding names and the role it grants, if the record has the binding."""
    if not bytes(request):
        return _Granted()
    binding: Any = msgspec.json.decode(nested(request))
    if not isinstance(binding, dict):
        return _Granted()
    listed = binding.get("subjects")
    subjects = tuple(
        subject
        for each in (listed if isinstance(listed, list) else ())
        if (subject := _subject(each))
    )
    role = _text_at(binding.get("roleRef"), "name")
    return _Granted(
        subjects,
        _user(subjects[0]) if len(subjects) == 1 else None,
        (role,) if role else (),
    )


def _subject(subject: Any) -> Target | None:
    name = _text_at(subject, "name")
    return Target(name=name, type=_text_at(subject, "kind")) if name else None


def _user(subject: Target) -> User:
    is_account = subject.type == _SUBJECT_ACCOUNT
    return User(name=subject.name, type_id=_USER_TYPE_SERVICE if is_account else None)


def _text_at(value: Any, name: str) -> str | None:
    text = value.get(name) if isinstance(value, dict) else None
    return text if isinstance(text, str) and not is_absent(text) else None
