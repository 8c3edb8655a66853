"""Somebody outside, on loopback: a time-stamping authority on OpenSSL, and a C2SP witness."""

from __future__ import annotations

import shutil
import subprocess
import threading
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nhi_evidence.adapters import clock
from nhi_evidence.evidence import checkpoint, cosignature, merkle, note

Answer = tuple[int, str, bytes]


class _Outsider:
    """An HTTP server on loopback. Use as a context manager."""

    def __init__(self, answer: Callable[[str, bytes], Answer]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
        self.url = f"http://127.0.0.1:{self._server.server_port}/w"

    def __enter__(self) -> _Outsider:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Stamping:
    """Keys and certificates of a time-stamping authority, under a root of its own."""

    def __init__(
        self, folder: Path, *, expired: bool = False, intermediate: bool = False, chain: str = ""
    ) -> None:
        """`chain` names what a stamp carries beside the authority's own certificate."""
        self._folder = folder
        self._chain = chain
        folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        ends = now - timedelta(days=1) if expired else now + timedelta(days=3650)
        root_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        root = _certificate("Test root", root_key, None, root_key, ends=now + timedelta(days=9000))
        issuer, issuer_key = root, root_key
        if intermediate:
            issuer_key = ec.generate_private_key(ec.SECP256R1())
            issuer = _certificate("Test CA", issuer_key, root, root_key, ends=ends, is_ca=True)
        signer = _certificate("Test TSA", key, issuer, issuer_key, ends=ends)
        for name, certificate in (("root", root), ("intermediate", issuer)):
            (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        self.roots = root.public_bytes(Encoding.PEM)
        (folder / "tsa.pem").write_bytes(signer.public_bytes(Encoding.PEM))
        (folder / "roots.pem").write_bytes(self.roots)
        (folder / "tsa.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (folder / "ts.cnf").write_text(
            f"[tsa]\nserial = {folder}/serial\ndefault_policy = 1.2.3.4.1\ndigests = sha256\n"
            "signer_digest = sha256\ness_cert_id_alg = sha256\naccuracy = secs:1\n"
        )

    def stamp(self, text: bytes) -> bytes:
        """Return the response to a request over a text."""
        query = self._folder / "query.tsq"
        (self._folder / "text").write_bytes(text)
        _openssl("ts", "-query", "-data", self._folder / "text", "-sha256", "-cert", "-out", query)
        return self.reply(query.read_bytes())

    def reply(self, request: bytes) -> bytes:
        """Return the response to a request."""
        query = self._folder / f"{sha256(request).hexdigest()}.tsq"
        query.write_bytes(request)
        reply = query.with_suffix(".tsr")
        folder = self._folder
        _openssl(
            *("ts", "-reply", "-config", folder / "ts.cnf", "-section", "tsa", "-queryfile", query),
            *("-signer", folder / "tsa.pem", "-inkey", folder / "tsa.key", "-out", reply),
            *(("-chain", self._carried()) if self._chain else ()),
        )
        return reply.read_bytes()

    def _carried(self) -> Path:
        """The certificates of the chain, in the order they are named in."""
        names = self._chain.split()
        carried = self._folder / "chain.pem"
        carried.write_bytes(b"".join((self._folder / f"{one}.pem").read_bytes() for one in names))
        return carried


class Authority(_Outsider):
    """A time-stamping authority over HTTP."""

    NAME = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        super().__init__(self._answer)
        self.stamping = Stamping(folder)
        self.altered: Callable[[bytes], Answer] | None = None
        """What it answers instead."""

    def _answer(self, _path: str, body: bytes) -> Answer:
        if self.altered is not None:
            return self.altered(body)
        return 200, "application/timestamp-reply", self.stamping.reply(body)


class Witness(_Outsider):
    """A witness of one log, as https://c2sp.org/tlog-witness has it."""

    def __init__(self, name: str, log_key: note.Key) -> None:
        super().__init__(self._answer)
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key = note.Key(name, note.Algorithm.COSIGNATURE_V1, public)
        self._log_key = log_key
        self.bounded_cache: dict[str, checkpoint.Checkpoint] = {}
        self.submissions: list[int] = []

    def cosign(self, text: bytes, at: int | None = None) -> bytes:
        """Return a signature line."""
        time = (clock.now() // 1000 if at is None else at).to_bytes(8, "big")
        signature = time + self._key.sign(
            cosignature.text_message(text, cosignature.cosigned_at(time))
        )
        return note.write(text.decode(), [(self.key, signature)])[len(text) + 1 :]

    def _answer(self, path: str, body: bytes) -> Answer:
        if path != "/w/add-checkpoint":
            return 404, "text/plain", b""
        head, _, signed = body.partition(b"\n\n")
        first, *proof = head.decode().split("\n")
        old = int(first.removeprefix("old "))
        self.submissions.append(old)
        text, _ = note.split(signed)
        stated = checkpoint.parse(text)
        if stated.origin.rpartition("/")[0] != self._log_key.name:
            return 404, "text/plain", b""
        try:
            checkpoint.read(signed, [self._log_key], stated.origin)
        except note.NoteError:
            return 403, "text/plain", b""
        before = self.bounded_cache.get(
            stated.origin, checkpoint.Checkpoint(stated.origin, 0, merkle.EMPTY_ROOT)
        )
        if old != before.size:
            return 409, "text/x.tlog.size", b"%d\n" % before.size
        if old == stated.size and before.root != stated.root:
            return 409, "text/plain", b""
        try:
            path_ = [b64decode(one) for one in proof]
            merkle.check_consistency(old, stated.size, path_, before.root, stated.root)
        except merkle.ProofError:
            return 422, "text/plain", b""
        self.bounded_cache[stated.origin] = stated
        return 200, "text/plain", self.cosign(text.encode())


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signed_by: ec.EllipticCurvePrivateKey,
    *,
    ends: datetime,
    is_ca: bool = False,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if issuer is None or is_ca:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
    else:
        # RFC 3161 section 2.3: this use alone, and critical.
        use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(use, critical=True)
    return builder.sign(signed_by, SHA256())


def _openssl(*arguments: str | Path) -> None:
    program = shutil.which("openssl")
    assert program, "the time-stamping authority of the tests is OpenSSL"
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True)


def _handler(answer: Callable[[str, bytes], Answer]) -> type[BaseHTTPRequestHandler]:
    class _Outside(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, content = answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return _Outside
