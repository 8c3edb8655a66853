"""A program that runs a function app as the Azure Functions worker would, without the worker.

The worker's library needs Python 3.13. On other versions this indexes the app with
`azure.functions` itself, whose own converter makes events of what the host passes, and calls the
function with them.

Run with the folder of an app: prints what was indexed as one line of JSON, then answers each line
of standard input, a batch, with a line that states the outcome.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from base64 import b64decode
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_FAILED, _DONE = 0, 1


def main(folder: Path) -> None:
    """Index the app, then answer batches until there are no more."""
    sys.path.insert(0, str(folder))
    functions = import_module("azure.functions")
    converter = import_module("azure.functions.eventhub").EventHubTriggerConverter
    datum = import_module("azure.functions.meta").Datum
    app = import_module("function_app").app
    indexed = {one.get_function_name(): one for one in app.get_functions()}
    functions_of_app = [
        {"name": name, "bindings": json.loads(one.get_function_json())["bindings"]}
        for name, one in indexed.items()
    ]
    _say({"runs_in": f"azure-functions {functions.__version__}", "functions": functions_of_app})
    for line in sys.stdin:
        request = json.loads(line)
        bodies = SimpleNamespace(bytes=[b64decode(body) for body in request["bodies"]])
        events = converter.decode(
            datum(bodies, "collection_bytes"),
            trigger_metadata={
                name: datum(json.dumps(value), "json")
                for name, value in request["metadata"].items()
            },
        )
        context = SimpleNamespace(
            invocation_id=request["invocation"], function_name=request["function"]
        )
        _say(_invoke(indexed[request["function"]].get_user_function(), events, context))


def _invoke(function: Any, events: Any, context: Any) -> dict[str, Any]:
    """Call the function; as in the worker, whatever it raises is the host's answer."""
    try:
        function(events=events, context=context)
    except Exception as error:
        traceback.print_exc()
        return {"status": _FAILED, "exception": f"{type(error).__name__}: {error}"}
    return {"status": _DONE, "exception": None}


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    main(Path(sys.argv[1]))
