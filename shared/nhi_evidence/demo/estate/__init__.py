"""An estate of documentation: what its providers would answer, all of it recorded here.

The answers have the providers' own shapes. The demo plants gaps in it, tests turn single settings
off, and the example of docs/coverage.md is made of it.
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
"""What a deployment with every source takes in."""


def reading(platform: str, at: int) -> Reading:
    """Return what the providers of a platform answer in the estate, asked at a time."""
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
