"""Runs the AWS CLI in its own environment, once for each line of arguments on standard input.

Run by that environment's interpreter; prints one JSON object a line: exit code and output.
"""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver

for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = create_clidriver().main(json.loads(line))
    sys.stdout.write(json.dumps({"code": code, "text": out.getvalue() + err.getvalue()}) + "\n")
