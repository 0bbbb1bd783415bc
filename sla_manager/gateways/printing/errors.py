"""Why a document was not printed."""

from __future__ import annotations

from sla_manager.kernel.errors import GatewayFailed


class PrintingFailed(GatewayFailed):
    """This document could not be printed now; it stays issued and is tried again."""


class PrintingUnavailable(GatewayFailed):
    """Nothing can be printed on this machine until a system library is there; everything else works."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "Documents cannot be printed here: the text layout library Pango is missing or too old. "
            "On Debian and Ubuntu type: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
            f"libharfbuzz-subset0 fonts-dejavu-core. What was found: {found}"
        )
        self.found = found
