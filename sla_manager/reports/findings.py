"""What a check of the books finds: one thing that is off, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

STOP = "Stop issuing, keep the database as it is, and compare it with the last backup."


class Files(Protocol):
    """The archive, as far as it is asked here."""

    def read(self, path: str, sha256_kept: str, /) -> bytes:
        """Return a file that is what was kept, or raise `Broken`."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is off: a code for machines, what it is about, and two sentences for people."""

    code: str
    about: str
    message: str
    what_to_do: str = STOP
