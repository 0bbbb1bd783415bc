"""Reads preset files into frozen facts, and refuses what is unknown, missing or impossible with its place."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise

from sla_manager.catalogue.rules.charging import ChargingMethod
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.catalogue.rules.preset_shapes import (
    Basis,
    LimitBasis,
    Origin,
    Phase,
    Preset,
    PresetCancellationBand,
    PresetCharging,
    PresetDocument,
    PresetExample,
    PresetHours,
    PresetItem,
    PresetObligation,
    PresetOffering,
    PresetPassage,
    PresetPolicies,
    PresetPolicy,
    PresetPrice,
    PresetRole,
    PresetSource,
    Side,
    Unit,
)
from sla_manager.catalogue.rules.preset_table import Table, read_toml
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.quantities import is_on_step, plain, step_minutes
from sla_manager.kernel.references import sha256
from sla_manager.people.rules.customer_classes import CustomerClass

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SOLD_ONLY = (
    "unit", "unit_minutes", "step", "minimum_quantity", "maximum_quantity", "minimum_per_week", "limit_basis",
    "charging", "customer_classes",
)  # fmt: skip
"""What an offering says only when it is sold: core has no quantity and no price."""


def parse_preset(name: str, content: bytes) -> Preset:
    """Read a preset file; anything unknown, missing or impossible in it is refused with its place."""
    table = read_toml(content, f"{name}.toml")
    offerings = tuple(_offering(entry) for entry in table.tables("offering"))
    preset = Preset(
        name=name,
        sha256=sha256(content),
        council=table.text("council"),
        service=table.text("service"),
        service_code=table.text("service_code"),
        series=table.text("series"),
        email=_email(table, "email"),
        contact_role=table.text("contact_role"),
        introduced_by=table.optional_text("introduced_by"),
        refs_from_source=table.flag("refs_from_source", default=False),
        document=_document(table.table("document") or table.refuse("this is missing.", key="document")),
        introduction=_items(table, "introduction"),
        description=_items(table, "description"),
        passages=tuple(_passage(entry) for entry in table.tables("passage")),
        offerings=offerings,
        prices=_prices(table, offerings),
        obligations=tuple(_obligation(entry) for entry in table.tables("obligation")),
        roles=tuple(_role(entry) for entry in table.tables("role")),
        hours=_hours(table),
        policies=_policies(table.table("policies") or table.refuse("this is missing.", key="policies")),
    )
    table.close()
    _check_whole(table, preset)
    return preset


def parse_examples(content: bytes, *, file: str) -> tuple[PresetExample, ...]:
    """Read the file of published rates."""
    table = read_toml(content, file)
    examples = tuple(_example(entry) for entry in table.tables("example"))
    table.close()
    return examples


def _check_whole(table: Table, preset: Preset) -> None:
    """Refuse what no single entry shows: the same thing twice, and roles that are not there."""
    _refuse_twice(table, "offering", [offering.code for offering in preset.offerings])
    _refuse_twice(table, "obligation", [f"{promise.side} {promise.ref}" for promise in preset.obligations])
    _refuse_twice(table, "role", [role.title for role in preset.roles])
    _refuse_twice(table, "passage", [passage.key for passage in preset.passages])
    titles = {role.title for role in preset.roles}
    for key, title in (("contact_role", preset.contact_role), ("introduced_by", preset.introduced_by)):
        if title is not None and title not in titles:
            table.refuse(f"there is no [[role]] with the title “{title}”.", key=key)


def _refuse_twice(table: Table, key: str, names: list[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            table.refuse(f"“{name}” stands {count} times.", key=key)


def _source(table: Table, *, quote: str | None = None) -> PresetSource:
    """Read where an entry comes from; a list entry that gives no quote is its own."""
    line = table.whole("source_line")
    origin = Origin.DOCUMENT if line else table.choice("source", Origin)
    if line and "source" in table:
        table.refuse("an entry has a source_line or a source, not both.", key="source")
    if not line and origin is Origin.DOCUMENT:
        table.refuse("the line of the document is missing.", key="source_line")
    quoted = table.optional_text("source_quote") or quote
    return PresetSource(origin=origin, line=line, quote=quoted or table.text("source_quote"))


def _items(table: Table, key: str) -> tuple[PresetItem, ...]:
    items = []
    for entry in table.tables(key):
        text = entry.text("text")
        items.append(PresetItem(text=text, source=_source(entry, quote=text)))
        entry.close()
    if len({item.text for item in items}) != len(items):
        table.refuse("the same text stands twice in the list.", key=key)
    return tuple(items)


def _email(table: Table, key: str) -> str:
    address = table.text(key)
    if address.count("@") != 1 or " " in address:
        table.refuse(f"“{address}” is not an email address.", key=key)
    return address


def _document(table: Table) -> PresetDocument:
    document = PresetDocument(
        title=table.text("title"),
        file=table.text("file"),
        year=table.text("year"),
        basis=table.choice("basis", Basis),
        starts_on=table.day("starts_on"),
        ends_on=table.day("ends_on"),
    )
    table.close()
    dates = (document.starts_on, document.ends_on)
    if (None in dates) is not (document.basis is Basis.UNSTATED):
        table.refuse("a financial or academic year has both dates, any other neither.", key="starts_on")
    if document.starts_on and document.ends_on and document.ends_on <= document.starts_on:
        table.refuse("the year ends before it starts.", key="ends_on")
    return document


def _passage(table: Table) -> PresetPassage:
    table.name_from("key")
    passage = PresetPassage(
        key=table.text("key"),
        heading=table.text("heading"),
        paragraphs=_items(table, "paragraphs"),
        points=_items(table, "points"),
    )
    table.close()
    return passage


def _offering(table: Table) -> PresetOffering:
    table.name_from("code", "name")
    family = table.choice("family", Family)
    core = family is Family.CORE
    unit, unit_minutes = (Unit.ITEM, None) if core else _unit(table)
    offering = PresetOffering(
        code=table.text("code"),
        name=table.text("name"),
        description=table.text("description"),
        section=table.text("section"),
        family=family,
        duty=table.choice("duty", CoreDuty) if core else None,
        unit=unit,
        unit_minutes=unit_minutes,
        step=(None if core else table.quantity("step")) or Decimal(1),
        minimum_quantity=(None if core else table.quantity("minimum_quantity")) or Decimal(1),
        maximum_quantity=None if core else table.quantity("maximum_quantity"),
        minimum_per_week=None if core else table.quantity("minimum_per_week"),
        limit_basis=LimitBasis.AGREEMENT if core else table.choice("limit_basis", LimitBasis),
        charging=_charging(None if core else table.table("charging")),
        phases=table.choices("phases", Phase),
        customer_classes=() if core else table.choices("customer_classes", CustomerClass),
        activities=_items(table, "activities"),
        source=_source(table),
    )
    for key in SOLD_ONLY:
        if core and key in table:
            table.refuse("core is free to every school, so it has no quantity.", key=key)
    table.close()
    _check_quantities(table, offering)
    return offering


def _unit(table: Table) -> tuple[Unit, Minutes | None]:
    unit = table.choice("unit", Unit)
    length = table.whole("unit_minutes", at_most=24 * 60)
    if unit is Unit.HOUR and length != 60:
        table.refuse("an hour has 60 minutes.", key="unit_minutes")
    if unit is Unit.DAY and length is None:
        table.refuse("a day needs its length.", key="unit_minutes")
    return unit, None if length is None else Minutes(length)


def _check_quantities(table: Table, offering: PresetOffering) -> None:
    if offering.unit_minutes is not None:
        try:
            step_minutes(offering.step, offering.unit_minutes)
        except Refused as error:
            table.refuse(error.message, key="step")
    smallest, largest, weekly = (
        offering.minimum_quantity, offering.maximum_quantity, offering.minimum_per_week
    )  # fmt: skip
    for key, quantity in (("minimum_quantity", smallest), ("maximum_quantity", largest)):
        if quantity is not None and not is_on_step(quantity, offering.step):
            table.refuse(f"{plain(quantity)} is not a whole number of steps.", key=key)
    if largest is not None and largest < smallest:
        table.refuse(f"{plain(largest)} is less than the minimum.", key="maximum_quantity")
    if weekly is not None and not is_on_step(weekly, offering.step):
        table.refuse(f"{plain(weekly)} is not a whole number of steps.", key="minimum_per_week")


def _charging(table: Table | None) -> PresetCharging:
    """Read how time is charged; without a table, as the product does: actual time, travel not counted."""
    table = table or Table({"method": "actual"}, "")
    method, block = table.choice("method", ChargingMethod), table.whole("block_minutes", at_most=24 * 60)
    charging = PresetCharging(
        method=method,
        block_minutes=None if block is None else Minutes(block),
        counts_preparation=table.flag("counts_preparation", default=True),
        counts_report=table.flag("counts_report", default=True),
        counts_travel=table.flag("counts_travel", default=False),
        source=_source(table) if "source_line" in table or "source" in table else None,
    )
    table.close()
    if (method is ChargingMethod.ACTUAL) is not (block is None):
        table.refuse("blocks need their length, and actual time has none.", key="block_minutes")
    return charging


def _prices(table: Table, offerings: tuple[PresetOffering, ...]) -> tuple[PresetPrice, ...]:
    by_code = {offering.code: offering for offering in offerings}
    prices: list[PresetPrice] = []
    for entry in table.tables("price"):
        amount, source = entry.money("unit_price"), _source(entry)
        starts_on = entry.day("starts_on") or entry.refuse("this is missing.", key="starts_on")
        ends_on = entry.day("ends_on")
        if ends_on is not None and ends_on <= starts_on:
            entry.refuse("the price ends before it starts.", key="ends_on")
        codes, classes = entry.texts("offerings"), entry.choices("customer_classes", CustomerClass)
        if not codes or not classes:
            entry.refuse("a price is for at least one offering and one customer class.", key="offerings")
        entry.close()
        for code in codes:
            if code not in by_code:
                entry.refuse(f"there is no offering “{code}”.", key="offerings")
            if by_code[code].is_core:
                entry.refuse(f"“{code}” is core: it is free and cannot have a price.", key="offerings")
            prices += [
                PresetPrice(
                    offering=code,
                    customer_class=one,
                    unit_price=amount,
                    starts_on=starts_on,
                    ends_on=ends_on,
                    source=source,
                )
                for one in classes
            ]
    _refuse_overlaps(table, prices)
    return tuple(prices)


def _refuse_overlaps(table: Table, prices: list[PresetPrice]) -> None:
    ordered = sorted(prices, key=lambda price: (price.offering, price.customer_class, price.starts_on))
    for one, following in pairwise(ordered):
        same = (one.offering, one.customer_class) == (following.offering, following.customer_class)
        if same and (one.ends_on is None or one.ends_on > following.starts_on):
            table.refuse(
                f"two prices of “{one.offering}” for {one.customer_class} hold on {following.starts_on}.",
                key="price",
            )


def _obligation(table: Table) -> PresetObligation:
    table.name_from("ref")
    obligation = PresetObligation(
        side=table.choice("side", Side),
        ref=table.text("ref"),
        heading=table.text("heading"),
        wording=table.text("wording"),
        items=_items(table, "items"),
        source=_source(table),
    )
    table.close()
    return obligation


def _role(table: Table) -> PresetRole:
    table.name_from("title")
    role = PresetRole(
        title=table.text("title"),
        responsibilities=_items(table, "responsibilities"),
        email=_email(table, "email"),
        phone=table.optional_text("phone") or "",
        source=_source(table),
    )
    table.close()
    return role


def _hours(table: Table) -> tuple[PresetHours, ...]:
    found: dict[int, PresetHours] = {}
    for entry in table.tables("hours"):
        opens, closes, source = entry.clock_time("opens"), entry.clock_time("closes"), _source(entry)
        if opens >= closes:
            entry.refuse(f"{opens:%H:%M} is not before {closes:%H:%M}.", key="opens")
        for weekday in entry.texts("weekdays"):
            if weekday not in WEEKDAYS:
                entry.refuse(f"“{weekday}” is none of {', '.join(WEEKDAYS)}.", key="weekdays")
            number = WEEKDAYS.index(weekday)
            if number in found:
                entry.refuse(f"{weekday} has its hours already.", key="weekdays")
            found[number] = PresetHours(weekday=number, opens=opens, closes=closes, source=source)
        entry.close()
    return tuple(found[number] for number in sorted(found))


def _policies(table: Table) -> PresetPolicies:
    figures = ("carry_forward", "cancellation_bands", "rearrangement_days", "quote_valid_days",
               "termination_notice_months")  # fmt: skip
    texts = {
        field.name: _policy(field.name, table.table(field.name))
        for field in fields(PresetPolicies)
        if field.name not in figures
    }
    policies = PresetPolicies(
        carry_forward=table.flag("carry_forward", default=False),
        cancellation_bands=_bands(table),
        rearrangement_days=table.whole("rearrangement_days", at_most=365),
        quote_valid_days=table.whole("quote_valid_days", at_most=365),
        termination_notice_months=table.whole("termination_notice_months", at_most=36),
        **texts,
    )
    table.close()
    if policies.carry_forward:
        table.refuse("unused time is never carried into another financial year.", key="carry_forward")
    return policies


def _policy(key: str, table: Table | None) -> PresetPolicy | None:
    if table is None:
        return None
    policy = PresetPolicy(
        key=key, title=table.text("title"), paragraphs=table.texts("wording"), source=_source(table)
    )
    table.close()
    if not policy.paragraphs:
        table.refuse("this is missing.", key="wording")
    return policy


def _bands(table: Table) -> tuple[PresetCancellationBand, ...] | None:
    """Read the bands, shortest notice first; None where the source gives none, which charges nothing."""
    bands: list[PresetCancellationBand] = []
    for entry in table.tables("cancellation_bands"):
        fewer_than, per_cent = entry.whole("fewer_than", at_most=365), entry.whole("per_cent", at_most=100)
        if fewer_than is None or per_cent is None:
            entry.refuse("a band needs both fewer_than and per_cent.")
        entry.close()
        if bands and (fewer_than <= bands[-1].fewer_than or per_cent >= bands[-1].per_cent):
            entry.refuse("a later band has longer notice and a smaller charge.", key="fewer_than")
        bands.append(PresetCancellationBand(fewer_than=fewer_than, per_cent=per_cent))
    return tuple(bands) or None


def _example(table: Table) -> PresetExample:
    table.name_from("council")
    length = table.whole("day_minutes", at_most=24 * 60)
    offering = table.table("offering") or table.refuse("this is missing.", key="offering")
    example = PresetExample(
        council=table.text("council"),
        year=table.text("year"),
        preset=table.optional_text("preset"),
        weeks=table.whole("weeks", at_most=53),
        day_minutes=None if length is None else Minutes(length),
        unit_price=table.money("unit_price"),
        offering=_offering(offering),
    )
    table.close()
    if example.offering.is_core:
        table.refuse("core is free and cannot have a price.", key="unit_price")
    return example
