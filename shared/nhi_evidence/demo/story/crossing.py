"""The identity that crosses the clouds: a CI job trusted by all three, whose token was stolen."""

from __future__ import annotations

ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:example-org/deploy:ref:refs/heads/main"
JOIN_ID = f"nhi:oidc:{ISSUER.removeprefix('https://')}|{SUBJECT}"
"""Id of the workload wherever its issuer and subject are known."""

FOREIGN = "203.0.113.77"
"""Where the attacker calls from, in every cloud."""

AGENT = "python-requests/2.31.0"
