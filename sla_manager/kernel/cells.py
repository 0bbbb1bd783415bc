"""Cells of files that people open in a spreadsheet: text that is never run as a formula, and quoting.

Source: OWASP, "CSV injection": a cell that begins with = + - @, a tab or a carriage return may be run as a formula;
full-width forms of the signs too.
"""

from __future__ import annotations

_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")
_NEEDS_QUOTES = frozenset(',;|\t"\r\n')


def inert(text: str) -> str:
    """Return text that no spreadsheet takes for a formula; what is harmless stays as it is.

    >>> inert("=cmd|' /C calc'!A0"), inert("＝1"), inert("St Anne's"), inert("  @SUM(A1)")
    ("'=cmd|' /C calc'!A0", "'＝1", "St Anne's", "'  @SUM(A1)")
    """
    without_nul = text.replace("\x00", "")
    seen = without_nul.lstrip(" \u00a0\ufeff")
    return f"'{without_nul}" if seen.startswith(_DANGEROUS) else without_nul


def quoted(text: str) -> str:
    """Quote a field by RFC 4180 where it needs it.

    >>> quoted('a "b", c'), quoted("plain")
    ('"a ""b"", c"', 'plain')
    """
    if text and (not _NEEDS_QUOTES.isdisjoint(text) or text != text.strip()):
        return '"' + text.replace('"', '""') + '"'
    return text
