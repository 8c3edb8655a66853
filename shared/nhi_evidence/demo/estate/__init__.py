"""An example estate, as its providers would answer about it.

The answers have the providers' own shapes. The demo plants gaps in it, tests turn off single
settings, and the example in docs/coverage.md is made from it.
"""

from __future__ import annotations

from nhi_evidence.coverage.answers import DEPLOYMENT, READING_VERSION, Answer, Reading
from nhi_evidence.demo.estate import amazon, google, microsoft, others

_MAKERS = {
    "aws": amazon.answers,
    "gcp": google.answers,
    "azure": microsoft.answers,
    "github": others.github,
    "okta": others.okta,
    "vault": others.vault,
    "mcp": others.mcp,
    "anthropic": others.anthropic,
    "openai": others.openai,
}

SOURCES = [
    {
        "source": "aws_cloudtrail",
        "buckets": [amazon.TRAIL_BUCKET],
        "queues": [amazon.QUEUE],
    },
    {"source": "gcp_audit", "destinations": [google.DESTINATION]},
    {"source": "azure_monitor", "event_hubs": [microsoft.NAMESPACE]},
    *(
        {"source": name}
        for name in (
            "k8s_audit",
            "aws_api_gateway",
            "github_audit",
            "okta_system",
            "vault_audit",
            "mcp_audit",
            "anthropic_activity",
            "openai_audit",
        )
    ),
]
"""The sources of a deployment that exports all of them."""


def reading(platform: str, at: int) -> Reading:
    """Return what the providers of a platform answer about the estate at a time."""
    deployment = Answer(call=DEPLOYMENT, scope="example", answer={"sources": SOURCES})
    return Reading(
        v=READING_VERSION,
        platform=platform,
        at=at,
        answers=(deployment, *_MAKERS[platform]()),
    )


def readings(at: int) -> tuple[Reading, ...]:
    """Return a reading of every platform."""
    return tuple(reading(platform, at) for platform in _MAKERS)
