"""The calls of an AWS canary, through the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence import __version__, partitions
from nhi_evidence.adapters.aws import session
from nhi_evidence.adapters.probing.outcome import Done, filled
from nhi_evidence.coverage.canary.probes import NONCE, Probe
from nhi_evidence.errors import SettingsError

AS_NOBODY = " as a key that does not exist"
"""Suffix of a probe's call that is made with a made-up access key."""
_CLIENTS = {"bedrock": "bedrock-runtime"}
"""By prefix of a service's actions, the SDK's name of its client, if different."""
_NO_KEY = "AKIA7NHIEVIDENCENONE"
"""Has the form of an access key id, but belongs to no account and has no secret."""
_SECONDS = 10


class Runner:
    """The probes of one account in one hour."""

    def __init__(
        self,
        account: str,
        region: str,
        principal: str,
        credentials: Mapping[str, str],
        done: Done,
    ) -> None:
        """Call as `principal`, with its `credentials`; count into `done`."""
        self._region = region
        self._credentials = credentials
        self._done = done
        self._values = {
            "{partition}": _partition(region),
            "{region}": region,
            "{account}": account,
            "{principal}": principal,
        }

    def run(self, probe: Probe, nonce: str) -> None:
        """Make one call, once, and note whether it was refused as it should be."""
        call = probe.call.removesuffix(AS_NOBODY)
        service, _, operation = call.partition(":")
        credentials = self._credentials
        if call != probe.call:
            credentials = {"aws_access_key_id": _NO_KEY, "aws_secret_access_key": nonce}
        open_client: Any = boto3.client
        client = open_client(
            _CLIENTS.get(service, service),
            region_name=self._region,
            config=_configuration(nonce),
            **credentials,
        )
        known = client.meta.method_to_api_mapping
        methods = {known[name]: name for name in known}
        arguments = filled(probe.parameters, {**self._values, NONCE: nonce})
        try:
            getattr(client, methods[operation])(**arguments)
            outcome = "allowed"
        except ClientError as error:
            outcome = "refused"
            if error.response.get("Error", {}).get("Code") == "DryRunOperation":
                outcome = "allowed"
        except BotoCoreError as error:
            self._done.unanswered.append(f"{probe.cell}: {call}: {error}")
            return
        self._done.answered(probe, call, outcome)


def _configuration(nonce: str) -> ClientConfig:
    """Return a configuration that marks a call and disables retries, which would add records."""
    return ClientConfig(
        user_agent_extra=f"nhi-canary/{nonce}",
        retries={"total_max_attempts": 1},
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
    )


def taken(role: str, region: str) -> dict[str, str]:
    """Return the credentials of a canary for 15 minutes, the minimum.

    Raises `BotoCoreError` and `ClientError`, as the SDK does.
    """
    answer = boto3.client("sts", region_name=region, config=session.CLIENT_CONFIG).assume_role(
        RoleArn=role, RoleSessionName=f"nhi-evidence-{__version__}", DurationSeconds=900
    )
    credentials = answer["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def _partition(region: str) -> str:
    known = partitions.of_region(region)
    if known is None:
        raise SettingsError(f"{region} belongs to no known AWS partition")
    return known.name
