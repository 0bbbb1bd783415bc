"""The five presets say everything that their documents say, and a preset that says too much is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.catalogue.rules.preset_reading import parse_examples, parse_preset
from sla_manager.catalogue.rules.presets import (
    FOLDER,
    Basis,
    LimitBasis,
    Origin,
    Phase,
    Preset,
    PresetCancellationBand,
    PresetItem,
    PresetRefused,
    PresetSource,
    Side,
    Unit,
    preset_names,
    read_examples,
    read_preset,
)
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass

NAMES = (
    "barnsley-2024-25",
    "dfe-core-offer",
    "greenwich-2026-27",
    "shropshire-2025-26",
    "southampton-2024-25",
)
SECTIONS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent.parent / "data" / "presets" / "entries.toml").read_text("utf-8")
)["section"]
COUNTS = {
    ("shropshire-2025-26", "What we will do for you"): 17,
    ("shropshire-2025-26", "What we require from you"): 8,
    ("shropshire-2025-26", "Roles"): 3,
    ("southampton-2024-25", "Statutory menu"): 4,
    ("southampton-2024-25", "Prosecutions"): 5,
    ("southampton-2024-25", "Penalty Notices"): 1,
    ("southampton-2024-25", "Education Supervision Orders"): 4,
    ("southampton-2024-25", "School Attendance Order"): 2,
    ("southampton-2024-25", "Statutory menu, further services"): 3,
    ("southampton-2024-25", "Purchased EWO services"): 20,
    ("southampton-2024-25", "Expectations on schools"): 5,
    ("southampton-2024-25", "Link officer, duty officer and performance"): 7,
    ("southampton-2024-25", "Terms"): 4,
    ("greenwich-2026-27", "The Attendance Advisory Officer will"): 30,
    ("greenwich-2026-27", "Schools/Academies will"): 13,
    ("greenwich-2026-27", "Attendance Advisory Service will"): 3,
    ("greenwich-2026-27", "Statutory Service"): 12,
    ("dfe-core-offer", "Communication and advice"): 4,
    ("dfe-core-offer", "Targeting Support Meetings"): 5,
    ("dfe-core-offer", "Multi-disciplinary support"): 3,
    ("dfe-core-offer", "Legal intervention"): 6,
    ("dfe-core-offer", "School processes"): 8,
    ("dfe-core-offer", "Casework on behalf of the school"): 4,
    ("dfe-core-offer", "Training"): 4,
    ("dfe-core-offer", "Audits and attendance management support"): 5,
    ("barnsley-2024-25", "Four core principles"): 4,
    ("barnsley-2024-25", "Six steps"): 6,
    ("barnsley-2024-25", "Responsibilities of schools"): 5,
    ("barnsley-2024-25", "Children Missing Education"): 6,
    ("barnsley-2024-25", "Pupils on reduced provision"): 1,
    ("barnsley-2024-25", "Elective Home Education"): 3,
    ("barnsley-2024-25", "Suspension and Exclusion"): 2,
    ("barnsley-2024-25", "Duties of the council"): 13,
}
Said = tuple[PresetSource, str]


def plain(text: str) -> str:
    """Letters and figures only, so that a dash or a quotation mark makes no difference."""
    return re.sub(r"[^a-z0-9%£]+", " ", text.lower()).strip()


def items(*lists: tuple[PresetItem, ...]) -> Iterator[Said]:
    return ((item.source, item.text) for found in lists for item in found)


def offered(preset: Preset, *, core: bool) -> Iterator[Said]:
    for offering in preset.offerings:
        if offering.is_core is core:
            yield offering.source, f"{offering.name}: {offering.description}"
            yield offering.source, offering.description
            yield from items(offering.activities)


def promised(preset: Preset, side: Side) -> Iterator[Said]:
    for promise in preset.promises(side):
        yield promise.source, promise.wording
        yield from items(promise.items)


def said(preset: Preset, where: str) -> list[Said]:
    """Everything that one part of a preset says, with the place it gives."""
    if where in ("core", "sold"):
        return list(offered(preset, core=where == "core"))
    if where in ("provider", "school"):
        return list(promised(preset, Side(where)))
    if where == "passage":
        return [one for part in preset.passages for one in items(part.paragraphs, part.points)]
    if where == "role":
        return [one for role in preset.roles for one in items(role.responsibilities)]
    assert where == "policy", where
    return [(policy.source, policy.wording) for policy in preset.policies.texts]


def everything(value: object) -> Iterator[tuple[str, object]]:
    """Every leaf inside frozen facts, with the name of its field."""
    for name in getattr(value, "__dataclass_fields__", ()):
        field = getattr(value, name)
        for one in field if isinstance(field, tuple) else (field,):
            yield name, one
            yield from everything(one)


# ── Complete ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_five_presets_are_there() -> None:
    assert preset_names() == NAMES


def test_every_section_of_the_documents_is_listed_with_all_its_entries() -> None:
    listed = {(section["preset"], section["name"]): len(section["entries"]) for section in SECTIONS}
    assert listed == COUNTS


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: f"{section['preset']}: {section['name']}")
def test_every_entry_of_a_document_stands_in_its_preset_with_its_line(section: dict[str, Any]) -> None:
    found = said(read_preset(section["preset"]), section["where"])
    missing = [
        entry
        for entry in section["entries"]
        if not any(
            source.line == entry["line"] and plain(entry["begins"]) in plain(text) for source, text in found
        )
    ]
    assert missing == []


def test_the_promises_are_numbered_and_counted_as_in_the_documents() -> None:
    counted = {
        name: tuple([promise.ref for promise in read_preset(name).promises(side)] for side in Side)
        for name in NAMES
    }
    expected = {
        "barnsley-2024-25": (11, 12),
        "dfe-core-offer": (5, 0),
        "greenwich-2026-27": (19, 8),
        "shropshire-2025-26": (17, 8),
        "southampton-2024-25": (11, 5),
    }
    assert counted == {
        name: ([f"P{n}" for n in range(1, ours + 1)], [f"C{n}" for n in range(1, theirs + 1)])
        for name, (ours, theirs) in expected.items()
    }
    assert [name for name in NAMES if read_preset(name).refs_from_source] == ["shropshire-2025-26"]


def test_greenwich_keeps_points_under_their_promise() -> None:
    points = {promise.ref: len(promise.items) for promise in read_preset("greenwich-2026-27").obligations}
    assert {ref: count for ref, count in points.items() if count} == {
        "P1": 1,
        "P2": 2,
        "P7": 2,
        "P10": 5,
        "P11": 4,
        "C4": 2,
        "C5": 3,
    }


def test_the_core_offer_of_every_preset_covers_the_four_duties() -> None:
    for name in NAMES:
        assert {offering.duty for offering in read_preset(name).core} == set(CoreDuty), name


def test_the_dfe_trades_in_its_four_areas() -> None:
    traded = read_preset("dfe-core-offer").chargeable
    assert [offering.family for offering in traded] == [family for family in Family if family != Family.CORE]
    assert [len(offering.activities) for offering in traded] == [8, 4, 4, 5]


def test_everything_names_its_source_and_a_line_only_where_it_is_the_document() -> None:
    sources = [one for name in NAMES for _, one in everything(read_preset(name))]
    found = [source for source in sources if isinstance(source, PresetSource)]
    assert len(found) > 400
    for source in found:
        assert source.quote
        assert (source.line is not None) is (source.origin is Origin.DOCUMENT)


def test_nobody_real_stands_in_a_preset() -> None:
    for file in FOLDER.glob("*.toml"):
        text = file.read_text("utf-8")
        addresses = re.findall(r"[\w.+&'-]+@[\w.-]+", text)
        assert all(address.endswith(".example") for address in addresses), file.name
        assert not re.search(r"\b0\d{2,4}[ -]?\d{3,4}[ -]?\d{3,4}\b", text), file.name


# ── What the documents decide ────────────────────────────────────────────────────────────────────────────


def test_southampton_sells_at_368_a_day_from_one_day() -> None:
    preset = read_preset("southampton-2024-25")
    day = preset.offering("SOU-EWO-DAY")
    assert (day.unit, day.unit_minutes, day.step) == (Unit.DAY, Minutes(360), Decimal("0.5"))
    assert day.minimum_quantity == Decimal(1)
    assert len(day.activities) == 19
    assert {price.unit_price for price in preset.prices} == {Money.parse("368.00")}
    assert {price.starts_on for price in preset.prices} == {date(2024, 4, 1)}
    priced = {price.offering for price in preset.prices}
    assert {offering.code for offering in preset.chargeable} - priced == {"SOU-SAFEGUARDING-TRAINING"}
    classes = [price.customer_class for price in preset.prices if price.offering == "SOU-EWO-DAY"]
    assert set(classes) == set(CustomerClass) - {CustomerClass.OTHER}
    assert {offering.family for offering in preset.chargeable} == set(Family) - {Family.CORE}


def test_no_other_document_gives_a_rate_so_nothing_else_has_a_price() -> None:
    assert [name for name in NAMES if read_preset(name).prices] == ["southampton-2024-25"]


def test_greenwich_sells_five_to_thirty_hours_a_term_or_a_bespoke_service() -> None:
    preset = read_preset("greenwich-2026-27")
    package = preset.offering("GRE-AAO-TERM")
    assert (package.unit, package.limit_basis) == (Unit.HOUR, LimitBasis.TERM)
    assert (package.minimum_quantity, package.maximum_quantity) == (Decimal(5), Decimal(30))
    assert [preset.offering(code).unit for code in ("GRE-AAO-HOUR", "GRE-AAO-DAY")] == [Unit.HOUR, Unit.DAY]
    buyers = {CustomerClass.ACADEMY, CustomerClass.INDEPENDENT, CustomerClass.OTHER}
    assert all(set(offering.customer_classes) == buyers for offering in preset.chargeable)


def test_shropshire_visits_secondary_schools_at_least_one_day_a_week_and_pays_its_own_travel() -> None:
    preset = read_preset("shropshire-2025-26")
    weekly = preset.offering("SHR-WEEKLY-SEC")
    assert weekly.minimum_per_week == Decimal(1)
    assert Phase.SECONDARY in weekly.phases
    assert Phase.PRIMARY not in weekly.phases
    covered = [
        phase for code in ("SHR-WEEKLY-SEC", "SHR-VISIT-DAY") for phase in preset.offering(code).phases
    ]
    assert sorted(covered) == sorted(Phase)
    assert not any(offering.charging.counts_travel for offering in preset.chargeable)
    assert {offering.charging.source.line for offering in preset.chargeable if offering.charging.source} == {
        64
    }


def test_shropshire_is_open_until_five_and_on_fridays_until_four() -> None:
    hours = {found.weekday: (found.opens, found.closes) for found in read_preset("shropshire-2025-26").hours}
    assert hours == {
        **dict.fromkeys(range(4), (time(8, 45), time(17))),
        4: (time(8, 45), time(16)),
    }


def test_a_day_at_barnsley_is_444_minutes() -> None:
    preset = read_preset("barnsley-2024-25")
    assert preset.offering("BAR-EWO-DAY").unit_minutes == Minutes(444)
    assert [passage.key for passage in preset.passages][-6:] == [
        "expect", "monitor", "listen", "facilitate", "formalise", "enforce",
    ]  # fmt: skip


def test_no_preset_invents_a_charge_or_carries_time_forward() -> None:
    for name in NAMES:
        policies = read_preset(name).policies
        assert policies.carry_forward is False
        assert policies.no_carry_forward is not None
        assert policies.data_protection is not None
        unset = (policies.cancellation_bands, policies.cancellation, policies.termination_notice_months)
        assert unset == (None, None, None), name
    texts = read_preset("southampton-2024-25").policies
    assert [text.key for text in texts.texts if text.source.origin is Origin.PRODUCT] == ["data_protection"]


def test_each_document_says_its_year() -> None:
    years = {name: read_preset(name).document for name in NAMES}
    assert {name: document.basis for name, document in years.items() if document.starts_on} == {
        "greenwich-2026-27": Basis.ACADEMIC,
        "southampton-2024-25": Basis.FINANCIAL,
    }
    assert years["southampton-2024-25"].starts_on == date(2024, 4, 1)
    assert years["greenwich-2026-27"].ends_on == date(2027, 9, 1)


def test_codes_and_series_differ_so_that_all_five_can_stand_in_one_council() -> None:
    presets = [read_preset(name) for name in NAMES]
    codes = [offering.code for preset in presets for offering in preset.offerings]
    assert len(set(codes)) == len(codes)
    assert len({preset.series for preset in presets}) == len({preset.service_code for preset in presets}) == 5


def test_a_place_in_the_document_can_be_cited() -> None:
    preset = read_preset("southampton-2024-25")
    assert preset.cite(preset.offering("SOU-CORE-PENALTY-NOTICE").source) == (
        "Education Welfare Service, Service Level Agreement 2024-2025, Southampton Maintained Schools, "
        "line 44: “Issuing of penalty notices”"
    )


def test_barnsleys_and_leicesters_published_rates_are_examples() -> None:
    barnsley, leicester = read_examples()
    assert barnsley.day_minutes == Minutes(444)
    assert barnsley.weeks == 39
    assert barnsley.unit_price.times(Fraction(barnsley.weeks * 444, 60)) == Money.parse("9523.80")
    assert leicester.unit_price == Money.parse("48.50")
    assert barnsley.preset is not None
    own = read_preset(barnsley.preset).offering(barnsley.offering.code)
    assert (own.unit_minutes, own.step) == (barnsley.offering.unit_minutes, barnsley.offering.step)


# ── Refused ──────────────────────────────────────────────────────────────────────────────────────────────

SMALL = """
council = "Borough of Nowhere"
service = "Education Welfare Service"
service_code = "EWS"
series = "EWS"
email = "ews@nowhere.example"
contact_role = "Service Manager"

