"""Passwords, kept as argon2id hashes by argon2-cffi. A check takes as long for nobody as for somebody."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c2xhLW1hbmFnZXItbm8tb25l$5thSzINIwV9wEzJ/Qobi8hWaleZoyrDxG8IQi/TBpAI"
)
"""A hash that belongs to nobody: it is checked when there is no person, so that time tells nothing (S15)."""


def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(_plain(password))


def is_password(stored: str | None, typed: str) -> bool:
    """Say whether a typed password is the stored one; without a stored one the answer is no, as slowly."""
    try:
        _HASHER.verify(stored or _NOBODY, _plain(typed))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _plain(password: str) -> str:
    """Return the password as every keyboard means it (one form of é), so that it works from any device."""
    return unicodedata.normalize("NFKC", password)
