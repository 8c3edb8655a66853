"""A program that plays the Functions host to the Azure Functions worker's own library.

Run with the folder of an app by a Python that has `azure_functions_runtime` (3.13): indexes and
loads the app, prints what was indexed as one line of JSON, then answers each line of standard
input, a batch, with a line that states the outcome. Host and worker exchange gRPC messages; here
they are plain objects with the same attributes, which is all the library uses.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from base64 import b64decode
from importlib import import_module, metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_LIBRARY = "azure_functions_runtime"
_PACKAGES = ".python_packages/lib/site-packages"
_DONE = 1


class Message:
    """A protobuf message: the fields that were set, and proto3's defaults for the rest."""

    def __init__(self, **members: Any) -> None:
        """Keep the fields that were set."""
        self.__dict__.update(members)
        self._members = list(members)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 protobuf's own name
        """Return the one field that was set."""
        return self._members[0] if self._members else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "TypedData":
            raise AttributeError(name)
        return ""


class Protos:
    """The generated module: any message type, created on access."""

    def __init__(self) -> None:
        """Set the enumerations the library reads."""
        self.StatusResult.Failure, self.StatusResult.Success = 0, _DONE
        self.BindingInfo.Direction = SimpleNamespace(
            Value=lambda name: {"in": 0, "out": 1, "inout": 2}[name]
        )
        self.BindingInfo.DataType = SimpleNamespace(undefined=0, string=1, binary=2, stream=3)
        for names in (("in", "out", "inout"), ("undefined", "string", "binary", "stream")):
            for number, name in enumerate(names):
                setattr(self.BindingInfo, name, number)
        self.RpcRetryOptions.RetryStrategy = SimpleNamespace(
            Value=lambda name: {"exponential_backoff": 0, "fixed_delay": 1}[name]
        )
        self.RpcRetryOptions.exponential_backoff = 0
        self.RpcRetryOptions.fixed_delay = 1

    def __getattr__(self, name: str) -> Any:
        message = type(name, (Message,), {})
        setattr(self, name, message)
        return message


class Host:
    """One app in one worker."""

    def __init__(self, library: Any, folder: Path) -> None:
        """Prepare to run the app in a folder."""
        self._library = library
        self._folder = folder
        self._protos: Any = Protos()
        self._ids: dict[str, str] = {}

    async def start(self) -> list[dict[str, Any]]:
        """Index and load every function; return name, bindings and retry policy of each."""
        request = SimpleNamespace(capabilities={}, function_app_directory=str(self._folder))
        properties = {"host": "127.0.0.1", "protos": self._protos}
        _check(
            await self._library.worker_init_request(_wrap(properties, worker_init_request=request))
        )
        self._library.start_threadpool_executor()
        indexed = _check(await self._library.functions_metadata_request(_wrap()))
        functions = []
        for function in indexed.function_metadata_results:
            load = SimpleNamespace(function_id=function.function_id, metadata=function)
            _check(await self._library.function_load_request(_wrap(function_load_request=load)))
            self._ids[function.name] = function.function_id
            bindings = [json.loads(binding) for binding in function.raw_bindings]
            functions.append(
                {
                    "name": function.name,
                    "bindings": bindings,
                    "retry": _plain(function.retry_options),
                }
            )
        return functions

    async def invoke(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Hand a batch to a function as the Event Hubs extension does."""
        typed = self._protos.TypedData
        bodies = SimpleNamespace(bytes=[b64decode(body) for body in batch["bodies"]])
        events = self._protos.ParameterBinding(data=typed(collection_bytes=bodies))
        events.name = "events"
        request = SimpleNamespace(
            invocation_id=batch["invocation"],
            function_id=self._ids[batch["function"]],
            input_data=[events],
            trigger_metadata={
                field: typed(json=json.dumps(value)) for field, value in batch["metadata"].items()
            },
            trace_context=Message(trace_parent="", trace_state="", attributes={}),
            retry_context=Message(
                retry_count=0,
                max_retry_count=-1,
                exception=Message(message="", stack_trace=""),
            ),
        )
        answered = await self._library.invocation_request(_wrap(invocation_request=request))
        error = getattr(answered.result, "exception", None)
        message = getattr(error, "message", None) or None
        return {"status": answered.result.status, "exception": message}


class HostError(Exception):
    """The worker refused what the host asked, in the worker's own words."""


def _wrap(properties: dict[str, Any] | None = None, **request: Any) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**request), properties=properties or {})


def _check(answer: Any) -> Any:
    if answer.result.status != _DONE:
        raise HostError(answer.result.exception.message)
    return answer


def _plain(options: Any) -> dict[str, Any] | None:
    if not options:
        return None
    return {
        name: getattr(value, "seconds", value)
        for name, value in vars(options).items()
        if name != "_members"
    }


async def _serve(folder: Path) -> None:
    host = Host(import_module(_LIBRARY), folder)
    version = metadata.version(_LIBRARY.replace("_", "-"))
    _say({"runs_in": f"azure-functions-runtime {version}", "functions": await host.start()})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _say(await host.invoke(json.loads(line)))


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    app = Path(sys.argv[1])
    # The platform starts a worker like this: the library reads the path on import.
    sys.path[:0] = [str(app), str(app / _PACKAGES)]
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    asyncio.run(_serve(app))
