"""What a bank line is proposed to pay: by the documents it names, by who paid, by how much. Pure; nothing is booked.

A person confirms every proposal. Proposals of one page share what is open, so that two lines that name the same
invoice are not both proposed to pay it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

from sla_manager.kernel.money import Money, total
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import pounds
from sla_manager.payments.rules.references import Reference, names_it, references, telling, words

MOST_TOGETHER = 4
"""How many documents of one payer are tried together for an amount that names none."""
_MOST_TRIED = 12
SHORTEST_ORDER = 4


class Sureness(Titled):
    """How well a line fits what is proposed."""

    SURE = "sure", "Sure"
    LIKELY = "likely", "Likely"
    POSSIBLE = "possible", "Possible"
    NONE = "none", "Nothing found"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A document with something open."""

    document_id: int
    reference: Reference
    number: str
    customer_id: int
    open: Money
    purchase_order: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A bank line, or what is left of it."""

    line_id: int
    amount: Money
    text: str
    payer: str = ""
    payer_account: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What a proposal sets against one document."""

    item: OpenItem
    amount: Money


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody is asked to confirm. `customer_id` takes what is left on account; None when nobody is known."""

    arrived: Arrived
    sureness: Sureness
    customer_id: int | None = None
    parts: tuple[Part, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def left(self) -> Money:
        """What would stay on account."""
        return self.arrived.amount - total(part.amount for part in self.parts)


@dataclass(frozen=True, slots=True)
class Books:
    """What the rules know: open documents in the order in which they are to be paid, and who pays.

    `names` are the names of each customer and of the schools whose documents it pays; `accounts` the accounts and
    `payers` the names from which somebody confirmed payments before; `settled` documents that have nothing open.
    """

    items: Sequence[OpenItem]
    series: Collection[str]
    names: Mapping[int, Collection[str]] = field(default_factory=dict)
    account_references: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, int] = field(default_factory=dict)
    payers: Mapping[str, int] = field(default_factory=dict)
    settled: Mapping[Reference, int] = field(default_factory=dict)


class Matcher:
    """Proposes line after line, and remembers what it proposed already."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._left = {item.document_id: item.open for item in books.items}
        self._by_reference = {item.reference: item for item in books.items}
        self._by_customer: dict[int, list[OpenItem]] = defaultdict(list)
        self._by_amount: dict[Money, dict[int, OpenItem]] = defaultdict(dict)
        self._by_order: dict[str, list[OpenItem]] = defaultdict(list)
        self._names: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        for item in books.items:
            self._by_customer[item.customer_id].append(item)
            self._by_amount[item.open][item.document_id] = item
            if len(item.purchase_order.strip()) >= SHORTEST_ORDER:
                self._by_order[item.purchase_order.strip().upper()].append(item)
        for customer_id, names in books.names.items():
            for name in {words(name) for name in names if name.strip()}:
                self._names[telling(name)[0]].append((name, customer_id))

    def propose(self, arrived: Arrived) -> Proposal:
        """Return the proposal for a line, and keep what it would take from the lines that follow."""
        made = self._named(arrived) or self._of_payer(arrived) or self._by_amount_alone(arrived)
        for part in made.parts:
            self._take(part)
        return made

    def payers(self, lines: Sequence[Arrived]) -> set[int]:
        """Return the customers that the lines are likely to come from, before anything open is looked at."""
        return {one for one, _ in map(self._payer, lines) if one is not None}

    def _take(self, part: Part) -> None:
        """Keep what a proposal takes from a document."""
        key, left = part.item.document_id, self._open(part.item)
        del self._by_amount[left][key]
        self._left[key] = left - part.amount
        self._by_amount[left - part.amount][key] = part.item

    def _open(self, item: OpenItem) -> Money:
        return self._left[item.document_id]

    def _named(self, arrived: Arrived) -> Proposal | None:
        """Propose the documents that the line names, by number or by the order they carry."""
        said = references(arrived.text, self._books.series)
        items = self._items(said)
        reasons = [f"Names {item.number}." for item in items]
        if not items:
            items = self._ordered(arrived.text)
            reasons = [f"Names purchase order {item.purchase_order} of {item.number}." for item in items]
        payer, who = self._payer(arrived)
        if not items:
            return self._settled(arrived, said)
        parts = self._spread(arrived.amount, items)
        wanted, by_number = total(self._open(item) for item in items), bool(said)
        sureness = Sureness.SURE if wanted == arrived.amount and by_number else Sureness.LIKELY
        if wanted != arrived.amount:
            reasons.append(_difference(arrived.amount, wanted))
        customers = {item.customer_id for item in items}
        if payer is not None and payer not in customers:
            sureness = Sureness.POSSIBLE
            reasons.append(f"But the payer looks like another customer. {who}")
        return Proposal(arrived, sureness, items[0].customer_id, parts, tuple(reasons))

    def _items(self, said: Mapping[Reference, bool]) -> list[OpenItem]:
        """Return the open documents named; a number that only follows another is one of the same customer."""
        found = [(self._by_reference[one], full) for one, full in said.items() if one in self._by_reference]
        customers = {item.customer_id for item, full in found if full}
        return [item for item, full in found if full or item.customer_id in customers]

    def _ordered(self, text: str) -> list[OpenItem]:
        """Return what carries an order that stands in the text as a word, of one customer only."""
        said = set(text.upper().split())
        found = [item for order in sorted(said & self._by_order.keys()) for item in self._by_order[order]]
        open_now = [item for item in found if self._open(item)]
        return open_now if len({item.customer_id for item in open_now}) == 1 else []

    def _settled(self, arrived: Arrived, said: Collection[Reference]) -> Proposal | None:
        """Propose money on account for the customer whose documents are named and have nothing open."""
        known = [one for one in said if one in self._books.settled]
        if not known:
            return None
        reason = "Names a document that has nothing open. Is it paid twice?"
        return Proposal(arrived, Sureness.POSSIBLE, self._books.settled[known[0]], (), (reason,))

    def _spread(self, amount: Money, items: Sequence[OpenItem]) -> tuple[Part, ...]:
        """Pay documents one after the other, each as far as it is open."""
        parts, left = [], amount
        for item in items:
            paid = min(left, self._open(item))
            if paid.pence > 0:
                parts.append(Part(item, paid))
                left -= paid
        return tuple(parts)

    def _payer(self, arrived: Arrived) -> tuple[int | None, str]:
        """Return who paid and how that is known: an account, a reference or a name that is one customer's alone."""
        books = self._books
        if arrived.payer_account in books.accounts:
            return books.accounts[arrived.payer_account], "Paid from an account that paid for it before."
        for word in arrived.text.upper().split():
            if word in books.account_references:
                return books.account_references[word], f"Names account {word}."
        if arrived.payer and arrived.payer.upper() in books.payers:
            return books.payers[arrived.payer.upper()], "Paid under a name that paid for it before."
        for text in filter(None, (arrived.payer, arrived.text)):
            customer_id = self._by_name(words(text))
            if customer_id is not None:
                return customer_id, "The payer’s name fits this customer alone."
        return None, ""

    def _by_name(self, said: tuple[str, ...]) -> int | None:
        best: dict[int, int] = {}
        for word in dict.fromkeys(said):
            for name, customer_id in self._names.get(word, ()):
                best[customer_id] = max(best.get(customer_id, 0), names_it(name, said))
        most = max(best.values(), default=0)
        found = [customer_id for customer_id, fits in best.items() if fits == most]
        return found[0] if most and len(found) == 1 else None

    def _of_payer(self, arrived: Arrived) -> Proposal | None:
        """Propose what a known payer owes: the amount itself, a sum of it, or the oldest first."""
        customer_id, who = self._payer(arrived)
        if customer_id is None:
            return None
        items = [item for item in self._by_customer.get(customer_id, ()) if self._open(item)]
        if not items:
            reason = f"{who} It has nothing open."
            return Proposal(arrived, Sureness.POSSIBLE, customer_id, (), (reason,))
        for count in range(1, MOST_TOGETHER + 1):
            found = self._adding_up(arrived.amount, items, count)
            if len(found) > 1:
                break
            if found:
                said = f"{who} {pounds(arrived.amount)} is what is open on {_numbers(found[0])}."
                return self._likely(arrived, customer_id, found[0], said)
        wanted = total(self._open(item) for item in items)
        if wanted == arrived.amount:
            return self._likely(arrived, customer_id, items, f"{who} It is everything that is open.")
        reasons = (
            who,
            "No document is named. The oldest is paid first.",
            _difference(arrived.amount, wanted),
        )
        return Proposal(arrived, Sureness.POSSIBLE, customer_id, self._spread(arrived.amount, items), reasons)

    def _adding_up(self, amount: Money, items: Sequence[OpenItem], count: int) -> list[tuple[OpenItem, ...]]:
        """Return the ways, two at most, in which as many documents add up to an amount."""
        tried = items if count == 1 else items[:_MOST_TRIED]
        found: list[tuple[OpenItem, ...]] = []
        for several in combinations(tried, count):
            if sum(self._open(item).pence for item in several) == amount.pence:
                found.append(several)
                if len(found) == 2:
                    break
        return found

    def _likely(self, arrived: Arrived, customer_id: int, items: Sequence[OpenItem], reason: str) -> Proposal:
        parts = self._spread(arrived.amount, items)
        return Proposal(arrived, Sureness.LIKELY, customer_id, parts, (reason,))

    def _by_amount_alone(self, arrived: Arrived) -> Proposal:
        """Propose the only document of an amount, when nothing else tells whose payment it is."""
        found = list(islice(self._by_amount.get(arrived.amount, {}).values(), 2))
        if len(found) == 1:
            reason = f"Only {found[0].number} has exactly {pounds(arrived.amount)} open."
            parts = self._spread(arrived.amount, found)
            return Proposal(arrived, Sureness.POSSIBLE, found[0].customer_id, parts, (reason,))
        return Proposal(arrived, Sureness.NONE)


def _difference(amount: Money, wanted: Money) -> str:
    if amount < wanted:
        return f"It is {pounds(wanted - amount)} less than what is open."
    return f"It is {pounds(amount - wanted)} more than what is open. The rest stays on account."


def _numbers(items: Sequence[OpenItem]) -> str:
    return ", ".join(item.number for item in items)
