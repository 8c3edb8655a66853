"""The stacks and buckets that one monitoring stack watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from infra.aws.canary_stack import CanaryStack
from infra.aws.coverage_stack import CoverageStack
from infra.aws.export_stack import AwsExportStack
from infra.aws.forward_stack import ForwardStack
from infra.aws.reconcile_stack import ReconcileStack
from infra.aws.seal_stack import SealStack
from nhi_evidence.config import EvidenceBucket


class Watched(NamedTuple):
    """Everything in one account and region that alarms are made for."""

    exports: AwsExportStack | None = None
    seals: Sequence[SealStack] = ()
    reconciles: Sequence[ReconcileStack] = ()
    covering: Sequence[CoverageStack] = ()
    probing: Sequence[CanaryStack] = ()
    forwards: Sequence[ForwardStack] = ()
    buckets: Sequence[EvidenceBucket] = ()
    """The evidence buckets of this region."""
    replicated: Sequence[EvidenceBucket] = ()
    """The evidence buckets whose replica is in this region."""
