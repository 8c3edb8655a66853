"""The demo's stage: clouds and platforms, whose functions write into the one locked bucket."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol

from nhi_evidence.demo import files, identities
from nhi_evidence.demo.aws import Aws
from nhi_evidence.demo.azure import Azure
from nhi_evidence.demo.bucket import Bucket
from nhi_evidence.demo.gcp import Gcp
from nhi_evidence.embedded.issuer import EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore

REGROUPED = 10
"""Files per batch when they are delivered again in other batches."""


class Cloud(Protocol):
    """A cloud, or a platform: its logs, its trigger and its function. A context manager."""

    @property
    def source(self) -> str:
        """Return the source its evidence is stored under."""
        ...

    @property
    def runs(self) -> str:
        """Return how its function is run here."""
        ...

    def deliver(self) -> list[str]:
        """Pass everything to the function once; return the deliveries it did not lock."""
        ...

    def __enter__(self) -> Cloud:
        """Prepare the logs and start the function."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything that was started."""
        ...


class Stage:
    """The store, the platforms that vouch for its writers, and the clouds. A context manager."""

    def __init__(self, folder: Path, own_files: Path | None) -> None:
        """Play under `folder`: clouds and platforms, or AWS alone with a folder of the user's own
        files.
        """
        self._folder = folder
        self._own_files = own_files
        self._running = ExitStack()
        self.clouds: list[Cloud] = []
        self._aws: Aws | None = None

    def __enter__(self) -> Stage:
        """Start everything; if something does not start, stop what was started."""
        with ExitStack() as starting:
            self.platforms = starting.enter_context(identities.platforms())
            self.store = starting.enter_context(
                EmbeddedStore(
                    self._folder / "store",
                    sources=identities.SOURCES,
                    web_identities=identities.writers(self.platforms),
                )
            )
            self.bucket = Bucket(self.store)
            for cloud in self._clouds(self.store, self.platforms):
                self.clouds.append(starting.enter_context(cloud))
            self._running = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self._running.__exit__(kind, error, trace)

    def deliver(self) -> list[str]:
        """Deliver every cloud's logs; return what was not locked."""
        return [failed for cloud in self.clouds for failed in cloud.deliver()]

    def regroup(self) -> list[str]:
        """Deliver AWS's files in smaller batches than before; return what was not locked."""
        return self._aws.deliver(at_once=REGROUPED) if self._aws is not None else []

    def _clouds(self, store: EmbeddedStore, platforms: EmbeddedIssuer) -> list[Cloud]:
        trail = files.story() if self._own_files is None else files.read(self._own_files)
        self._aws = Aws(store, trail, self._folder)
        if self._own_files is not None:
            return [self._aws]
        beyond = [
            Aws(store, files.platform(source), self._folder, source=source, prefix=f"{source}/")
            for source in identities.PLATFORMS
        ]
        return [
            self._aws,
            Gcp(store, platforms, self._folder),
            Azure(store, platforms, self._folder),
            *beyond,
        ]
