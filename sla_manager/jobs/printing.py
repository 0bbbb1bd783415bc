"""The printer of the worker: opened when something waits, let go when nothing does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from sla_manager.gateways.printing import Printer
from sla_manager.kernel.errors import GatewayFailed

MOST_HANDS = 4
"""A printing process takes about 100 MB."""


class Stopping(BaseException):
    """The worker was told to stop: the rest is printed when it runs again."""


@dataclass(frozen=True)
class Printed:
    """How a round of printing went: how many were printed, how many still wait, and why."""

    documents: int
    agreements: int
    papers: int
    waiting: int
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        """What a person reads."""
        done = f"{self.documents} documents, {self.agreements} agreements and {self.papers} papers printed"
        if not self.waiting:
            return done
        why = f": {self.reasons[0]}" if self.reasons else "."
        return f"{done}, {self.waiting} still waiting{why}"


def hands_of(processors: int) -> int:
    """Return how many documents are printed at once: one a processor, and no more than memory bears.

    >>> hands_of(1), hands_of(2), hands_of(64)
    (1, 2, 4)
    """
    return min(max(processors, 1), MOST_HANDS)


class LazyPrinter:
    """Prints like `Printer`, which it starts with the first document and keeps until `rest`.

    `workers` documents may be printed at once.
    """

    def __init__(self, templates: Path, stopping: Event, *, workers: int = 1) -> None:
        self._templates = templates
        self._stopping = stopping
        self.workers = workers
        self._printer: Printer | None = None
        self._waking = Lock()

    @property
    def is_awake(self) -> bool:
        """Whether there is a printing process."""
        return self._printer is not None

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        """Return the PDF, or raise `GatewayFailed` with the reason; `Stopping` ends the round."""
        if self._stopping.is_set():
            raise Stopping
        return self._awake().print(kind, facts, xml)

    def _awake(self) -> Printer:
        try:
            with self._waking:
                self._printer = self._printer or Printer(self._templates, workers=self.workers)
                return self._printer
        except OSError as error:
            raise GatewayFailed(
                f"The printer could not be started: {error.strerror}. It is tried again."
            ) from error

    def rest(self) -> None:
        """End the printing process and remove its folder."""
        printer, self._printer = self._printer, None
        if printer is not None:
            printer.close()
