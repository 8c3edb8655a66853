"""Telling whether the code of a file is the same, whatever its comments and docstrings say."""

from __future__ import annotations

import ast
import io
import tokenize
from hashlib import sha256


def code_digest(source: bytes) -> str:
    """Return eight hex digits of the SHA-256 of a file's lines without words for people.

    Those are comments, docstrings, and empty lines; the rest is hashed as it is written, so that
    the digest is the same under every version of Python.
    """
    lines = source.decode().split("\n")
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            assert node.end_lineno is not None
            for row in range(node.lineno, node.end_lineno + 1):
                lines[row - 1] = ""
    code = "\n".join(line.rstrip() for line in lines if line.strip())
    return sha256(code.encode()).hexdigest()[:8]
