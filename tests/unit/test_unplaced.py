"""What a class has no attribute for is written, unless it is the very thing that is placed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nhi_evidence import sources
from nhi_evidence.event import About, Account, Event, Owner, Target, User
from nhi_evidence.ocsf.classes import BASE_EVENT
from nhi_evidence.ocsf.objects import Entity, Named, Policy, Service, Specifics
from nhi_evidence.ocsf.unplaced import unmapped

_RECORD = b'{"@timestamp": 1772439330828, "action": "team.add_member", "actor": "octocat"}'
_OWNER = Owner(Account("111122223333"))
PLAIN = msgspec.structs.replace(BASE_EVENT, has_resources=False)


def written(about: About, specific: Specifics) -> dict[str, Any]:
    """What is in `unmapped` of an event about this, in a class with these attributes."""
    event = sources.pack("github_audit").normalize(_RECORD)
    assert isinstance(event, Event)
    return unmapped(msgspec.structs.replace(event, about=about), PLAIN, specific) or {}


@pytest.mark.parametrize(
    ("target", "specific"),
    [
        (Target(name="admin", type="team"), Specifics(privileges=("admin",))),
        (Target(name="admin"), Specifics(privileges=("admin",))),
        (Target(name="admin", type="team"), Specifics(user=User(uid="7", name="admin"))),
        (Target(uid="7", type="hook"), Specifics(user=User(uid="7"))),
        (Target(uid="7", name="shop", type="repository"), Specifics(user=User(uid="7"))),
        (Target(name="log", type="AWS::IAM::User"), Specifics(log_name="log")),
        (Target(name="x", type="Group"), Specifics(entity=Entity(99, "Secret", name="x"))),
        (Target(name="x", type="AWS::IAM::User"), Specifics(policies=(Policy(name="x"),))),
    ],
)
def test_another_thing_of_the_same_name_or_id_is_kept(target: Target, specific: Specifics) -> None:
    """A team is no permission, and 7 may be the number of a user and of a hook."""
    assert written(About(targets=(target,)), specific)["resources"] == (target,)


@pytest.mark.parametrize(
    ("target", "specific"),
    [
        (Target(uid="arn:aws:iam::1:role/x"), Specifics(user=User(uid="arn:aws:iam::1:role/x"))),
        (Target(name="x", type="AWS::IAM::User"), Specifics(user=User(name="x", type="IAMUser"))),
        (Target(name="x", type="AWS::IAM::Group"), Specifics(group=Named(name="x"))),
        (Target(uid="0oa1", name="Wiki", type="App"), Specifics(service=Service("Wiki", "0oa1"))),
        (Target(name="t", type="AWS::CloudTrail::Trail"), Specifics(log_name="t")),
        (Target(name="k", type="accessKey"), Specifics(entity=Entity(99, "Credential", uid="k"))),
    ],
)
def test_the_same_thing_is_not_written_twice(target: Target, specific: Specifics) -> None:
    assert "resources" not in written(About(targets=(target,)), specific)


def test_a_privilege_or_user_called_like_a_target_is_kept() -> None:
    """In a class without attributes for either."""
    about = About(
        targets=(Target(name="admin", type="team"),),
        user=User(name="admin"),
        privileges=("admin",),
    )
    values = written(about, Specifics())
    assert (values["user"], values["privileges"]) == (User(name="admin"), ("admin",))


@pytest.mark.parametrize(
    "target",
    [
        Target(name="x", type="AWS::IAM::User", owner=_OWNER),
        Target(name="x", type="AWS::IAM::User", region="eu-central-1"),
    ],
)
def test_a_target_is_kept_where_its_owner_or_region_is_written_nowhere_else(target: Target) -> None:
    """`user` has attributes for neither."""
    specific = Specifics(user=User(name="x", type="IAMUser"))
    assert written(About(targets=(target,)), specific)["resources"] == (target,)


@pytest.mark.parametrize(
    ("target", "user"),
    [
        (
            Target(uid="arn:aws:iam::111122223333:user/x", owner=_OWNER),
            User(uid="arn:aws:iam::111122223333:user/x"),
        ),
        (Target(uid="AIDA1", owner=_OWNER), User(uid="AIDA1", account=Account("111122223333"))),
    ],
)
def test_an_owner_is_not_written_twice(target: Target, user: User) -> None:
    """An ARN says it, or the account of the user."""
    assert "resources" not in written(About(targets=(target,)), Specifics(user=user))


def test_a_user_is_kept_where_its_address_is_written_nowhere_else() -> None:
    user = User(uid="105557", email_addr="shop@example.com")
    about = About(targets=(Target(uid="105557", type="serviceAccount"),), user=user)
    assert written(about, Specifics())["user"] == user
