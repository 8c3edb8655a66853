"""The resource tree of a reading: projects and their ancestors."""

from __future__ import annotations

from nhi_evidence.coverage.answers import Reading

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
