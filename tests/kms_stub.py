"""KMS over HTTP with a local key, held to botocore's own model of the service.

No emulator offers Ed25519 or ML-DSA. This one answers GetPublicKey, Sign and GetKeyPolicy alone,
and refuses whatever the service model does not allow, down to the length of a message.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tests.loopback import Handler, Loopback
from tests.signing import LocalCosigner, LocalSigner

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:us-east-1:222222222222:key/{KEY_ID}"
ALIAS = "alias/nhi-evidence-log"
POLICY = '{"Version":"2012-10-17","Statement":[]}'

MODEL = botocore.session.get_session().get_service_model("kms")


class KmsStub(Loopback):
    """A KMS endpoint on loopback. Use as a context manager."""

    def __init__(self, name: str = "kms", *, post_quantum: bool = False) -> None:
        self.signer = LocalCosigner(name) if post_quantum else LocalSigner(name)
        self.spec = "ML_DSA_44" if post_quantum else "ECC_NIST_EDWARDS25519"
        self.algorithms = (
            ["ML_DSA_SHAKE_256"] if post_quantum else ["ED25519_SHA_512", "ED25519_PH_SHA_512"]
        )
        self.calls: list[str] = []
        self.refused: dict[str, str] = {}
        """Error code by operation."""
        super().__init__(self._handler())

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer of one call, checked on its way in and out."""
        self.calls.append(operation)
        model = MODEL.operation_model(operation)
        problem = self.refused.get(operation) or _problem(request, model.input_shape)
        if problem is None and request["KeyId"] not in {KEY_ID, KEY_ARN, ALIAS}:
            problem = "NotFoundException"
        if problem is not None:
            return 400, {"__type": problem.partition(":")[0], "message": problem}
        answered = getattr(self, f"_{operation}")(request)
        assert _problem(answered, model.output_shape) is None
        return 200, answered

    def _GetPublicKey(self, _request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 its own name
        return {
            "KeyId": KEY_ARN,
            "PublicKey": b64encode(self.signer.public_key()).decode(),
            "KeySpec": self.spec,
            "KeyUsage": "SIGN_VERIFY" if self.algorithms else "KEY_AGREEMENT",
            "SigningAlgorithms": self.algorithms,
        }

    def _Sign(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 its own name
        # "ED25519_SHA_512 ... requires MessageType RAW" (API reference of Sign); so does signing
        # a message, and not its mu, by ML_DSA_SHAKE_256.
        assert (request["MessageType"], request["SigningAlgorithm"]) == ("RAW", self.algorithms[0])
        signature = self.signer.sign(b64decode(request["Message"], validate=True))
        return {
            "KeyId": KEY_ARN,
            "Signature": b64encode(signature).decode(),
            "SigningAlgorithm": request["SigningAlgorithm"],
        }

    def _GetKeyPolicy(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 its own name
        # Aliases name a key to sign with; administration takes its id or ARN.
        assert not request["KeyId"].startswith("alias/")
        return {"Policy": POLICY, "PolicyName": "default"}

    def _handler(self) -> type[Handler]:
        stub = self

        class _Kms(Handler):
            def do_POST(self) -> None:  # noqa: N802 as inherited
                request = json.loads(self.body())
                service, _, operation = self.headers["X-Amz-Target"].partition(".")
                assert service == MODEL.metadata["targetPrefix"]
                status, answered = stub.answer(operation, request)
                body = json.dumps(answered).encode()
                self.reply(status, body, {"Content-Type": "application/x-amz-json-1.1"})

        return _Kms


def _problem(request: dict[str, Any], shape: Any) -> str | None:
    """What botocore's model says against a call or an answer; blobs come in base64."""
    plain = {
        name: b64decode(value) if shape.members[name].type_name == "blob" else value
        for name, value in request.items()
        if name in shape.members
    }
    if len(plain) != len(request):
        return "ValidationException: an unknown member"
    report = ParamValidator().validate(plain, shape)
    if report.has_errors():
        return f"ValidationException: {report.generate_report()}"
    for name, value in plain.items():
        member = shape.members[name]
        if getattr(member, "enum", None) and value not in member.enum:
            return f"ValidationException: {name} is not one of {member.enum}"
        longest = member.metadata.get("max")
        if longest is not None and len(value) > longest:
            return f"ValidationException: {name} is longer than {longest}"
    return None
