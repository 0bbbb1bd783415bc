"""The capacity board: what is kept for core, what is sold, what is free; what-if; and the settings it stands on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import abort, render_template, request

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear, add_months
from sla_manager.kernel.quantities import minutes_of
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.queries import capacity, years_of
from sla_manager.planning.queries.capacity import PlannedCapacity
from sla_manager.planning.rules.capacity import (
    Figures,
    Standing,
    WhatIf,
    YearCapacity,
    thought,
    year_capacity,
)
from sla_manager.web import display
from sla_manager.web.charts import Part
from sla_manager.web.forms import FilterForm, QuantityField, SelectField, WholeNumberField, choice
from sla_manager.web.guard import in_service
from sla_manager.web.pages import reading, today
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

ASKED = ("sell", "officers", "schools")


class WhatIfForm(FilterForm):
    """A thought about the year. It stands in the address and is never stored."""

    sell = QuantityField("Sell more days", hint="Like 40, or −10 for fewer")
    sell_in = SelectField("In which term?")
    officers = WholeNumberField("Officers more or fewer", hint="Full-time, like −1")
    officers_from = SelectField("From which month?")
    schools = WholeNumberField("Schools more or fewer", hint="Each has its meetings, like 2")


@dataclass(frozen=True)
class Row:
    """A term or the year on the board: its name, its key in addresses, and its figures."""

    name: str
    key: str
    figures: Figures
    assumed: bool = False
    past: bool = False


@dataclass(frozen=True)
class Change:
    """A row of the what-if: before and after."""

    name: str
    before: Figures
    after: Figures

    @property
    def difference(self) -> Minutes:
        """How the free time changes."""
        return self.after.free - self.before.free


@dataclass(frozen=True)
class Term:
    """One line of a sum: the sign, what it is, how much, and why."""

    sign: str
    name: str
    amount: Minutes
    why: str


@blueprint.get("/<service>/capacity")
@in_service(Permission.SEE_SERVICE)
def capacity_board(service: TradingService) -> str | tuple[str, int]:
    """Show a year's capacity by term, and what a thought would change."""
    year = chosen_year()
    planned = capacity(reading(), service.id, year, today=today())
    form = _what_if_form(planned.year)
    asked = any(request.args.get(name, "").strip() for name in ASKED)
    then: YearCapacity | None = None
    if asked and form.validate():
        try:
            then = year_capacity(thought(planned.year.facts, _what_if(form, planned.year)))
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "service/capacity.html",
        navigation=service_menu(service),
        service=service,
        year=year,
        years=years_of(reading(), today()),
        planned=planned,
        rows=_rows(planned.year),
        day=planned.year.facts.settings.day_length,
        parts=_picture(planned.year),
        form=form,
        then=then,
        changes=_changes(planned.year, then) if then else (),
        then_parts=_compared(planned.year, then) if then else [],
        sentence=_sentence(planned.year, then) if then else "",
    )
    return page if then is not None or not asked else (page, 422)


@blueprint.get("/<service>/capacity/sum")
@in_service(Permission.SEE_SERVICE)
def capacity_sum(service: TradingService) -> str:
    """Show how a term's (or the year's) figures come about: every part of the sum, every agreement in it."""
    year = chosen_year()
    planned = capacity(reading(), service.id, year, today=today())
    row = next((one for one in _rows(planned.year) if one.key == request.args.get("of", "year")), None)
    if row is None:
        abort(404)
    return render_template(
        "service/capacity_sum.html",
        navigation=service_menu(service),
        service=service,
        year=year,
        row=row,
        day=planned.year.facts.settings.day_length,
        terms=sum_of(planned, row),
        groups=_promised(planned.year, row),
    )


def chosen_year() -> FinancialYear:
    """Return the year in the address: this financial year or the next; anything else is not there."""
    years = years_of(reading(), today())
    wanted = request.args.get("year")
    found = next((one for one in years if str(one) == wanted), None) if wanted else years[0]
    if found is None:
        abort(404)
    return found


def sum_of(planned: PlannedCapacity, row: Row) -> list[Term]:
    """Return the sum behind a row, each line with where it comes from."""
    figures, settings = row.figures, planned.year.facts.settings
    day = settings.day_length
    officers = display.counted(len(planned.year.facts.officers), "officer")
    schools = display.counted(settings.schools, "school")
    booked = "What is in the diary, and the rest of the year’s plan spread evenly over school days."
    return [
        Term("", "Officers’ working days in term", figures.working,
             f"{officers} by their working patterns, on school days that are no bank holidays."),
        Term("−", "Leave in term", figures.leave, booked),
        Term("−", "Sickness", figures.sickness, "What is in the diary."),
        Term("−", "Training", figures.training, booked),
        Term("−", "Supervision", figures.supervision, booked),
        Term("−", "Core: targeting support meetings", figures.meetings,
             f"{schools} × one a term × {display.hours(settings.meeting)} with preparation "
             f"({display.days(settings.meeting, day)} each)."),
        Term("−", "Core: court", figures.court, booked),
        Term("−", "Core: duty rota", figures.duty_rota, "Your plan for the year, spread evenly over school days."),
        Term("−", "Core: statutory audits", figures.audits,
             "Your plan for the year, spread evenly over school days."),
        Term("=", "Can be sold", figures.sellable, "What is left once the free core offer is kept."),
        Term("−", "Sold", figures.sold, "Each agreement’s time, laid evenly on the school weeks it covers."),
        Term("=", "Free", figures.free, "What you can still sell."),
    ]  # fmt: skip


