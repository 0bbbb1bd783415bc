"""ZIP files written piece by piece, whose bytes depend on what is in them and on nothing else.

Nothing is compressed: PDFs are small already, and the bytes then do not depend on the version of a library.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator

_LONG_AGO = (1980, 1, 1, 0, 0, 0)


class _Pieces:
    """A file that is only written to: what was written is taken out again piece by piece."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        """Keep a piece until it is taken."""
        self._written.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """There is nothing to close."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        found, self._written = b"".join(self._written), []
        return found


def zipped(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the bytes of a ZIP of files (path, content), one file in memory at a time.

    >>> once, again = (b"".join(zipped([("a.txt", b"x")])) for _ in range(2))
    >>> once == again
    True
    """
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as packed:
        for path, content in files:
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content)
            yield pieces.taken()
    yield pieces.taken()
