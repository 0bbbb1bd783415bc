"""Invoices of one page and of two as PDF: milliseconds and memory over 200, beside the layout library used naively.

Naive is what its documentation shows first: the same page with linked style sheets and the fonts as they come,
columns left to find their own width, nothing kept from one document to the next; tagged all the same. Each side
runs in a process of its own, so that neither warms the other; they take turns in rounds, so that a busy machine
slows all alike. Milliseconds are of the processor, so that a busy machine counts little; of the pools they are of
the clock. The product prints in child processes: the pools are what one and two of them give, beside each other.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sla_manager.billing.e_invoices import hybrid_xml
from sla_manager.gateways.printing import Printer
from sla_manager.gateways.printing.facts import plain
from sla_manager.gateways.printing.fonts import PACKAGE, SOURCES
from sla_manager.kernel.money import Money
from tests.rooms.printed_samples import academy_invoice, two_page_invoice

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "templates"
DOCUMENTS = 200
ROUNDS = 4


def rows() -> list[tuple[str, str]]:
    """Return milliseconds a document, memory before and after, and the ratio."""
    sides = {side: _Side(side) for side in ("one", "hybrid", "ours", "naive")}
    for _ in range(ROUNDS):
        for side in sides.values():
            side.round(DOCUMENTS // ROUNDS)
    ours, naive = sides["ours"], sides["naive"]
    for side in sides.values():
        side.end()
    alone, together = _pools()
    return [
        (
            f"one-page invoice, tagged, {DOCUMENTS} documents (aim: 45 ms)",
            f"{sides['one'].milliseconds:.1f} ms each",
        ),
        ("the same as PDF/A-3 with its electronic invoice", f"{sides['hybrid'].milliseconds:.1f} ms each"),
        ("one-page invoices through one child, by the clock", f"{alone:.1f} a second"),
        ("through two children (aim: 1.8 times)", f"{together:.1f} a second, {together / alone:.2f} times"),
        (f"two-page invoice, {DOCUMENTS} documents", f"{ours.milliseconds:.1f} ms each"),
        ("the same, the library used naively", f"{naive.milliseconds:.1f} ms each"),
        ("ours of naive (aim: under half)", f"{ours.milliseconds / naive.milliseconds:.0%}"),
        ("memory of our process, before and after", f"{ours.before:.0f} MB, {ours.after:.0f} MB"),
        ("memory of the naive process, before and after", f"{naive.before:.0f} MB, {naive.after:.0f} MB"),
        ("size of the document", f"{ours.size / 1024:.0f} KB, naive {naive.size / 1024:.0f} KB"),
    ]


def _pools() -> tuple[float, float]:
    """Return one-page invoices a second, through one child and through two, in turns; limits, pipes and all."""
    stored = plain(academy_invoice())
    seconds = {1: 0.0, 2: 0.0}
    pools = {hands: Printer(PAPER, workers=hands) for hands in seconds}
    for pool in pools.values():
        with ThreadPoolExecutor(2) as hands:
            list(hands.map(lambda _, pool=pool: pool.print("invoice", stored), range(6)))
    for _ in range(ROUNDS):
        for count, pool in pools.items():
            with ThreadPoolExecutor(count) as hands:
                started = time.perf_counter()
                list(
                    hands.map(lambda _, pool=pool: pool.print("invoice", stored), range(DOCUMENTS // ROUNDS))
                )
                seconds[count] += time.perf_counter() - started
    for pool in pools.values():
        pool.close()
    return DOCUMENTS / seconds[1], DOCUMENTS / seconds[2]


class _Side:
    """One way of printing, in a process that waits for how many documents to print next."""

    def __init__(self, side: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.pdf", side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._times: list[float] = []
        self.before, self.after, self.size = 0.0, 0.0, 0
        _, _, self.before, self.size = self._ask(3)

    def _ask(self, documents: int) -> tuple[int, float, float, int]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the bench has no pipes")
        self._process.stdin.write(f"{documents}\n")
        self._process.stdin.flush()
        seconds, memory, size = self._process.stdout.readline().split()
        return documents, float(seconds), float(memory), int(size)

    def round(self, documents: int) -> None:
        """Print some documents and note the time."""
        _, seconds, self.after, self.size = self._ask(documents)
        self._times.append(seconds * 1000 / documents)

    @property
    def milliseconds(self) -> float:
        """The middle of the rounds' times for a document."""
        ordered = sorted(self._times)
        middle = len(ordered) // 2
        return (ordered[middle] + ordered[-middle - 1]) / 2

    def end(self) -> None:
        """Let the process end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=60)


_LINKS = "<link rel=stylesheet href=print.css><style>table { table-layout: auto }</style>"


def _font_as_it_comes() -> str:
    """Return the style of the whole font from its package, or of the system's where that is not installed."""
    if not all((PACKAGE / source).is_file() for source in SOURCES.values()):
        return (PAPER / "documents" / "system_font.css").read_text("utf-8")
    style = (PAPER / "documents" / "own_font.css").read_text("utf-8")
    for name, source in SOURCES.items():
        style = style.replace(f"fonts/{name}", (PACKAGE / source).as_uri())
    return style


def _ours(side: str) -> Callable[[], bytes]:
    """Return what prints as the product does."""
    from sla_manager.gateways.printing.press import Press

    press = Press(PAPER)
    stored = plain(two_page_invoice() if side == "ours" else academy_invoice())
    amounts = [Money.parse(str(stored[name])) for name in ("net", "vat", "gross")]
    if side == "hybrid":
        return lambda: press.print_document("invoice", stored, _xml(stored, *amounts))
    return lambda: press.print_document("invoice", stored)


def _xml(stored: dict[str, object], net: Money, vat: Money, gross: Money) -> bytes:
    return hybrid_xml(stored, authority_code="330", net=net, vat=vat, gross=gross)


def _naive() -> Callable[[], bytes]:
    """Return what prints as the layout library's documentation shows first."""
    import weasyprint

    from sla_manager.gateways.printing import shortcuts
    from sla_manager.gateways.printing.press import Press

    page = Press(PAPER).page("invoice", plain(two_page_invoice()))
    shortcuts.leave()
    linked = page.replace("</head>", f"<style>{_font_as_it_comes()}</style>{_LINKS}</head>")

    def naive() -> bytes:
        written: bytes = weasyprint.HTML(string=linked, base_url=str(PAPER / "documents") + "/").write_pdf(
            pdf_variant="pdf/ua-1"
        )
        return written

    return naive


def _print(side: str) -> None:
    """Answer each number of documents with seconds, megabytes resident and the size of the last."""
    import psutil

    make = _ours(side) if side != "naive" else _naive()
    for line in sys.stdin:
        content, started = b"", time.process_time()
        for _ in range(int(line)):
            content = make()
        seconds = time.process_time() - started
        resident = psutil.Process().memory_info().rss / 1_000_000
        sys.stdout.write(f"{seconds} {resident} {len(content)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _print(sys.argv[1])
