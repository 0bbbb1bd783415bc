"""The child that prints: reads one JSON line per document from standard input, answers on standard output.

Question: `{"kind": …, "facts": {…}}`, and "xml" with the electronic invoice that the PDF carries, where it does.
Answer: a JSON line, and after `{"length": n}` the n bytes of the PDF. `{"failed": reason}`,
`{"unavailable": reason}` and `{"broken": reason}` carry no bytes. The system ends the child when a document takes
more processor time than allowed; a document that needs more memory than allowed fails.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import BinaryIO

from sla_manager.gateways.printing import open_press
from sla_manager.gateways.printing.errors import PrintingUnavailable
from sla_manager.kernel.errors import Broken, ProductError


def main(templates: Path, memory_bytes: int, processor_seconds: int) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for question in sys.stdin.buffer:
        _allow(processor_seconds)
        _answer(question, templates, answers)


def _allow(seconds: int) -> None:
    """Let the process use so many seconds more; beyond that the system ends it."""
    soon = time.process_time_ns() // 1_000_000_000 + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soon, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answer(question: bytes, templates: Path, answers: BinaryIO) -> None:
    content = b""
    try:
        asked = json.loads(question)
        xml = str(asked.get("xml", "")).encode()
        content = open_press(templates).print_document(asked["kind"], asked["facts"], xml)
        head: dict[str, object] = {"length": len(content)}
    except PrintingUnavailable as reason:
        head = {"unavailable": reason.found}
    except Broken as reason:
        head = {"broken": reason.message}
    except MemoryError:
        head = {"failed": "it needs more memory than a document may take"}
    except ProductError as reason:
        head = {"failed": reason.message}
    except Exception as reason:  # noqa: BLE001  # whatever happens, the parent is told in words
        head = {"failed": f"{type(reason).__name__}: {reason}"[:500]}
    answers.write(json.dumps(head).encode() + b"\n" + content)
    answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
