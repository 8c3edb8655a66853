"""The host's side of the Azure Functions worker, for Python 3.13 and the worker's own library.

Run as a program with the folder of an app: indexes and loads it, prints what was indexed as one
line of JSON, then answers each line of standard input, a batch, with a line that says what came of
it. The messages between host and worker are gRPC's; here they are plain objects of the same
attributes, which is all the library looks at.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PACKAGES = ".python_packages/lib/site-packages"


class Message:
    """A protobuf message: what was given, and proto3's default for the rest."""

    def __init__(self, **given: Any) -> None:
        """Keep the fields that were set."""
        self.__dict__.update(given)
        self._given = list(given)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 protobuf's own name
        """Return the one field that was set."""
        return self._given[0] if self._given else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "TypedData":
            raise AttributeError(name)
        return ""


class Protos:
    """The generated module: any message type, made when it is asked for."""

    def __init__(self) -> None:
        """Set the enumerations the library reads."""
        self.StatusResult.Failure, self.StatusResult.Success = 0, 1
        self.BindingInfo.Direction = SimpleNamespace(
            Value=lambda name: {"in": 0, "out": 1, "inout": 2}[name]
        )
        self.BindingInfo.DataType = SimpleNamespace(undefined=0, string=1, binary=2, stream=3)
        for number, name in enumerate(("in", "out", "inout")):
            setattr(self.BindingInfo, name, number)
        for number, name in enumerate(("undefined", "string", "binary", "stream")):
            setattr(self.BindingInfo, name, number)
        self.RpcRetryOptions.RetryStrategy = SimpleNamespace(
            Value=lambda name: {"exponential_backoff": 0, "fixed_delay": 1}[name]
        )
        self.RpcRetryOptions.exponential_backoff = 0
        self.RpcRetryOptions.fixed_delay = 1

    def __getattr__(self, name: str) -> Any:
        made = type(name, (Message,), {})
        setattr(self, name, made)
        return made


def request(properties: dict[str, Any] | None = None, **given: Any) -> SimpleNamespace:
    """Wrap one request of the host."""
    return SimpleNamespace(request=SimpleNamespace(**given), properties=properties or {})


class Host:
    """One app in one worker."""

    def __init__(self, runtime: Any, folder: Path) -> None:
        """Prepare to run the app in a folder."""
        self.runtime = runtime
        self.folder = folder
        self.protos: Any = Protos()
        self.ids: dict[str, str] = {}

    async def start(self) -> list[dict[str, Any]]:
        """Index and load every function; return name, bindings and retry policy of each."""
        begun = await self.runtime.worker_init_request(
            request(
                {"host": "127.0.0.1", "protos": self.protos},
                worker_init_request=SimpleNamespace(
                    capabilities={}, function_app_directory=str(self.folder)
                ),
            )
        )
        assert begun.result.status == 1, begun.result.exception.message
        self.runtime.start_threadpool_executor()
        indexed = await self.runtime.functions_metadata_request(request())
        assert indexed.result.status == 1, indexed.result.exception.message
        found = []
        for one in indexed.function_metadata_results:
            loaded = await self.runtime.function_load_request(
                request(
                    function_load_request=SimpleNamespace(function_id=one.function_id, metadata=one)
                )
            )
            assert loaded.result.status == 1, loaded.result.exception.message
            self.ids[one.name] = one.function_id
            found.append(
                {
                    "name": one.name,
                    "bindings": [json.loads(binding) for binding in one.raw_bindings],
                    "retry": _plain(one.retry_options),
                }
            )
        return found

    async def invoke(self, name: str, batch: dict[str, Any]) -> dict[str, Any]:
        """Hand a batch to a function as the Event Hubs extension does."""
        typed = self.protos.TypedData
        events = self.protos.ParameterBinding(
            data=typed(
                collection_bytes=SimpleNamespace(
                    bytes=[b64decode(body) for body in batch["bodies"]]
                )
            )
        )
        events.name = "events"
        answered = await self.runtime.invocation_request(
            request(
                invocation_request=SimpleNamespace(
                    invocation_id=batch["invocation"],
                    function_id=self.ids[name],
                    input_data=[events],
                    trigger_metadata={
                        field: typed(json=json.dumps(value))
                        for field, value in batch["metadata"].items()
                    },
                    trace_context=Message(trace_parent="", trace_state="", attributes={}),
                    retry_context=Message(
                        retry_count=0,
                        max_retry_count=-1,
                        exception=Message(message="", stack_trace=""),
                    ),
                )
            )
        )
        error = getattr(answered.result, "exception", None)
        return {
            "status": answered.result.status,
            "exception": getattr(error, "message", None) or None,
        }


def _plain(options: Any) -> dict[str, Any] | None:
    if not options:
        return None
    return {
        name: getattr(value, "seconds", value)
        for name, value in vars(options).items()
        if name != "_given"
    }


async def serve(folder: Path) -> None:
    """Index, then answer batches until there are no more."""
    import azure_functions_runtime as runtime  # noqa: PLC0415 it looks at the path when imported

    host = Host(runtime, folder)
    say(await host.start())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        say(await host.invoke(asked["function"], asked))
    runtime.stop_threadpool_executor()


def say(answer: Any) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    app = Path(sys.argv[1])
    sys.path[:0] = [str(app), str(app / PACKAGES)]
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    asyncio.run(serve(app))
