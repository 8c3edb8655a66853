"""A page in one file: it loads nothing, and text from records cannot act in it.

Its content security policy allows only its own style and script, by hash.
https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import pkgutil
from base64 import b64encode
from hashlib import sha256
from html import escape

from nhi_evidence.errors import SettingsError
from nhi_evidence.inert import neutralize

_LAYOUT = "\t\n"
"""Control characters that a page does need."""


def page(package: str, title: str, body: str) -> bytes:
    """Return a page with the `page.css` and `page.js` of a package; title and body are HTML.

    Control, bidirectional and invisible characters in them are shown as escapes, as on a terminal:
    a name in a record could otherwise turn around the words after it.
    """
    style, script = _asset(package, "page.css"), _asset(package, "page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{neutralize(title, keep=_LAYOUT)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n{neutralize(body, keep=_LAYOUT)}\n<script>{script}</script>\n</body>\n</html>\n"
    ).encode("utf-8", "backslashreplace")


def _asset(package: str, name: str) -> str:
    data = pkgutil.get_data(package, name)
    if data is None:
        raise SettingsError(f"the package lacks {name}")
    return data.decode()


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
