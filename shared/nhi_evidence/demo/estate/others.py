"""What the other products answer about the estate."""

from __future__ import annotations

from nhi_evidence.coverage.answers import Answer
from nhi_evidence.demo.story import platforms


def github() -> tuple[Answer, ...]:
    """Return the streams of an Enterprise, and what its settings page says of API requests."""
    return (
        Answer(
            call="GET enterprises/audit-log/streams",
            scope=platforms.ENTERPRISE,
            answer=[{"id": 1, "stream_type": "Amazon S3", "enabled": True}],
        ),
        Answer(
            call="github:ApiRequestEvents", scope=platforms.ENTERPRISE, answer={"enabled": True}
        ),
    )


def okta() -> tuple[Answer, ...]:
    """Return that the System Log can be read, and a log stream that is active."""
    host = f"{platforms.OKTA}.okta.com"
    stream = {"name": "evidence", "type": "aws_eventbridge", "status": "ACTIVE"}
    return (
        Answer(call="GET api/v1/logs", scope=host, answer=[]),
        Answer(call="GET api/v1/logStreams", scope=host, answer=[stream]),
    )


def vault() -> tuple[Answer, ...]:
    """Return the answer that lists two audit devices."""
    options = {"hmac_accessor": "false"}
    devices = {
        "file/": {"type": "file", "options": {**options, "file_path": "stdout"}},
        "socket/": {"type": "socket", "options": {**options, "address": "192.0.2.7:9090"}},
    }
    return (Answer(call="GET sys/audit", scope="vault.example.com", answer={"data": devices}),)


def mcp() -> tuple[Answer, ...]:
    """Return the heartbeat of a server's audit record."""
    return (Answer(call="mcp:Heartbeat", scope="tools.example.com", answer={"enabled": True}),)


def anthropic() -> tuple[Answer, ...]:
    """Return that the activity feed can be read."""
    return (Answer(call="GET v1/compliance/activities", scope="example", answer={"data": []}),)


def openai() -> tuple[Answer, ...]:
    """Return that the audit log can be read."""
    return (Answer(call="GET v1/organization/audit_logs", scope="example", answer={"data": []}),)