def _rows(year: YearCapacity) -> list[Row]:
    found = [
        Row(term.stretch.name, str(index), term.figures, term.stretch.assumed, term.stretch.past)
        for index, term in enumerate(year.terms)
    ]
    outside = year.elsewhere
    if outside.sold or outside.waiting or outside.quoted:
        found.append(Row("Outside every term", "outside", outside))
    if year.has_begun:
        found.append(Row(f"The rest of {year.facts.year}", "rest", year.ahead))
    return [*found, Row(f"The year {year.facts.year}", "year", year.whole)]


def _picture(year: YearCapacity) -> list[tuple[str, list[Part]]]:
    day = year.facts.settings.day_length
    return [(term.stretch.name, _parts(term.figures, day)) for term in year.terms]


def _compared(before: YearCapacity, after: YearCapacity) -> list[tuple[str, list[Part]]]:
    day, rows = before.facts.settings.day_length, []
    for old, new in zip(before.terms, after.terms, strict=True):
        if not old.stretch.past:
            rows += [
                (f"{old.stretch.name}: now", _parts(old.figures, day)),
                ("… what if", _parts(new.figures, day)),
            ]
    return rows


def _parts(figures: Figures, day: Minutes) -> list[Part]:
    """Return the parts of a bar. Each has another pattern, so that it reads in black and white."""
    left = figures.free_after_waiting - figures.quoted
    named = (
        ("Kept for core", figures.core, "used"),
        ("Leave, training, supervision", figures.away, ""),
        ("Sold", figures.sold, ""),
        ("Ordered and waiting", figures.waiting, ""),
        ("Quoted", figures.quoted, ""),
        ("Free after all of it", left, "left"),
    )
    return [
        Part(name, max(amount.minutes, 0), display.days(amount, day), kind) for name, amount, kind in named
    ]


def _promised(year: YearCapacity, row: Row) -> list[tuple[str, Minutes, list[tuple[int, str, str, Minutes]]]]:
    """Return what is promised in a row by standing: each agreement once, the most first."""
    if row.key == "rest":
        lines = [
            (share.promised, share.minutes)
            for term in year.terms
            if not term.stretch.past
            for share in term.shares
        ]
    elif row.key in ("year", "outside"):
        laid = Counter[int]()
        for term in year.terms if row.key == "outside" else ():
            for share in term.shares:
                laid[id(share.promised)] += share.minutes.minutes
        lines = [(one, one.minutes - Minutes(laid[id(one)])) for one in year.facts.promised]
    else:
        lines = [(share.promised, share.minutes) for share in year.terms[int(row.key)].shares]
    found = []
    for standing, title in (
        (Standing.SOLD, "Sold"), (Standing.WAITING, "Ordered and waiting"), (Standing.QUOTED, "Quoted"),
    ):  # fmt: skip
        own = dict[int, tuple[int, str, str, Minutes]]()
        for one, minutes in lines:
            if one.standing is standing and minutes:
                before = own[one.agreement_id][3] if one.agreement_id in own else Minutes(0)
                own[one.agreement_id] = (one.agreement_id, one.reference, one.school, before + minutes)
        if own:
            found.append((title, getattr(row.figures, standing.value), sorted(own.values(), key=_most_first)))
    return found


def _most_first(line: tuple[int, str, str, Minutes]) -> tuple[int, str]:
    return -line[3].minutes, line[2]


def _what_if_form(year: YearCapacity) -> WhatIfForm:
    form: WhatIfForm = WhatIfForm.of_request()
    names = [term.stretch.name for term in year.terms if not term.stretch.past]
    form.sell_in.choices = [
        choice("", "Evenly over what is to come"),
        *(choice(name, name) for name in names),
    ]
    start = year.facts.year.period.start
    months = [add_months(start, offset) for offset in range(12)]
    form.officers_from.choices = [choice(one.isoformat(), display.month(one)) for one in months]
    return form


def _what_if(form: WhatIfForm, year: YearCapacity) -> WhatIf:
    months = [add_months(year.facts.year.period.start, offset) for offset in range(12)]
    first = next((one for one in months if one.isoformat() == form.officers_from.data), months[0])
    day = year.facts.settings.day_length
    try:
        sell = minutes_of(form.sell.data, day) if form.sell.data else Minutes(0)
    except Refused:
        raise Refused(
            f"{display.number(form.sell.data)} days of {display.hours(day)} are no whole minutes. "
            "Enter days or half days, like 4.5.",
            field="sell",
        ) from None
    return WhatIf(
        sell=sell,
        sell_in=form.sell_in.data or None,
        officers=form.officers.data or 0,
        officers_from=first,
        schools=form.schools.data or 0,
    )


def _changes(before: YearCapacity, after: YearCapacity) -> list[Change]:
    rows = [
        Change(old.stretch.name, old.figures, new.figures)
        for old, new in zip(before.terms, after.terms, strict=True)
    ]
    if before.has_begun:
        rows.append(Change(f"The rest of {before.facts.year}", before.ahead, after.ahead))
    return [*rows, Change(f"The year {before.facts.year}", before.whole, after.whole)]


def _sentence(before: YearCapacity, after: YearCapacity) -> str:
    """Say what the thought comes to: for the year, and for the terms that become too tight."""
    day, now, then = before.facts.settings.day_length, before.ahead.free, after.ahead.free
    when = f"the rest of {before.facts.year}" if before.has_begun else str(before.facts.year)
    words = [f"{display.days(then, day)} would be free in {when} instead of {display.days(now, day)}."]
    tight = [term for term in after.terms if term.figures.free < Minutes(0) and not term.stretch.past]
    words += [f"{term.stretch.name} would be {display.days(-term.figures.free, day)} over." for term in tight]
    if after.ahead.sellable < Minutes(0):
        words.append("The free core offer itself would be short of time.")
    elif not tight:
        words.append("Every term would still have room.")
    return " ".join(words)
