"""Prints in child processes, so that no document can take the product's memory, time or secrets with it."""

from __future__ import annotations

import json
import os
import queue
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from types import TracebackType
from typing import IO, Self

from sla_manager.gateways.printing.errors import PrintingFailed, PrintingUnavailable
from sla_manager.kernel.errors import Broken
from sla_manager.kernel.references import canonical_json

_CHUNK = 1 << 16
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may take, and how long a child lives."""

    memory_bytes: int = 1536 * 1024 * 1024
    processor_seconds: int = 120
    wall_seconds: int = 300
    documents_per_child: int = 200
    longest_question: int = 128 * 1024 * 1024
    longest_answer: int = 64 * 1024 * 1024


class _ChildGoneError(Exception):
    """The child ended or was ended before it answered."""


class _Child:
    """One printing process and the pipes to it."""

    def __init__(self, templates: Path, limits: Limits, home: Path) -> None:
        self._limits = limits
        self.printed = 0
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `end`
        module = "sla_manager.gateways.printing.worker"
        arguments = [str(templates), str(limits.memory_bytes), str(limits.processor_seconds)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "HOME": str(home),
                "TMPDIR": str(home),
                "LANG": "C.UTF-8",
            },
            cwd=home,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise Broken("The printing process has no pipes.")
        self._questions, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._questions, False)
        os.set_blocking(self._answers, False)
        self._unread = b""

    @property
    def process_id(self) -> int:
        """The process's number at the system."""
        return self._process.pid

    def ask(self, question: bytes) -> tuple[Mapping[str, object], bytes]:
        """Return the head and the bytes of the answer, or raise `_ChildGoneError` saying why."""
        deadline = monotonic_ns() + self._limits.wall_seconds * _SECOND
        self._send(question, deadline)
        while b"\n" not in self._unread:
            self._receive(deadline)
        line, _, self._unread = self._unread.partition(b"\n")
        head: Mapping[str, object] = json.loads(line)
        length = head.get("length", 0)
        if not isinstance(length, int) or length > self._limits.longest_answer:
            raise _ChildGoneError("the printed document is too large")
        while len(self._unread) < length:
            self._receive(deadline)
        content, self._unread = self._unread[:length], self._unread[length:]
        self.printed += 1
        return head, content

    def _wait(self, descriptor: int, event: int, deadline: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            if not selector.select(max(0, -((monotonic_ns() - deadline) // _SECOND))):
                raise _ChildGoneError(f"it took longer than {self._limits.wall_seconds} seconds")

    def _send(self, question: bytes, deadline: int) -> None:
        unsent = memoryview(question)
        while unsent:
            self._wait(self._questions, selectors.EVENT_WRITE, deadline)
            try:
                unsent = unsent[os.write(self._questions, unsent[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise _ChildGoneError(self._last_words()) from error

    def _receive(self, deadline: int) -> None:
        self._wait(self._answers, selectors.EVENT_READ, deadline)
        try:
            received = os.read(self._answers, _CHUNK)
        except BlockingIOError:
            return
        if not received:
            raise _ChildGoneError(self._last_words())
        self._unread += received

    def _last_words(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "the printing process closed its pipe"
        self._log.seek(0)
        said = self._log.read()[-400:].decode("utf-8", "replace").strip().splitlines()
        ended = f"signal {-code}" if code < 0 else f"exit {code}"
        return f"the printing process ended ({ended}{': ' + said[-1] if said else ''})"

    def end(self) -> None:
        """End the process and let go of its pipes."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._log.close()


class Printer:
    """A pool of printing processes, started when first needed and kept; safe to use from several threads.

    The child that printed last prints next, so a second one starts only when two are wanted at once.
    A child is replaced after `Limits.documents_per_child` documents, and whenever it failed to answer: the
    next document starts with a fresh one. Children see no environment of ours and a folder of their own.
    """

    def __init__(self, templates: Path, *, workers: int = 1, limits: Limits | None = None) -> None:
        self._templates = templates.resolve()
        self._limits = limits or Limits()
        self._home = Path(tempfile.mkdtemp(prefix="sla-manager-printing-"))
        self._free: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(workers):
            self._free.put(None)
        self._workers = workers

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        """Return the PDF of a document; with an electronic invoice, a PDF/A-3 that carries it.

        `PrintingFailed` and `PrintingUnavailable` say why not (the document can be tried again); `Broken`
        means that the facts themselves are not what this kind of document needs.
        """
        carried = {"xml": xml.decode()} if xml else {}
        question = canonical_json({"kind": kind, "facts": dict(facts), **carried}) + b"\n"
        if len(question) > self._limits.longest_question:
            raise PrintingFailed(f"{kind} is too large to print: {len(question):,} bytes of facts.")
        child, kept = self._free.get(), None
        try:
            child = child or _Child(self._templates, self._limits, self._home)
            head, content = child.ask(question)
            if "failed" not in head and child.printed < self._limits.documents_per_child:
                kept = child
        except (_ChildGoneError, OSError, ValueError) as reason:
            raise PrintingFailed(
                f"{kind} could not be printed: {reason}. It will be tried again."
            ) from reason
        finally:
            if child is not None and kept is None:
                child.end()
            self._free.put(kept)
        return _content(kind, head, content)

    def process_ids(self) -> tuple[int, ...]:
        """Return the processes that wait for a document now."""
        return tuple(child.process_id for child in list(self._free.queue) if child is not None)

    def close(self) -> None:
        """End every child and remove their folder."""
        for _ in range(self._workers):
            child = self._free.get()
            if child is not None:
                child.end()
        for _ in range(self._workers):
            self._free.put(None)
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _content(kind: str, head: Mapping[str, object], content: bytes) -> bytes:
    if "unavailable" in head:
        raise PrintingUnavailable(str(head["unavailable"]))
    if "broken" in head:
        raise Broken(str(head["broken"]))
    if "failed" in head or not content.startswith(b"%PDF-"):
        why = head.get("failed", "the printing process answered with something else")
        raise PrintingFailed(f"{kind} could not be printed: {why}. It will be tried again.")
    return content
