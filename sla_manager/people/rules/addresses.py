"""E-mail addresses and short codes: one way of writing each, or a refusal that says how."""

from __future__ import annotations

import re

from sla_manager.kernel.errors import Refused

_EMAIL = re.compile(
    r"^[^\s@<>\"(),;:\\\[\]]{1,64}@[^\s@<>\"(),;:\\\[\]]{1,190}\.[^\s@.<>\"(),;:\\\[\]]{2,60}$"
)
_CODE = re.compile(r"^[a-z][a-z0-9-]{1,19}$")
_SERIES = re.compile(r"^[A-Z][A-Z0-9]{1,7}$")
_COLOUR = re.compile(r"^#[0-9a-fA-F]{6}$")
LONGEST_NAME = 200


def read_email(text: str, *, field: str = "email") -> str:
    """Return an e-mail address in small letters.

    >>> read_email(" Asha.Okafor@Aldermere.example ")
    'asha.okafor@aldermere.example'
    """
    cleaned = text.strip().lower()
    if not _EMAIL.match(cleaned):
        raise Refused(
            f"“{text.strip()[:60]}” is not an e-mail address. Enter one like name@council.example.",
            field=field,
        )
    return cleaned


def read_name(text: str, *, what: str = "a name", field: str = "name") -> str:
    """Return a name on one line, or refuse an empty one."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise Refused(f"Enter {what}.", field=field)
    if len(cleaned) > LONGEST_NAME:
        raise Refused(f"Shorten this to {LONGEST_NAME} characters or fewer.", field=field)
    return cleaned


def read_code(text: str) -> str:
    """Return a service's short name as it stands in addresses of pages."""
    cleaned = text.strip().lower()
    if not _CODE.match(cleaned):
        raise Refused(
            f"“{text.strip()[:40]}” cannot stand in an address. Use 2 to 20 letters or digits, like ews.",
            field="code",
        )
    return cleaned


def read_series(text: str) -> str:
    """Return what a service's document numbers begin with."""
    cleaned = text.strip().upper()
    if not _SERIES.match(cleaned):
        raise Refused(
            f"“{text.strip()[:40]}” cannot begin a number. Use 2 to 8 letters or digits, like EWS.",
            field="series",
        )
    return cleaned


def read_authority_code(text: str) -> str:
    """Return the three-digit code of a local authority."""
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdigit() and len(cleaned) == 3):
        raise Refused(
            f"“{text.strip()[:40]}” is not an authority code. Enter three digits, like 203.",
            field="authority_code",
        )
    return cleaned


def read_vat_number(text: str) -> str:
    """Return a VAT number as GB and its digits; "" when the council has none yet.

    >>> read_vat_number("gb 123 4567 89"), read_vat_number("")
    ('GB123456789', '')
    """
    cleaned = "".join(text.split()).upper()
    digits = cleaned.removeprefix("GB")
    if not cleaned:
        return ""
    if not (digits.isascii() and digits.isdigit() and len(digits) in (9, 12)):
        raise Refused(
            f"“{text.strip()[:40]}” is not a VAT number. Enter GB and 9 or 12 digits.", field="vat_number"
        )
    return f"GB{digits}"


def read_colour(text: str) -> str:
    """Return a colour written as # and six hexadecimal digits."""
    cleaned = text.strip().lower()
    if not _COLOUR.match(cleaned):
        raise Refused(f"“{text.strip()[:40]}” is not a colour. Enter one like #1d5c63.", field="colour")
    return cleaned


def read_lines(text: str, *, most: int = 6, field: str = "address") -> list[str]:
    """Return the lines of an address, empty ones left out."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    kept = [line for line in lines if line]
    if len(kept) > most or any(len(line) > 100 for line in kept):
        raise Refused(f"Enter an address of at most {most} lines with 100 characters each.", field=field)
    return kept
