"""The commands, one row each; the top-level `--help` reads nothing else.

The row `verify` stands for `command` and `EXAMPLES` of the module `nhi_evidence.cli.verify`,
loaded when the command or its help is run; `replay aws` for those of `replay_aws`; and `replay`,
which has rows below it, has no module.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Panel(StrEnum):
    """What the user is about to do: the headings of `--help`, in order."""

    TRY = "Try"
    DEPLOY = "Deploy and operate"
    AUDIT = "Audit"
    INVESTIGATE = "Investigate"


class Command(msgspec.Struct, frozen=True):
    """One command, or a group of them."""

    name: str
    """The name as typed: `verify`, `replay aws`."""
    panel: Panel
    summary: str
    """What it does, in at most 60 characters."""

    @property
    def word(self) -> str:
        """The last word of the name, unique within its group."""
        return self.name.rpartition(" ")[2]

    @property
    def module(self) -> str:
        """The module with its `command` and `EXAMPLES`."""
        return f"nhi_evidence.cli.{self.name.replace(' ', '_').replace('-', '_')}"

    @property
    def is_group(self) -> bool:
        """Whether it has subcommands."""
        return any(row.name.startswith(f"{self.name} ") for row in COMMANDS)


COMMANDS = (
    Command("demo", Panel.TRY, "Run the main job on this machine, and show what is refused."),
    Command("init", Panel.DEPLOY, "Write the configuration of a deployment, by asking."),
    Command("cost", Panel.DEPLOY, "Estimate what a deployment costs in a month."),
    Command("doctor", Panel.DEPLOY, "Check what is deployed: what is wrong, and how to fix it."),
    Command("keys", Panel.DEPLOY, "Show the verifier key of a signing key, or make a key."),
    Command("seal", Panel.DEPLOY, "Seal what is new into the signed Merkle log."),
    Command("anchor", Panel.DEPLOY, "Anchor the newest checkpoint outside the account."),
    Command("replay", Panel.DEPLOY, "Send delivered files to an exporter again."),
    Command("replay aws", Panel.DEPLOY, "Send the delivered files of a window again."),
    Command("replay gcp", Panel.DEPLOY, "Announce the batched files of a window again."),
    Command("replay azure", Panel.DEPLOY, "Have the exporter reread what the hub still keeps."),
    Command("collect", Panel.DEPLOY, "Read a provider's settings, for coverage."),
    Command("collect aws", Panel.DEPLOY, "Read AWS's settings, and change nothing."),
    Command("collect gcp", Panel.DEPLOY, "Read Google Cloud's settings, and change nothing."),
    Command("collect azure", Panel.DEPLOY, "Read Azure's and Entra's, and change nothing."),
    Command("collect github", Panel.DEPLOY, "Read GitHub's audit streams, and change nothing."),
    Command("collect okta", Panel.DEPLOY, "Read Okta's log streams, and change nothing."),
    Command("collect vault", Panel.DEPLOY, "Read Vault's audit devices, and change nothing."),
    Command("backfill", Panel.DEPLOY, "Lock what a source's API lists."),
    Command("backfill gcp", Panel.DEPLOY, "Lock what Cloud Logging's API lists for a window."),
    Command("verify", Panel.AUDIT, "Verify an evidence store with public keys alone."),
    Command("reconcile", Panel.AUDIT, "Compare what providers delivered with what is counted."),
    Command("coverage", Panel.AUDIT, "Show which steps are recorded in this evidence."),
    Command("offboarding", Panel.AUDIT, "Show whether an identity is gone, and what came after."),
    Command("attest-absence", Panel.AUDIT, "State that a step is not on record, with its limits."),
    Command("check-absence", Panel.AUDIT, "Check a statement of absence, offline."),
    Command("copy", Panel.AUDIT, "Copy an evidence store into a directory."),
    Command("prove", Panel.AUDIT, "Write a proof of one record that anyone can check offline."),
    Command("check-proof", Panel.AUDIT, "Check a proof bundle, offline."),
    Command("version", Panel.AUDIT, "Show version, commit, mapper digest and formats."),
    Command("normalize", Panel.INVESTIGATE, "Map raw log files into OCSF records."),
    Command("summary", Panel.INVESTIGATE, "Summarize who did what, and when, in logs or evidence."),
    Command("timeline", Panel.INVESTIGATE, "Show what an identity did, from first touch on."),
    Command("query", Panel.INVESTIGATE, "Query an evidence store or raw logs with SQL."),
    Command("renormalize", Panel.INVESTIGATE, "Show what this release would map differently."),
    Command("case", Panel.INVESTIGATE, "Hand over what an identity did, with every proof."),
    Command("case create", Panel.INVESTIGATE, "Write a case: report, records and proofs in a zip."),
    Command("case verify", Panel.INVESTIGATE, "Check a case, offline, against keys you trust."),
    Command("explain", Panel.INVESTIGATE, "Explain what an operation means, and why."),
)


def find(name: str) -> Command | None:
    """Return the row of a name, or None."""
    return next((row for row in COMMANDS if row.name == name), None)


def below(name: str) -> tuple[Command, ...]:
    """Return the rows right below a group; of the empty name, those at the top."""
    return tuple(row for row in COMMANDS if row.name.rpartition(" ")[0] == name)
