"""The archive of issued documents: a file is written once and never changed.

A file appears under its name whole or not at all: it is written beside it, forced to disk, and then given its
name by a hard link, which never replaces a file that is there. Two processes that keep the same document at
the same moment leave one file; the second finds its own bytes there and is content.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sla_manager.kernel.errors import Broken, GatewayFailed
from sla_manager.kernel.references import sha256

_YEAR = re.compile(r"\d{4}-\d{2}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,118}[A-Za-z0-9]")
_PART = ".part"
LARGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a file lies in the archive ("2025-26/EWS-25-26-000123.pdf") and the hash of its bytes."""

    path: str
    sha256: str


class NotTheSameBytes(Broken):
    """An archived document never changes: other bytes under its name are our mistake."""

    def __init__(self, path: str, kept: str, offered: str) -> None:
        super().__init__(
            f"{path} is already in the archive with other content "
            f"(kept {kept[:12]}…, offered {offered[:12]}…). "
            "Nothing was changed. Issue a correction as a new document."
        )


class ArchiveDamaged(Broken):
    """A file of the archive is missing or is not what was kept."""

    def __init__(self, path: str, found: str) -> None:
        super().__init__(f"{path} in the archive is {found}. Restore it from the backup.")


class UnsafePath(Broken):
    """A name that could lead out of the archive, or hide in it."""

    def __init__(self, path: str) -> None:
        super().__init__(f"“{path[:80]}” is no name for a file of the archive.")


class Archive:
    """Files by financial year under one folder, each written once, readable and not writable."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, *, year: str, name: str, content: bytes) -> Kept:
        """Keep bytes under a year and a name.

        Keeping the same bytes again is fine; other bytes raise `NotTheSameBytes`. `GatewayFailed` means that
        the disk did not take it: try again.
        """
        path = _path(year, name)
        if len(content) > LARGEST_FILE:
            raise Broken(f"{path} is larger than a document may be: {len(content):,} bytes.")
        offered = sha256(content)
        try:
            folder = self._root / year
            folder.mkdir(parents=True, exist_ok=True)
            if not self._is_kept(path, offered):
                self._write(folder, name, content)
                self._is_kept(path, offered)
        except OSError as error:
            raise GatewayFailed(
                f"{path} could not be written to the archive: {error.strerror}. It will be tried again."
            ) from error
        return Kept(path, offered)

    def _is_kept(self, path: str, offered: str) -> bool:
        try:
            kept = sha256(self._bytes(path))
        except FileNotFoundError:
            return False
        if kept != offered:
            raise NotTheSameBytes(path, kept, offered)
        return True

    def _write(self, folder: Path, name: str, content: bytes) -> None:
        part = folder / f".{name}.{secrets.token_hex(8)}{_PART}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
            try:
                os.link(part, folder / name)
            except FileExistsError:
                return
            _settle(folder)
        finally:
            part.unlink(missing_ok=True)

    def read(self, path: str, sha256_kept: str) -> bytes:
        """Return the bytes of a kept file, or raise `ArchiveDamaged` when they are others."""
        year, _, name = path.partition("/")
        _path(year, name)
        try:
            content = self._bytes(path)
        except FileNotFoundError as error:
            raise ArchiveDamaged(path, "missing") from error
        except OSError as error:
            raise GatewayFailed(f"{path} could not be read from the archive: {error.strerror}.") from error
        if sha256(content) != sha256_kept:
            raise ArchiveDamaged(path, "not what was kept: its hash differs")
        return content

    def _bytes(self, path: str) -> bytes:
        descriptor = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def sweep(self, *, before: datetime) -> int:
        """Remove what a killed process left half-written before an instant; return how many files."""
        removed = 0
        for part in self._root.glob(f"*/.*{_PART}"):
            try:
                written = datetime.fromtimestamp(part.lstat().st_mtime_ns // 1_000_000_000, UTC)
                if _YEAR.fullmatch(part.parent.name) and written < before:
                    part.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed


def _path(year: str, name: str) -> str:
    path = f"{year}/{name}"
    if _YEAR.fullmatch(year) is None or _NAME.fullmatch(name) is None or name.endswith(_PART):
        raise UnsafePath(path)
    return path


def _settle(folder: Path) -> None:
    """Force a new name in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
