"""What every command prints on a terminal of 80 columns: one or more runs of each.

A command that is not here and not in `ELSEWHERE` fails the test that walks through the table.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

from nhi_evidence import cli
from nhi_evidence.demo.story import generate
from tests.cli import sealing_case
from tests.cli.command import run
from tests.cli.sealed_copy import NAME
from tests.coverage import examples
from tests.proofs import sealed

COLUMNS = 80

ELSEWHERE = {
    "demo": "starts a store and functions: tests/cli/test_demo.py looks at its width",
    "doctor": "needs credentials of an account: without any it prints nothing but that",
    "replay aws": "sends to a queue in the account of the files",
    "replay gcp": "lists a staging bucket and publishes to its topic",
    "replay azure": "runs the Azure command line, signed in",
    "backfill gcp": "asks Cloud Logging's API",
    "collect aws": "asks the APIs of an account",
    "collect gcp": "asks Google's hosts alone, with a token",
    "collect azure": "asks Microsoft's hosts alone, with a token",
    "collect github": "asks GitHub's host alone, with a token",
    "collect okta": "asks an organization's host, with a token",
    "collect vault": "asks a server, with a token",
}
"""Commands that need more than files, and what: they print by the same call as the others."""


INIT = (
    "--organization", "o-exampleorg1", "--log-archive-account", "111122223333",
    "--evidence-account", "222233334444", "--region", "eu-central-1",
    "--log-name", "example.org/evidence", "--retention-days", "0", "--trail-kind", "existing",
    "--trail-bucket", "organization-trail", "--trail-region", "eu-west-1",
    "--keep-out-of-scope-raw", "no", "--email", "security@example.org", "--budget", "200",
    "--objects-per-hour", "100000",
)  # fmt: skip


class Screen(io.TextIOWrapper):
    """Standard output that says it is a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def isatty(self) -> bool:
        return True


class Case:
    """Evidence, keys and logs that every command is run with."""

    def __init__(self, folder: Path, spoil: Callable[[bytes], bytes] = bytes) -> None:
        """Make them below a folder; `spoil` changes the JSON of every log and reading."""
        self.folder = folder
        self.key_file = folder / "log.pem"
        assert run("keys", "--new", "--key-file", self.key_file, "--name", NAME).code == 0
        self.key, self.uid = sealing_case.make(folder, self.key_file, spoil(sealed.trail_file()))
        self.evidence = folder / "evidence"
        self.logs = folder / "logs"
        self.logs.mkdir()
        for file in generate():
            body = gzip.compress(spoil(gzip.decompress(file.body)), mtime=0)
            (self.logs / Path(file.key).name).write_bytes(body)
        (self.logs / "broken.json").write_text('{"Records": [{"eventVersion": "1.08", ')
        self.settings = folder / "settings"
        self.settings.mkdir()
        for reading in examples.FOLDER.iterdir():
            (self.settings / reading.name).write_bytes(spoil(reading.read_bytes()))
        self.report = folder / "coverage.json"
        result = run("coverage", "--config-dir", self.settings, "--json")
        self.report.write_text(result.out)

    def runs(self) -> Iterator[tuple[str, Sequence[str | Path]]]:
        """Yield a command's name and its arguments, in an order in which its files exist."""
        trust = ("--key", self.key)
        store = (self.evidence, *trust)
        proof, case = self.folder / "proof.zip", self.folder / "case.zip"
        absence = self.folder / "absence.json"
        window = ("--from", "2026-03-02T08:00:00Z", "--to", "2026-03-02T10:00:00Z")
        yield "version", ()
        yield "version", ("--verbose",)
        yield "cost", ()
        yield "keys", ("--key-file", self.key_file, "--name", NAME)
        yield "explain", ("secretsmanager:GetSecretValue",)
        yield "explain", ("ec2:RunInstances",)
        yield "init", ("-o", self.folder / "c.toml", "--no-input", *INIT)
        yield "coverage", ("--config-dir", self.settings)
        yield "coverage", ("--config-dir", self.settings, "--verbose", "--controls")
        yield "offboarding", (*store, "--identity", "arn:aws:iam::444455556666:user/ci-deploy")
        yield "attest-absence", (*store, "--identity", "arn:aws:iam::444455556666:user/nobody",
                                 "--step", "secret_access", *window, "-o", absence)  # fmt: skip
        yield "check-absence", (absence, *trust)
        yield "seal", (self.evidence, "--name", NAME, "--key-file", self.key_file)
        (self.folder / "elsewhere").mkdir(exist_ok=True)
        yield "anchor", (*store, "--copy-to", self.folder / "elsewhere")
        yield "verify", store
        yield "verify", (*store, "--deep")
        yield "reconcile", store
        yield "copy", (self.evidence, self.folder / "copy")
        yield "prove", (self.evidence, self.uid, *trust, "-o", proof)
        yield "check-proof", (proof, *trust)
        yield "normalize", ("-o", self.folder / "records.ndjson", self.logs)
        yield "summary", (self.logs,)
        yield "summary", store
        yield "timeline", (self.logs, "--ip", "203.0.113.77")
        yield "timeline", (self.logs, "--identity", "ci-deploy", "--coverage", self.report)
        yield "timeline", (*store, "--identity", "ci-deploy")
        yield "query", ("--list",)
        yield "query", (self.logs, "--question", "credentials-in-use")
        yield "query", (*store, "--sql", "SELECT * FROM events LIMIT 2")
        yield "query", (self.logs, "--sql", "SELECT phase, count(*) FROM events GROUP BY phase")
        yield "renormalize", store
        yield "case create", (*store, "--identity", "ci-deploy", "-o", case)
        yield "case verify", (case, *trust)


def looked_at(
    name: str, arguments: Sequence[str | Path], *, terminal: str = "dumb"
) -> tuple[str, str]:
    """Run a command in a terminal; return what stands there, and on its standard error.

    A `dumb` terminal shows no progress; one of another name gets it between the lines.
    """
    out, err = Screen(), Screen()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.dict(os.environ, {"COLUMNS": str(COLUMNS), "NO_COLOR": "1", "TERM": terminal}),
        mock.patch.object(sys, "argv", ["nhi-evidence", *name.split(), *map(str, arguments)]),
        contextlib.suppress(SystemExit),
    ):
        cli.main()
    out.seek(0)
    err.seek(0)
    return out.read(), err.read()
