"""The resource tree of a reading: projects, and what lies above each."""

from __future__ import annotations

from nhi_evidence.coverage.answers import Reading

ANCESTRY = "cloudresourcemanager.projects.getAncestry"
POLICY = "cloudresourcemanager.getIamPolicy"
_PLURALS = {"project": "projects", "folder": "folders", "organization": "organizations"}


def projects(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Return, for each project, it and its ancestors upwards, as `projects/p`, `folders/1`, ...

    Raises `KeyError` or `TypeError` for an answer of another shape.
    """
    return {
        answer.scope: tuple(
            f"{_PLURALS[one['resourceId']['type']]}/{one['resourceId']['id']}"
            for one in answer.answer["ancestor"]
        )
        for answer in reading.ok(ANCESTRY)
    }
