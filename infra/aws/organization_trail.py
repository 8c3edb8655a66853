"""A new organization trail: every account, every region, digests included."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudtrail as cloudtrail
from constructs import Construct

from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import Trail

S3_OBJECTS = "AWS::S3::Object"

_Selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
_Field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty


class OrganizationTrail(Construct):
    """An organization trail in the management account that delivers to the log archive's bucket.

    It records management events, reads and writes, and data events of the trail's `data_events`:
    resource types such as `AWS::S3::Object`. It belongs to the management account because
    CloudFormation cannot create it elsewhere: as a delegated administrator it creates the trail,
    starts it by name, gets the answer that its own account has no trail of that name, and rolls
    back (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1932).
    """

    def __init__(self, scope: Construct, name: str, *, config: Config, trail: Trail) -> None:
        super().__init__(scope, name)
        self.resource = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=naming.trail(config.id, trail.name),
            is_logging=True,
            is_multi_region_trail=True,
            is_organization_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            s3_bucket_name=trail.bucket,
            s3_key_prefix=trail.prefix.rstrip("/") or None,
            kms_key_id=trail.kms_key,
            advanced_event_selectors=_selectors(config, trail),
        )
        self.resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def _selectors(config: Config, trail: Trail) -> list[object]:
    """Return selectors: all management events, and data events except writes of evidence.

    Recording a write of the exporter would produce another file to export, and so on forever; so
    would recording what follows from each evidence object, its lines for a subscriber and its
    replica. Reads of all three are recorded: they show who looked. Those of the functions and the
    subscriber are among them, a fixed number for each object, in the files that come anyway.
    """
    data_events = trail.data_events or ()
    evidence = [
        f"{naming.bucket_arn(trail.region, one)}/"
        for one in (
            *(store.bucket for store in config.evidence.buckets),
            *(store.replica.bucket for store in config.evidence.buckets if store.replica),
            *(subscriber.bucket for subscriber in config.subscribers),
        )
    ]
    selectors = [
        _Selector(
            name="Management events, reads and writes",
            field_selectors=[_Field(field="eventCategory", equal_to=["Management"])],
        )
    ]
    for kind in data_events:
        fields = [
            _Field(field="eventCategory", equal_to=["Data"]),
            _Field(field="resources.type", equal_to=[kind]),
        ]
        if kind == S3_OBJECTS:
            own = [f"{naming.bucket_arn(trail.region, trail.bucket)}/", *evidence]
            fields.append(_Field(field="resources.ARN", not_starts_with=own))
        selectors.append(_Selector(name=f"Data events of {kind}", field_selectors=fields))
    if S3_OBJECTS in data_events:
        selectors.append(
            _Selector(
                name="Reads of evidence",
                field_selectors=[
                    _Field(field="eventCategory", equal_to=["Data"]),
                    _Field(field="resources.type", equal_to=[S3_OBJECTS]),
                    _Field(field="resources.ARN", starts_with=evidence),
                    _Field(field="readOnly", equal_to=["true"]),
                ],
            )
        )
    return list(selectors)
