"""What a proof shows, as text: a line for each link, and explicitly what was not shown."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.evidence.proof import Checked, MlDsa
from nhi_evidence.evidence.provider import KeyTrust, ProviderSignature
from nhi_evidence.terminal.flag_words import FLAGS
from nhi_evidence.terminal.safe_text import instant, neutralize

_FORMS = {
    "kept": "record",
    "rejected": "record that could not be mapped, kept as received,",
    "out_of_scope": "record that is out of scope, kept as received,",
    "companion": "companion",
}


def lines(checked: Checked) -> Iterator[str]:
    """Yield what a proof shows, line by line, safe to show in a terminal."""
    yield f"text     raw.txt, SHA-256 {checked.raw_sha256}"
    uid = f"{neutralize(checked.uid or '')}, as stated by the record mapped from the text"
    yield f"record   {uid if checked.uid else '(no ID is stated)'}"
    yield f"place    {_FORMS[checked.form]} {checked.record} of {neutralize(checked.unit)}"
    yield f"object   {neutralize(checked.key)}"
    for flag in checked.flags:
        yield f"flag     {neutralize(flag)}: {FLAGS.get(flag, 'see docs/evidence-format.md')}"
    if checked.raw_form is not None:
        yield "form     as listed by the source's API, not as delivered by its log"
    if checked.is_cut:
        yield "cut      fields were removed from the text before it was written"
    origin = neutralize(checked.origin)
    yield f"log      {origin}, leaf {checked.index}, signed at size {checked.size}"
    yield f"key      {neutralize(', '.join(checked.signed_by))}"
    if checked.ml_dsa is MlDsa.VERIFIED:
        yield "ML-DSA   verified: the log's own post-quantum cosignature"
    elif checked.ml_dsa is MlDsa.NOT_CHECKED:
        yield "ML-DSA   not checked: there is a cosignature, but no key was given for it"
    for name, at in checked.anchored.items():
        yield f"anchor   {neutralize(name)} saw the checkpoint at {instant(at)}"
    if checked.provider_signature is not None:
        yield f"provider {provider_line(checked.provider_signature)}"


def provider_line(signature: ProviderSignature) -> str:
    """Say what was shown about a provider's signature, and what was not."""
    name = neutralize(signature.fingerprint)
    bundled = f"under a signature by the bundle's provider-key.der (SHA-256 {signature.key_sha256})"
    match signature.key, signature.is_text_shown:
        case KeyTrust.TRUSTED, True:
            return f"signed this text, in the delivered file, with the key {name}, which you trust"
        case KeyTrust.TRUSTED, False:
            return (
                f"signed the delivered file with the key {name}, which you trust; "
                "not shown: that this text is in that file"
            )
        case KeyTrust.BUNDLED, True:
            return (
                f"names the file this text is in, {bundled}; not shown: that the key is the "
                f"provider's (--provider-keys), which the document calls {name}"
            )
        case KeyTrust.BUNDLED, False:
            return (
                f"names the delivered file, {bundled}; not shown: that the key is the provider's "
                f"(--provider-keys), which the document calls {name}; that this text is in that "
                "file"
            )
        case _, True:
            return (
                "is said to name the file this text is in; not shown: who signed that "
                "(--provider-keys)"
            )
        case _:
            return (
                "is said to name the delivered file; not shown: who signed that, that this text "
                "is in that file"
            )
