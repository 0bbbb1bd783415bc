"""The form that says which column of a spreadsheet is which of our fields, and what holds for all its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.takeovers import ColumnMapping, Field
from sla_manager.catalogue.queries import offerings
from sla_manager.catalogue.rules.families import Family
from sla_manager.web.forms import BaseForm, ChoiceField, DateField, SelectField, TextField, choice

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The school", ("urn", "laestab", "school")),
    (
        "What was bought",
        ("offering", "all_offering", "quantity", "unit_price", "net", "gross", "starts_on", "all_starts_on",
         "ends_on", "all_ends_on", "schedule", "all_schedule", "purchase_order"),
    ),
    ("What was used", ("used", "balance", "counted_in")),
    ("What was invoiced elsewhere", ("invoiced_net", "invoiced_gross", "paid", "notes")),
    ("The takeover", ("taken_on", "bill_from", "save_as")),
)  # fmt: skip
"""The fields under their headings; the form's own order is that of the error summary."""


class ColumnsForm(BaseForm):
    """One list of columns for each of our fields (added below), and what holds for all rows."""

    all_offering = SelectField("Or one service for all rows")
    all_starts_on = DateField("Or one first day for all rows")
    all_ends_on = DateField("Or one last day for all rows")
    all_schedule = SelectField("How rows are paid that do not say it", enter="Say how they are paid")
    counted_in = ChoiceField(
        "What are used and balance counted in?",
        choices=[choice("unit", "The same as the quantity"), choice("hours", "Hours, like 7.5 or 7:30")],
        default="unit",
        enter="Say what they are counted in",
    )
    taken_on = DateField(
        "Day of the takeover",
        enter="Enter the day of the takeover",
        hint="What was used by then stands in the ledger on this day.",
    )
    bill_from = DateField(
        "From which day do we bill? (optional)",
        hint="Without a day, invoices of these agreements stay with your own system. With a day, we issue the "
        "instalments that fall due from then on, and no others.",
    )
    save_as = TextField(
        "Keep these choices under a name (optional)",
        longest=60,
        hint="For next month’s file, like “Buy-back sheet”.",
    )

    def fill(self, mapping: ColumnMapping, *, day: date, bill_from: date | None, name: str) -> None:
        """Choose what a mapping says."""
        for one in Field:
            self[one.value].data = mapping.columns.get(one, "")
        self.all_offering.data = mapping.offering
        self.all_starts_on.data, self.all_ends_on.data = mapping.starts_on, mapping.ends_on
        self.all_schedule.data = (mapping.schedule or Schedule.SINGLE).value
        self.counted_in.data = "hours" if mapping.in_hours else "unit"
        self.taken_on.data, self.save_as.data = day, name
        if "bill_from" in self:
            self.bill_from.data = bill_from

    def mapping(self) -> ColumnMapping:
        """Return what was chosen."""
        return ColumnMapping(
            columns={one: self[one.value].data for one in Field if self[one.value].data},
            offering=self.all_offering.data or "",
            starts_on=self.all_starts_on.data,
            ends_on=self.all_ends_on.data,
            schedule=Schedule(self.all_schedule.data) if self.all_schedule.data else None,
            in_hours=self.counted_in.data == "hours",
        )


for _one in Field:
    setattr(ColumnsForm, _one.value, SelectField(_one.title))


def prepared(
    session: Session, form: ColumnsForm, service_id: int, columns: Sequence[str], *, comparing: bool
) -> ColumnsForm:
    """Offer the file's columns and what the service sells; a comparison asks for its day, not for billing."""
    listed = [choice("", "Not in the file"), *(choice(column, column) for column in columns)]
    for one in Field:
        form[one.value].choices = listed
    sold = [one for one in offerings(session, service_id, date.min) if one.family is not Family.CORE]
    form.all_offering.choices = [
        choice("", "Each row says it"),
        *(choice(one.code, f"{one.name} ({one.code})") for one in sold),
    ]
    form.all_schedule.choices = [choice(one.value, one.title) for one in Schedule]
    if comparing:
        form.taken_on.label.text = "Day to compare on"
        form.taken_on.description = "Our balances and invoices at the end of this day."
        del form.bill_from
    return form
