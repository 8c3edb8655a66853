"""What the demo prints about sealing, verifying, proving and tampering."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_evidence.demo.sealing import Proof, Tampered
from nhi_evidence.evidence.seal import Sealed
from nhi_evidence.evidence.verify import Report
from nhi_evidence.terminal import verify_report
from nhi_evidence.terminal.safe_text import neutralize

_NAMED = 70


def sealed(out: Console, done: Sealed, report: Report) -> None:
    """Show the signed log and what verification of the bucket says."""
    out.print("The bucket sealed into a signed Merkle log, as the sealer role")
    out.print(f"  {done.origin}, epoch {done.epoch}: {done.added} object versions")
    out.print(f"  size {done.size}, root {done.root}\n", soft_wrap=True)
    out.print("Verified with only the public key, as the auditor role (verify --deep --reproduce)")
    verify_report.show(out, report)
    out.print("")


def proof(out: Console, record_proof: Proof | None) -> None:
    """Show one record's proof, as the verifier inside the bundle tells it."""
    out.print("One record proven; its bundle checked offline by the verifier in it")
    if record_proof is None:
        out.print("  (no kept record has an id)\n")
        return
    for line in [f"record {record_proof.uid}", *record_proof.text.splitlines()]:
        out.print(Text(f"  {neutralize(line)}"), soft_wrap=True)
    out.print("")


def tampered(out: Console, changes: Sequence[Tampered]) -> None:
    """Show what was done to copies and what verification found."""
    table = Table("done to a copy", "verification finds", box=box.SIMPLE, title="What is detected")
    table.title_justify = "left"
    for change in changes:
        findings = [neutralize(text) for text in change.findings[:2]]
        short = [text if len(text) <= _NAMED else f"{text[:_NAMED]}..." for text in findings]
        table.add_row(change.act, Text("\n".join(short) or "NOTHING"))
    out.print(table)
