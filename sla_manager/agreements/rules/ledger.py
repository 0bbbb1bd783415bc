"""The day ledger: entries of whole minutes that are only ever added, and the balance they add up to.

contracted + varied − delivered − charged − credited − lapsed = balance, never below nothing. A reversal is an
entry that undoes another and counts with the kind it undoes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sla_manager.kernel.errors import Broken, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.titles import Titled

_NOTHING = Minutes(0)


class EntryKind(Titled):
    """What an entry stands for."""

    CONTRACTED = "contracted", "Bought"
    VARIED = "varied", "Changed by agreement"
    DELIVERED = "delivered"
    CHARGED = "charged", "Charged for a late cancellation or no access"
    CREDITED = "credited", "Given back as money"
    LAPSED = "lapsed", "Lapsed at the end of the year"
    REVERSAL = "reversal", "Undone"

    @property
    def takes_away(self) -> bool:
        """Whether entries of this kind are always negative."""
        return self in _TAKES_AWAY


_TAKES_AWAY = frozenset({EntryKind.DELIVERED, EntryKind.CHARGED, EntryKind.CREDITED, EntryKind.LAPSED})


class WrongSign(Broken):
    """An entry whose sign does not fit its kind: our own mistake."""

    def __init__(self, kind: EntryKind, minutes: Minutes) -> None:
        super().__init__(f"An entry of kind {kind.value} cannot be of {minutes.minutes} minutes.")


def signed(kind: EntryKind, length: Minutes) -> Minutes:
    """Return what an entry of a kind writes for a length of time: use takes away, a contract adds.

    A variation keeps its own sign. A reversal has no length of its own: see `reversal_of`.

    >>> signed(EntryKind.DELIVERED, Minutes(240)), signed(EntryKind.CONTRACTED, Minutes(4440))
    (Minutes(minutes=-240), Minutes(minutes=4440))
    """
    plain_length = kind is EntryKind.VARIED or length > _NOTHING
    if kind is EntryKind.REVERSAL or not length or not plain_length:
        raise WrongSign(kind, length)
    return -length if kind.takes_away else length


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the rules see it. `undoes` is the kind of the entry that a reversal names."""

    kind: EntryKind
    minutes: Minutes
    effective_on: date
    undoes: EntryKind | None = None

    def __post_init__(self) -> None:
        if (self.kind is EntryKind.REVERSAL) != (self.undoes is not None):
            raise WrongSign(self.kind, self.minutes)
        if self.kind.takes_away and self.minutes >= _NOTHING:
            raise WrongSign(self.kind, self.minutes)

    @property
    def counts_as(self) -> EntryKind:
        """The kind whose figure it changes."""
        return self.undoes or self.kind

    @property
    def reversal(self) -> Entry:
        """The entry that undoes this one; a reversal itself is not undone but followed by a new entry."""
        if self.kind is EntryKind.REVERSAL:
            raise WrongSign(self.kind, self.minutes)
        return Entry(EntryKind.REVERSAL, -self.minutes, self.effective_on, undoes=self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A tranche's figures. Uses are positive here: 240 delivered is `delivered=Minutes(240)`."""

    contracted: Minutes = _NOTHING
    varied: Minutes = _NOTHING
    delivered: Minutes = _NOTHING
    charged: Minutes = _NOTHING
    credited: Minutes = _NOTHING
    lapsed: Minutes = _NOTHING

    @property
    def bought(self) -> Minutes:
        """What was contracted, with every variation."""
        return self.contracted + self.varied

    @property
    def used(self) -> Minutes:
        """What is gone: delivered, charged, credited, lapsed."""
        return self.delivered + self.charged + self.credited + self.lapsed

    @property
    def balance(self) -> Minutes:
        """What is left."""
        return self.bought - self.used

    def free_to_book(self, booked: Minutes) -> Minutes:
        """Return what is left when all that is booked is delivered; below nothing when too much is booked."""
        return self.balance - booked

    def shown(self) -> dict[str, int]:
        """Return the figures in minutes under their names, the balance last."""
        return {
            "contracted": self.contracted.minutes,
            "varied": self.varied.minutes,
            "delivered": self.delivered.minutes,
            "charged": self.charged.minutes,
            "credited": self.credited.minutes,
            "lapsed": self.lapsed.minutes,
            "balance": self.balance.minutes,
        }


class BalanceBelowNothing(Broken):
    """The books would show less than nothing: no entry was made."""

    def __init__(self, balance: Minutes) -> None:
        super().__init__(f"A balance cannot be {balance.minutes} minutes. Nothing was entered.")


def balance_of(entries: Iterable[Entry], *, on: date | None = None) -> Balance:
    """Add up a tranche's entries, at the end of a day or altogether.

    >>> day = date(2025, 9, 1)
    >>> bought = Entry(EntryKind.CONTRACTED, Minutes(4440), day)
    >>> balance_of([bought, Entry(EntryKind.DELIVERED, Minutes(-240), day)]).balance
    Minutes(minutes=4200)
    """
    sums = dict.fromkeys(EntryKind, 0)
    for entry in entries:
        if on is None or entry.effective_on <= on:
            sums[entry.counts_as] += entry.minutes.minutes
    return Balance(
        contracted=Minutes(sums[EntryKind.CONTRACTED]),
        varied=Minutes(sums[EntryKind.VARIED]),
        delivered=Minutes(-sums[EntryKind.DELIVERED]),
        charged=Minutes(-sums[EntryKind.CHARGED]),
        credited=Minutes(-sums[EntryKind.CREDITED]),
        lapsed=Minutes(-sums[EntryKind.LAPSED]),
    )


def refuse_below_nothing(balance: Balance, entry: Minutes = _NOTHING) -> Balance:
    """Return the balance, or raise `BalanceBelowNothing` when an entry would bring it below nothing."""
    after = balance.balance + entry
    if after < _NOTHING:
        raise BalanceBelowNothing(after)
    return balance


@dataclass(frozen=True, slots=True)
class Deduction:
    """A delivery against a balance: what is taken off, and what is proposed extra time."""

    deducted: Minutes
    extra: Minutes


def deduct(delivered: Minutes, balance: Minutes) -> Deduction:
    """Take delivered time off what is left; the rest is proposed extra time. Logging is never refused.

    >>> deduct(Minutes(4662), Minutes(4440))  # 10½ days on 10
    Deduction(deducted=Minutes(minutes=4440), extra=Minutes(minutes=222))
    """
    deducted = max(_NOTHING, min(delivered, balance))
    return Deduction(deducted, delivered - deducted)


class VariationBelowUse(Refused):
    """A variation would leave less than is already used."""

    def __init__(self, balance: Balance, change: Minutes) -> None:
        super().__init__(
            f"{balance.used.hours_and_minutes()} of {balance.bought.hours_and_minutes()} are already used. "
            f"{abs(change).hours_and_minutes()} cannot be taken away: "
            f"at most {balance.balance.hours_and_minutes()} can.",
            field="quantity",
        )


def check_variation(balance: Balance, change: Minutes) -> Minutes:
    """Return the change, or refuse one that goes below what is already delivered, charged or credited."""
    if balance.balance + change < _NOTHING:
        raise VariationBelowUse(balance, change)
    return change
