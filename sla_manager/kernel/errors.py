"""The five kinds of error, and what each means at the edge.

The concrete error sits beside its rule; its message says what is wrong, how much, and what to do now.
"""

from __future__ import annotations


class ProductError(Exception):
    """Anything the product itself raises; `message` is written for the person who reads it."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(ProductError):
    """A rule said no (422). `field` names the form field or column that the rule speaks of, when there is one."""

    status = 422

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Conflict(Refused):
    """Somebody else changed the same thing first (409); nothing that was typed is lost."""

    status = 409


class NotFound(ProductError):
    """There is none, or it is not yours (404): the two are not told apart."""

    status = 404

    def __init__(self, message: str = "There is nothing here that you may see.") -> None:
        super().__init__(message)


class Forbidden(ProductError):
    """You are known, and may not do this (403)."""

    status = 403

    def __init__(self, message: str = "Your role does not allow this.") -> None:
        super().__init__(message)


class GatewayFailed(ProductError):
    """Something outside did not answer (503); it is retried."""

    status = 503


class Broken(ProductError):
    """Our own mistake (500): the books would not be right, so nothing was done."""

    status = 500
