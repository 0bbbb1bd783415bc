"""The command line: the same use cases as the pages, for people at a terminal and for machines (`--json`)."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `sla-manager`. Pricing (`quote`) needs neither database nor Flask and starts without them."""
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "quote" and not arguments[1].startswith("--"):
        from sla_manager.cli import quote

        sys.exit(quote.main(arguments[1]))
    from sla_manager.cli.commands import program

    program(prog_name="sla-manager")
