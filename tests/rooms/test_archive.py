"""The archive keeps what was issued, once, whole and unchanged."""

from __future__ import annotations

import multiprocessing
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from sla_manager.gateways.archive import Archive, ArchiveDamaged, NotTheSameBytes, UnsafePath
from sla_manager.kernel.errors import Broken, GatewayFailed
from sla_manager.kernel.references import sha256

NAME = "EWS-25-26-000123.pdf"
CONTENT = b"%PDF-1.7 an invoice"


def test_a_document_is_kept_under_its_year_with_its_hash(tmp_path: Path) -> None:
    kept = Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT)
    assert (kept.path, kept.sha256) == (f"2025-26/{NAME}", sha256(CONTENT))
    assert (tmp_path / kept.path).read_bytes() == CONTENT
    assert Archive(tmp_path).read(kept.path, kept.sha256) == CONTENT


def test_a_kept_file_may_be_read_and_not_written(tmp_path: Path) -> None:
    kept = Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT)
    assert stat.S_IMODE((tmp_path / kept.path).stat().st_mode) == 0o444


def test_keeping_the_same_document_again_changes_nothing(tmp_path: Path) -> None:
    first = Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT)
    before = (tmp_path / first.path).stat()
    assert Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT) == first
    after = (tmp_path / first.path).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_other_bytes_under_a_kept_name_are_refused_and_nothing_changes(tmp_path: Path) -> None:
    kept = Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT)
    with pytest.raises(NotTheSameBytes, match="already in the archive with other content"):
        Archive(tmp_path).keep(year="2025-26", name=NAME, content=b"%PDF-1.7 another amount")
    assert (tmp_path / kept.path).read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "2025-26").iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("year", "name"),
    [
        ("2025-26", "../../etc/passwd"),
        ("2025-26", "..pdf"),
        ("2025-26", "a..b.pdf"),
        ("2025-26", "/etc/passwd"),
        ("2025-26", "a/b.pdf"),
        ("2025-26", "a\\b.pdf"),
        ("2025-26", ".hidden.pdf"),
        ("2025-26", "a\x00.pdf"),
        ("2025-26", "a\n.pdf"),
        ("2025-26", "invoice.pdf\n"),
        ("2025-26", "x.part"),
        ("2025-26", ""),
        ("2025-26", "a" * 300),
        ("..", NAME),
        ("2025-26/..", NAME),
        ("", NAME),
        ("２０２５-２６", "a b.pdf"),
    ],
)
def test_s13_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, year: str, name: str) -> None:
    root = tmp_path / "archive"
    with pytest.raises(UnsafePath):
        Archive(root).keep(year=year, name=name, content=CONTENT)
    with pytest.raises(UnsafePath):
        Archive(root).read(f"{year}/{name}", sha256(CONTENT))
    assert not root.exists()


def test_a_changed_file_is_never_handed_out(tmp_path: Path) -> None:
    kept = Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT)
    (tmp_path / kept.path).chmod(0o644)
    (tmp_path / kept.path).write_bytes(b"%PDF-1.7 tampered")
    with pytest.raises(ArchiveDamaged, match="hash differs"):
        Archive(tmp_path).read(kept.path, kept.sha256)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="missing"):
        Archive(tmp_path).read(f"2025-26/{NAME}", sha256(CONTENT))


def test_a_link_planted_in_the_archive_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    root = tmp_path / "archive"
    (root / "2025-26").mkdir(parents=True)
    (root / "2025-26" / NAME).symlink_to(secret)
    with pytest.raises(GatewayFailed):
        Archive(root).read(f"2025-26/{NAME}", sha256(CONTENT))
    with pytest.raises(GatewayFailed):
        Archive(root).keep(year="2025-26", name=NAME, content=b"%PDF-1.7 other")
    assert secret.read_bytes() == CONTENT


def test_a_disk_that_does_not_answer_is_tried_again_and_leaves_nothing(tmp_path: Path) -> None:
    in_the_way = tmp_path / "archive"
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(GatewayFailed, match="will be tried again"):
        Archive(in_the_way).keep(year="2025-26", name=NAME, content=CONTENT)


def test_a_file_too_large_for_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="larger than a document may be"):
        Archive(tmp_path).keep(year="2025-26", name=NAME, content=bytes(65 * 1024 * 1024))


def test_a_sweep_removes_what_a_killed_process_left_and_nothing_else(tmp_path: Path) -> None:
    kept = Archive(tmp_path).keep(year="2025-26", name=NAME, content=CONTENT)
    folder = tmp_path / "2025-26"
    stale, fresh = folder / ".old.pdf.0011.part", folder / ".new.pdf.0022.part"
    stale.write_bytes(b"%PDF")
    fresh.write_bytes(b"%PDF")
    now = datetime.now(UTC)
    old = (now - timedelta(days=1)).timestamp()
    os.utime(stale, (old, old))
    os.utime(tmp_path / kept.path, (old, old))
    assert Archive(tmp_path).sweep(before=now - timedelta(hours=1)) == 1
    assert not stale.exists()
    assert fresh.exists()
    assert Archive(tmp_path).read(kept.path, kept.sha256) == CONTENT


def _keep_at_once(root: Path, content: bytes, together: Barrier, rounds: int) -> None:
    archive = Archive(root)
    for number in range(rounds):
        together.wait()
        archive.keep(year="2025-26", name=f"EWS-25-26-{number:06d}.pdf", content=content)


def _overwrite_at_once(root: Path, content: bytes, together: Barrier, rounds: int) -> None:
    for number in range(rounds):
        together.wait()
        (root / f"{number:06d}.pdf").write_bytes(content)


def test_n8_two_renderers_leave_one_file_with_the_right_content(tmp_path: Path) -> None:
    content = b"%PDF-1.7 " + bytes(range(256)) * 4000
    rounds = 25
    assert _both(_keep_at_once, tmp_path, (content, content), rounds) == [0, 0]
    files = sorted((tmp_path / "2025-26").iterdir())
    assert [file.name for file in files] == [f"EWS-25-26-{number:06d}.pdf" for number in range(rounds)]
    assert all(file.read_bytes() == content for file in files)


def test_n8_of_two_renderers_that_disagree_one_is_refused_and_the_first_stands(tmp_path: Path) -> None:
    contents = (b"%PDF-1.7 " + b"a" * 500_000, b"%PDF-1.7 " + b"b" * 500_000)
    codes = _both(_keep_at_once, tmp_path, contents, 1)
    assert sorted(codes) == [0, 1]
    kept = (tmp_path / "2025-26" / "EWS-25-26-000000.pdf").read_bytes()
    assert kept == contents[codes.index(0)]


def test_n8_control_without_the_archive_the_second_renderer_wins_in_silence(tmp_path: Path) -> None:
    contents = (b"%PDF-1.7 " + b"a" * 500_000, b"%PDF-1.7 " + b"b" * 500_000)
    assert _both(_overwrite_at_once, tmp_path, contents, 1) == [0, 0]


def _both(
    work: Callable[[Path, bytes, Barrier, int], None], root: Path, contents: tuple[bytes, bytes], rounds: int
) -> list[int | None]:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2, timeout=60)
    renderers = [context.Process(target=work, args=(root, content, together, rounds)) for content in contents]
    for renderer in renderers:
        renderer.start()
    for renderer in renderers:
        renderer.join(120)
    return [renderer.exitcode for renderer in renderers]
