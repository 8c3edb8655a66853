"""CloudTrail digest files: what is signed, which file it names, and what is refused."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from nhi_evidence.event import Statement
from nhi_evidence.reading.strict_json import JsonError
from nhi_evidence.sources.aws_cloudtrail import digest

KEY = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/02/one.json.gz"
UNIT = f"trail-logs/{KEY}@v1"
HASH = "ab" * 32


def named(**changes: Any) -> dict[str, Any]:
    return {
        "s3Bucket": "trail-logs",
        "s3Object": KEY,
        "hashValue": HASH,
        "hashAlgorithm": "SHA-256",
        **changes,
    }


def digest_of(*files: dict[str, Any], **changes: Any) -> bytes:
    members = {
        "digestEndTime": "2026-03-02T09:00:00Z",
        "digestS3Bucket": "trail-digests",
        "digestS3Object": "AWSLogs/digest.json.gz",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "digestPublicKeyFingerprint": "12ab",
        "previousDigestSignature": "cd01",
        "logFiles": list(files),
        **changes,
    }
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


def text_signed(document: bytes, previous: str = "cd01") -> bytes:
    lines = (
        "2026-03-02T09:00:00Z",
        "trail-digests/AWSLogs/digest.json.gz",
        sha256(document).hexdigest(),
        previous,
    )
    return "\n".join(lines).encode()


def test_the_signed_text_is_the_one_aws_documents() -> None:
    """It is end time, place, digest hash and previous signature, one line each."""
    document = digest_of(named())
    expected = Statement(text_signed(document), "12ab")
    assert expected == digest.statement(document, UNIT, HASH)
    assert expected == digest.signed_text(document, digest.members(document))


def test_the_first_digest_of_a_chain_signs_the_word_null() -> None:
    document = digest_of(named(), previousDigestSignature=None)
    assert Statement(text_signed(document, "null"), "12ab") == digest.statement(
        document, UNIT, HASH
    )


def test_a_file_is_named_among_others() -> None:
    other = named(s3Object=KEY.replace("one", "two"), hashValue="cd" * 32)
    twin = named(s3Object=KEY.replace("one", "two"))
    for files in ((other, named()), (named(), other), (twin, named())):
        assert digest.statement(digest_of(*files), UNIT, HASH) is not None, files


@pytest.mark.parametrize(
    "file",
    [
        named(s3Bucket="other-logs"),
        named(s3Object=KEY + "x"),
        named(hashValue="cd" * 32),
        named(hashValue="cd" * 32, s3Object=HASH),
        named(hashAlgorithm="SHA-1"),
        named(hashAlgorithm=None),
    ],
    ids=["bucket", "key", "hash", "hash as a key", "algorithm", "no algorithm"],
)
def test_another_file_is_not_named(file: dict[str, Any]) -> None:
    """Another bucket, key, hash or hash algorithm each makes it another file."""
    assert digest.statement(digest_of(file), UNIT, HASH) is None


def test_no_digest_names_a_unit_without_a_version() -> None:
    """Its name does not separate bucket and key from a version."""
    assert digest.statement(digest_of(named()), f"trail-logs/{KEY}", HASH) is None
    unnamed = named(s3Bucket="", s3Object="")
    assert digest.statement(digest_of(unnamed), "/", HASH) is None


def test_a_unit_name_that_is_not_utf_8_is_compared_as_bytes() -> None:
    """An S3 key may be any bytes; as text they are surrogates."""
    assert digest.statement(digest_of(named()), "trail-logs/\udcff@v1", HASH) is None


REQUIRED = (
    "digestEndTime",
    "digestS3Bucket",
    "digestS3Object",
    "digestSignatureAlgorithm",
    "digestPublicKeyFingerprint",
    "previousDigestSignature",
    "logFiles",
)


@pytest.mark.parametrize("member", REQUIRED)
@pytest.mark.parametrize("files", [(), (named(),)], ids=["names nothing", "names it"])
def test_a_digest_without_a_required_member_is_refused(
    member: str, files: tuple[dict[str, Any]]
) -> None:
    """Whether it names the file or not."""
    with pytest.raises(JsonError, match=f"^{member} is missing$"):
        digest.statement(digest_of(*files, **{member: ...}), UNIT, HASH)


@pytest.mark.parametrize("member", ["s3Bucket", "s3Object", "hashValue", "hashAlgorithm"])
def test_a_file_entry_without_a_required_member_is_an_error(member: str) -> None:
    file = {name: value for name, value in named().items() if name != member}
    if member == "hashValue":
        file["note"] = HASH
    with pytest.raises(JsonError, match=f"^{member} is missing$"):
        digest.statement(digest_of(file), UNIT, HASH)


@pytest.mark.parametrize("file", [named(s3Bucket=1), named(s3Object=["x"])])
def test_a_place_that_is_not_a_string_is_an_error(file: dict[str, Any]) -> None:
    with pytest.raises(JsonError, match="not a string in canonical form"):
        digest.statement(digest_of(file), UNIT, HASH)


def test_an_unknown_algorithm_is_named_in_short() -> None:
    document = digest_of(digestSignatureAlgorithm="x" * 100)
    with pytest.raises(JsonError) as raised:
        digest.statement(document, UNIT, HASH)
    assert str(raised.value) == f"digest: signed by {b'x' * 40!r}"


@pytest.mark.parametrize("control", [0, 8, 11, 12, 14, 31])
def test_a_control_character_is_an_error(control: int) -> None:
    document = digest_of(named()).replace(b'"logFiles"', bytes([control]) + b'"logFiles"')
    with pytest.raises(JsonError, match="control character"):
        digest.statement(document, UNIT, HASH)


def test_white_space_between_tokens_is_accepted() -> None:
    """Tabs, line feeds and carriage returns too: AWS does not document its formatting."""
    document = json.dumps(json.loads(digest_of(named())), indent="\t").replace("\n", "\r\n")
    assert digest.statement(document.encode(), UNIT, HASH) == Statement(
        text_signed(document.encode()), "12ab"
    )
    (record,) = json.loads('[{"a": [1, 2]}]')
    file = json.dumps({"Records": [record]}, indent="\t").encode()
    assert json.loads(digest.delivered_record(file, 0)) == record


def test_escapes_by_other_writers_are_accepted() -> None:
    """A slash is often written with a backslash before it."""
    document = digest_of(
        named(), digestS3Object="AWSLogs/digest.json.gz", previousDigestSignature="cd/01"
    ).replace(b"/", rb"\/")
    stated = digest.statement(document, UNIT, HASH)
    assert stated == Statement(text_signed(document, "cd/01"), "12ab")


def test_a_fingerprint_that_is_not_utf_8_is_replaced() -> None:
    document = digest_of(named()).replace(b'"12ab"', b'"12\xff"')
    stated = digest.statement(document, UNIT, HASH)
    assert stated is not None
    assert stated.fingerprint == "12\ufffd"


def test_the_signature_comes_from_the_metadata() -> None:
    assert digest.signature({"meta.signature": "00ff"}) == b"\x00\xff"


@pytest.mark.parametrize(
    "metadata",
    [{}, {"meta.signature": ""}, {"meta.signature": "0"}, {"meta.signature": "00FF"},
     {"meta.signature": "00ff\n"}, {"meta.signature": "00" * 1025}, {"signature": "00ff"}],
)  # fmt: skip
def test_metadata_without_a_signature_is_an_error(metadata: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"^digest: its signature was not kept with it$"):
        digest.signature(metadata)


def test_a_record_is_returned_exactly_as_written() -> None:
    file = b'{"Records": [{"a":1} , {"b" : "\\u00e4"}]}'
    assert digest.delivered_record(file, 0) == b'{"a":1}'
    assert digest.delivered_record(file, 1) == b'{"b" : "\\u00e4"}'
    with pytest.raises(JsonError, match=r"^file: 2 records, none has the index 2$"):
        digest.delivered_record(file, 2)


@pytest.mark.parametrize("file", [b"{}", b'{"Records":[],"more":1}', b'{"records":[{}]}'])
def test_a_file_with_another_envelope_is_refused(file: bytes) -> None:
    with pytest.raises(JsonError, match=r"not \{'Records'"):
        digest.delivered_record(file, 0)
