"""Which passwords are good enough: long ones that nobody would guess. There are no rules of composition.

Source: National Cyber Security Centre, "Password administration for system owners".
"""

from __future__ import annotations

from sla_manager.kernel.errors import Refused

SHORTEST = 12
LONGEST = 200
_FEWEST_LETTERS = 5
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
)
_COMMON = (
    "password", "passw0rd", "p@ssword", "p@ssw0rd", "letmein", "welcome", "iloveyou", "sunshine", "football",
    "liverpool", "arsenal", "chelsea", "princess", "superman", "trustno", "changeme", "administrator",
    "admin", "default", "secret", "monkey", "dragon", "master", "school", "teacher", "education",
    "headteacher",
    "attendance", "council", "slamanager", "correcthorsebatterystaple", "summer", "winter", "spring",
    "autumn",
    "qwerty", "abc", "test", "testing", "hello", "england", "london", "january", "february", "september",
)  # fmt: skip


class WeakPassword(Refused):
    """A password that is too short, or that others would guess."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Three random words make a good password.", field="password")


def check_password(password: str, *, name: str, email: str) -> None:
    """Refuse a password that is too short, too long, common, a pattern, or the person's own name or address.

    >>> check_password("wheelbarrow anthem Tuesday", name="Asha Okafor", email="asha@aldermere.example")
    """
    if len(password) < SHORTEST:
        raise WeakPassword(
            f"The password has {len(password)} characters. Choose one with at least {SHORTEST}."
        )
    if len(password) > LONGEST:
        raise WeakPassword(f"The password is too long. Choose one with at most {LONGEST} characters.")
    letters = "".join(letter for letter in password.casefold() if letter.isalnum())
    words = {part for part in name.casefold().split() if len(part) > 2}
    own = {"".join(name.casefold().split()), email.casefold(), *email.casefold().split("@")}
    own_letters = {"".join(letter for letter in text if letter.isalnum()) for text in own}
    if letters in own_letters or _is_made_of(letters, tuple(words | (own_letters - {""}))):
        raise WeakPassword("The password is your own name or e-mail address. Choose another.")
    middle = letters.strip("0123456789") or letters
    if len(set(password.casefold())) < _FEWEST_LETTERS or any(middle in row * 2 for row in _ROWS):
        raise WeakPassword("The password is a pattern that is easily guessed. Choose another.")
    if _is_made_of(letters, _COMMON):
        raise WeakPassword("The password is one that many people use. Choose another.")


def _is_made_of(letters: str, words: tuple[str, ...]) -> bool:
    """Say whether nothing but digits is left when these words are taken out."""
    left = letters
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return left != letters and (not left or left.isdigit())
