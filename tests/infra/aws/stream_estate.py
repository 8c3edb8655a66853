"""The example with three streams: two that log groups are subscribed to, one of a partner's bus.

`python -m tests.infra.aws.stream_estate` prints its configuration, for `make check-infra`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nhi_evidence.config import read
from tests.infra.aws.conftest import EXAMPLE
from tests.infra.aws.estate import ARCHIVE, Estate
from tests.infra.unstaged import unstaged

BUS = "aws.partner/okta.com/example-org/evidence"
STREAMS = f"""
[[sources]]
source = "k8s_audit"
evidence = "main"
files = {{ account = "{ARCHIVE}", bucket = "eks-audit", region = "eu-central-1", prefix = "eks/" }}
streams = [
    {{ name = "prod", accounts = ["333344445555", "444455556666"] }},
    {{ name = "test", accounts = ["444455556666"] }},
]
keep_out_of_scope_raw = true
silence_hours = 0

[[sources]]
source = "okta_system"
evidence = "main"
files = {{ account = "{ARCHIVE}", bucket = "okta-log", region = "eu-central-1", prefix = "okta/" }}
streams = [{{ name = "acme", bus = "{BUS}" }}]
keep_out_of_scope_raw = true
silence_hours = 0

[gcp]"""
CONFIG = EXAMPLE.replace("[gcp]", STREAMS.lstrip(), 1)
PROD, OKTA = (
    "nhi-evidence-main-170b2e-k8s_audit-stream-prod",
    "nhi-evidence-main-170b2e-okta_system-stream-acme",
)


def stream(estate: Estate, name: str) -> dict[str, Any]:
    """Return the properties of a stream."""
    (properties,) = [
        each.properties
        for each in estate.of("AWS::KinesisFirehose::DeliveryStream")
        if each.properties["DeliveryStreamName"] == name
    ]
    return properties


def synthesized(folder: Path) -> Path:
    """Return its assembly, with what the rule packs say of it."""
    from infra.aws.application import compose  # noqa: I001, PLC0415 - starts jsii
    import aws_cdk as cdk  # noqa: PLC0415
    import cdk_nag  # noqa: PLC0415

    out = folder / "cdk.out"
    app = cdk.App(outdir=str(out), analytics_reporting=False)
    compose(app, read(CONFIG), staged=unstaged(out.with_name("functions")))
    packs = cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app)
    cdk.Validations.of(app).add_plugins(*packs)
    try:
        app.synth()
    except RuntimeError as error:
        assert "Validation" in str(error)
    return out


if __name__ == "__main__":
    sys.stdout.write(CONFIG)
