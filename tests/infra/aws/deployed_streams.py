"""Firehose, destinations of log groups and rules, as they answer from templates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.infra.aws.deployed import Deployed


def absent(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not there"}}, "Get")


class Streams:
    """Answers of these services; part of `deployed_services.Service`."""

    _d: Deployed

    def describe_delivery_stream(self, *, DeliveryStreamName: str) -> Any:  # noqa: N803
        for stream in self._d.of("AWS::KinesisFirehose::DeliveryStream"):
            if stream["DeliveryStreamName"] != DeliveryStreamName:
                continue
            files = dict(stream["ExtendedS3DestinationConfiguration"])
            buffered = files["BufferingHints"]
            files["BufferingHints"] = {
                "IntervalInSeconds": buffered["IntervalInSeconds"],
                "SizeInMBs": buffered["SizeInMBs"],
            }
            encryption = stream["DeliveryStreamEncryptionConfigurationInput"]
            answer = {
                "DeliveryStreamStatus": "ACTIVE",
                "DeliveryStreamType": stream["DeliveryStreamType"],
                "DeliveryStreamEncryptionConfiguration": {**encryption, "Status": "ENABLED"},
                "Destinations": [{"ExtendedS3DestinationDescription": files}],
            }
            return {"DeliveryStreamDescription": answer}
        raise absent("ResourceNotFoundException")

    def describe_destinations(self, *, DestinationNamePrefix: str) -> Any:  # noqa: N803
        every = [
            {
                "destinationName": each["DestinationName"],
                "targetArn": each["TargetArn"],
                "roleArn": each["RoleArn"],
                "accessPolicy": each["DestinationPolicy"],
            }
            for each in self._d.of("AWS::Logs::Destination")
        ]
        name = "destinationName"
        return {
            "destinations": [one for one in every if one[name].startswith(DestinationNamePrefix)]
        }

    def describe_event_source(self, *, Name: str) -> Any:  # noqa: N803
        bus = self._d.named("AWS::Events::EventBus", Name, "ResourceNotFoundException")
        return {"Name": bus["EventSourceName"], "State": bus.get("_state", "ACTIVE")}

    def _event_rule(self, name: str, bus: str) -> dict[str, Any]:
        rule = self._d.named("AWS::Events::Rule", name, "ResourceNotFoundException")
        if bus != rule.get("EventBusName", "default"):
            raise absent("ResourceNotFoundException")
        return rule

    def list_targets_by_rule(self, *, Rule: str, EventBusName: str = "default") -> Any:  # noqa: N803
        return {"Targets": self._event_rule(Rule, EventBusName)["Targets"]}

    def describe_rule(self, *, Name: str, EventBusName: str = "default") -> Any:  # noqa: N803
        rule = self._event_rule(Name, EventBusName)
        pattern = rule.get("EventPattern")
        return rule | ({"EventPattern": json.dumps(pattern)} if pattern else {})
