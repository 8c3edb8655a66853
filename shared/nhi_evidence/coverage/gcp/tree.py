"""The resource tree of a reading: projects and their ancestors."""

from __future__ import annotations

from nhi_evidence.coverage.answers import Reading

LIST = "cloudresourcemanager.projects.list"
ANCESTRY = "cloudresourcemanager.projects.getAncestry"
POLICY = "cloudresourcemanager.getIamPolicy"
_PLURALS = {"project": "projects", "folder": "folders", "organization": "organizations"}


def projects(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Return each project with its ancestors, itself first, as `projects/p`, `folders/1`, ...

    Raises `KeyError` or `TypeError` for a malformed answer.
    """
    return {
        answer.scope: tuple(
            f"{_PLURALS[one['resourceId']['type']]}/{one['resourceId']['id']}"
            for one in answer.answer["ancestor"]
        )
        for answer in reading.ok(ANCESTRY)
    }


def unread(reading: Reading) -> tuple[str, ...]:
    """Return the projects that are known by name only: what is above them was not read.

    Raises `KeyError` or `TypeError` for a malformed answer.
    """
    listed = (
        f"projects/{project['projectId']}"
        for answer in reading.ok(LIST)
        for project in answer.answer.get("projects", ())
    )
    failed = (answer.scope for answer in reading.unread(ANCESTRY))
    read = projects(reading)
    return tuple(dict.fromkeys(name for name in (*listed, *failed) if name not in read))