[document]
title = "Agreement"
file = "agreement.txt"
year = "2025-26"
basis = "unstated"

[[offering]]
code = "N-CORE"
name = "Advice"
description = "Advice."
section = "Free"
family = "core"
duty = "communication_and_advice"
source_line = 1
source_quote = "Advice"
#core

[[offering]]
code = "N-DAY"
name = "Day"
description = "A day."
section = "Sold"
family = "casework"
unit = "day"
unit_minutes = 444
step = "0.5"
minimum_quantity = "1"
limit_basis = "agreement"
source_line = 2
source_quote = "A day"
#day

[[price]]
offerings = ["N-DAY"]
customer_classes = ["academy"]
unit_price = "368.00"
starts_on = 2025-04-01
source_line = 3
source_quote = "£368"

[[obligation]]
side = "provider"
ref = "P1"
heading = "We will"
wording = "Visit you."
source_line = 4
source_quote = "Visit"

[[role]]
title = "Service Manager"
email = "manager@nowhere.example"
source_line = 5
source_quote = "Service Manager"

[[hours]]
weekdays = ["monday"]
opens = 08:45:00
closes = 17:00:00
source_line = 6
source_quote = "08:45 – 17:00"

[policies]
#policies
"""


def small(*changes: tuple[str, str]) -> Preset:
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_preset("small", text.encode())


def test_a_small_preset_is_read() -> None:
    bands = "cancellation_bands = [{fewer_than = 5, per_cent = 100}, {fewer_than = 20, per_cent = 50}]"
    preset = small(("#policies", bands))
    assert preset.offering("N-DAY").step == Decimal("0.5")
    assert preset.policies.cancellation_bands == (
        PresetCancellationBand(fewer_than=5, per_cent=100),
        PresetCancellationBand(fewer_than=20, per_cent=50),
    )
    assert preset.sha256 != small().sha256


TWO_PRICES = '[[price]]\nofferings = ["N-DAY"]\ncustomer_classes = ["academy"]\nunit_price = "1.00"\n'
CORE_AGAIN = SMALL[SMALL.index("[[offering]]") : SMALL.index("#core")]
PROMISE_AGAIN = SMALL[SMALL.index("[[obligation]]") : SMALL.index("[[role]]")]
PRICE_SOURCE = "source_line = 3\nsource_quote = '£1'\n\n[[obligation]]"
REFUSALS = {
    "unknown key of an offering": (
        "#day", "prise = 1", "small.toml, offering 2 “N-DAY”, “prise”: there is no such key",
    ),
    "unknown key of the file": (
        "council =", "councel = 'x'\ncouncil =", "small.toml, “councel”: there is no such key",
    ),
    "unknown policy": ("#policies", "refunds = true", "small.toml, [policies], “refunds”: there is no such key"),
    "missing key": ('name = "Day"\n', "", "small.toml, offering 2 “N-DAY”, “name”: this is missing"),
    "not TOML": ("[policies]", "[policies", "small.toml: this is not TOML"),
    "float": ('unit_price = "368.00"', "unit_price = 368.00", "368.00 is a float"),
    "money as a number": ('unit_price = "368.00"', "unit_price = 368", "368 is not a text in quotes"),
    "a third decimal of money": ('"368.00"', '"368.001"', "“368.001” is not an amount of money"),
    "a price of nothing": ('"368.00"', '"0.00"', "0.00 is not above £0.00"),
    "core with a price": ('["N-DAY"]', '["N-CORE"]', "“N-CORE” is core: it is free and cannot have a price"),
    "a price of nobody": ('["N-DAY"]', '["N-OTHER"]', "there is no offering “N-OTHER”"),
    "two prices at once": (
        "[[obligation]]",
        TWO_PRICES + "starts_on = 2026-04-01\n" + PRICE_SOURCE,
        "two prices of “N-DAY” for academy hold on 2026-04-01",
    ),
    "a price that ends first": (
        "starts_on = 2025-04-01", "starts_on = 2025-04-01\nends_on = 2025-04-01", "the price ends before it starts",
    ),
    "core with a quantity": ("#core", 'minimum_quantity = "1"', "core is free to every school"),
    "core without a duty": ('duty = "communication_and_advice"\n', "", "“duty”: this is missing"),
    "sold with a duty": ("#day", 'duty = "legal_intervention"', "“duty”: there is no such key"),
    "unknown family": ('"casework"', '"sundry"', "“sundry” is none of core, school_processes, casework"),
    "step of a part of a minute": ('step = "0.5"', 'step = "0.125"', "is not a whole number of minutes"),
    "step of nothing": ('step = "0.5"', 'step = "0"', "0 is not above 0"),
    "minimum off the step": ('quantity = "1"', 'quantity = "1.25"', "1.25 is not a whole number of steps"),
    "maximum below the minimum": ("#day", 'maximum_quantity = "0.5"', "0.5 is less than the minimum"),
    "a day without a length": ("unit_minutes = 444\n", "", "a day needs its length"),
    "an hour of other than 60 minutes": ('unit = "day"', 'unit = "hour"', "an hour has 60 minutes"),
    "blocks without a length": ("#day", 'charging = {method = "blocks_up"}', "blocks need their length"),
    "actual time in blocks": ("#day", 'charging = {method = "actual", block_minutes = 30}', "actual time has none"),
    "a code twice": ("[[price]]", CORE_AGAIN + "\n[[price]]", "“offering”: “N-CORE” stands 2 times"),
    "a reference twice": ("[[role]]", PROMISE_AGAIN + "\n[[role]]", "“obligation”: “provider P1” stands 2 times"),
    "a line that is no line": ("source_line = 1\n", "source_line = 0\n", "0 is not between 1 and"),
    "no source": ("source_line = 4\n", "", "“source”: this is missing"),
    "two sources": ("source_line = 4", 'source = "product"\nsource_line = 4', "a source_line or a source, not both"),
    "a document without a line": ("source_line = 4", 'source = "document"', "the line of the document is missing"),
    "closed before it opens": ("closes = 17:00:00", "closes = 08:00:00", "08:45 is not before 08:00"),
    "hours with seconds": ("opens = 08:45:00", "opens = 08:45:30", "a time of day in whole minutes"),
    "no weekday": ('"monday"', '"moonday"', "“moonday” is none of monday"),
    "a role that is not there": (
        'contact_role = "Service Manager"', 'contact_role = "Duty officer"', "there is no [[role]] with the title",
    ),
    "no email": ('"ews@nowhere.example"', '"nowhere"', "“nowhere” is not an email address"),
    "carry-forward": ("#policies", "carry_forward = true", "never carried into another financial year"),
    "bands out of order": (
        "#policies",
        "cancellation_bands = [{fewer_than = 20, per_cent = 50}, {fewer_than = 5, per_cent = 100}]",
        "a later band has longer notice",
    ),
    "a band over 100 %": ("#policies", "cancellation_bands = [{fewer_than = 5, per_cent = 101}]", "101 is not between"),
    "a year without its dates": ('basis = "unstated"', 'basis = "academic"', "has both dates"),
    "true for a number": ("unit_minutes = 444", "unit_minutes = true", "True is not a whole number"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_preset_is_refused_with_its_file_table_and_key(case: str) -> None:
    old, new, message = REFUSALS[case]
    with pytest.raises(PresetRefused) as refused:
        small((old, new))
    assert message in refused.value.message
    assert refused.value.message.startswith("small.toml")


def test_prices_that_follow_each_other_are_read() -> None:
    later = TWO_PRICES + "starts_on = 2026-04-01\n" + PRICE_SOURCE
    preset = small(
        ("starts_on = 2025-04-01", "starts_on = 2025-04-01\nends_on = 2026-04-01"), ("[[obligation]]", later)
    )
    assert [str(price.unit_price) for price in preset.prices] == ["368.00", "1.00"]


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(PresetRefused, match=r"small\.toml: this is not TOML"):
        parse_preset("small", b"council = '\xff'")


def test_an_example_of_something_free_is_refused() -> None:
    text = (FOLDER / "examples.toml").read_text("utf-8")
    start = text.index("[example.offering]")
    core = (
        '[example.offering]\ncode = "X"\nname = "X"\ndescription = "X"\nsection = "X"\nfamily = "core"\n'
        'duty = "legal_intervention"\nsource = "product"\nsource_quote = "X"\n'
    )
    with pytest.raises(PresetRefused, match="core is free"):
        parse_examples((text[:start] + core).encode(), file="examples.toml")


def test_a_preset_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(NotFound, match=r"no preset “\.\./pyproject”.*southampton-2024-25"):
        read_preset("../pyproject")
