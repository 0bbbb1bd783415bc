"""`sla-manager quote`: a case a line in, an answer a line out, whatever the bytes are."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.cli import quote
from sla_manager.cli.quote import price_case, quote_lines
from sla_manager.kernel.errors import Refused

CASE: dict[str, Any] = {
    "customer_class": "academy",
    "unit_price": "368.00",
    "quantity": "12",
    "step": "0.5",
    "day_minutes": 444,
    "start": "2025-10-14",
    "end": "2026-03-31",
    "schedule": "three",
    "vat": "standard",
}


def ask(**changes: Any) -> dict[str, Any]:
    (answer,) = quote_lines([json.dumps({**CASE, **changes})])
    answered: dict[str, Any] = json.loads(answer)
    return answered


def error(line: str) -> str:
    (answer,) = quote_lines([line])
    answered = json.loads(answer)
    assert list(answered) == ["error"]
    return str(answered["error"])


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in CASE.items() if name != key}


def test_an_academy_buys_12_days_in_three_instalments_in_the_order_of_the_keys() -> None:
    (answer,) = quote_lines([json.dumps(CASE)])
    document = '{"net": "1472.00", "vat": "294.40", "gross": "1766.40"}'
    assert answer == (
        '{"net": "4416.00", "vat": "883.20", "gross": "5299.20", "route": "invoice", '
        f'"documents": [{document}, {document}, {document}], '
        '"tranches": [{"year": "2025-26", "minutes": 5328, "net": "4416.00"}]}'
    )


def test_the_same_for_an_own_maintained_school_is_recharged_without_vat() -> None:
    answer = ask(customer_class="own_maintained")
    assert (answer["route"], answer["vat"], answer["gross"]) == ("recharge", "0.00", "4416.00")
    assert answer["documents"] == [{"net": "1472.00", "vat": "0.00", "gross": "1472.00"}] * 3


@pytest.mark.parametrize("customer_class", ["own_maintained", "voluntary_aided"])
def test_exempt_training_for_an_own_school_is_outside_the_scope(customer_class: str) -> None:
    assert ask(customer_class=customer_class, vat="exempt") == ask(customer_class=customer_class)


@pytest.mark.parametrize("customer_class", ["independent", "out_of_area_maintained", "other", "academy"])
def test_everybody_else_is_invoiced_standard_or_exempt(customer_class: str) -> None:
    assert ask(customer_class=customer_class)["vat"] == "883.20"
    exempt = ask(customer_class=customer_class, vat="exempt")
    assert (exempt["route"], exempt["vat"]) == ("invoice", "0.00")


def test_ten_days_by_seven_and_five_twelfths() -> None:
    answer = ask(quantity="10", schedule="seven-five", start="2025-09-01", end="2026-08-31")
    assert [(one["net"], one["vat"]) for one in answer["documents"]] == [
        ("2146.67", "429.33"),
        ("1533.33", "306.67"),
    ]


def test_seven_days_in_three_have_515_19_of_vat() -> None:
    answer = ask(quantity="7")
    assert (answer["vat"], [one["vat"] for one in answer["documents"]]) == ("515.19", ["171.73"] * 3)


def test_20_days_of_a_school_year_are_cut_at_the_financial_year() -> None:
    answer = ask(quantity="20", start="2025-09-01", end="2026-08-31")
    assert answer["tranches"] == [
        {"year": "2025-26", "minutes": 5106, "net": "4232.00"},
        {"year": "2026-27", "minutes": 3774, "net": "3128.00"},
    ]


def test_38_days_in_quarter_days() -> None:
    answer = ask(quantity="38", step="0.25", start="2025-09-01", end="2026-08-31")
    assert [one["minutes"] for one in answer["tranches"]] == [9879, 6993]


def test_39_weeks_of_hours_at_Barnsleys_published_price() -> None:
    answer = ask(unit_price="33.00", quantity="288.6", step="0.1", day_minutes=60, schedule="single")
    assert (answer["net"], answer["vat"], answer["gross"]) == ("9523.80", "1904.76", "11428.56")


def test_monthly_is_one_equal_part_for_each_calendar_month_that_the_term_touches() -> None:
    answer = ask(schedule="monthly", start="2025-10-31", end="2026-01-01", quantity="1")
    assert [one["net"] for one in answer["documents"]] == ["92.00"] * 4


def test_a_term_over_several_years_gives_several_tranches() -> None:
    answer = ask(quantity="36", start="2025-04-01", end="2028-03-31")
    assert [(one["year"], one["net"]) for one in answer["tranches"]] == [
        ("2025-26", "4416.00"),
        ("2026-27", "4416.00"),
        ("2027-28", "4416.00"),
    ]


def test_M9_documents_and_tranches_of_nothing_are_left_out() -> None:
    penny = ask(unit_price="0.01", quantity="1")
    assert penny["documents"] == [{"net": "0.01", "vat": "0.00", "gross": "0.01"}]
    short = ask(quantity="0.5", start="2025-09-01", end="2026-08-31")
    assert [one["year"] for one in short["tranches"]] == ["2025-26"]
    free = ask(unit_price="0.00")
    assert (free["net"], free["documents"], free["tranches"][0]["minutes"]) == ("0.00", [], 5328)


def test_one_day_that_starts_and_ends_the_term_is_priced() -> None:
    assert ask(start="2026-04-01", end="2026-04-01")["tranches"][0]["year"] == "2026-27"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("quantity", "12.3", "12.3 is not allowed. Enter more than 0, in steps of 0.5."),
        ("quantity", "0", "quantity is"),
        ("quantity", "-1", "quantity is"),
        ("quantity", "1e3", "quantity is"),
        ("quantity", "NaN", "quantity is"),
        ("quantity", "١٢", "quantity is"),
        ("quantity", "12\n", "quantity is"),
        ("quantity", "9" * 5000, "quantity is"),
        ("quantity", 12, "quantity is 12"),
        ("quantity", 12.5, "quantity is 12.5"),
        ("quantity", None, "quantity is null"),
        ("quantity", ["12"], "quantity is a list"),
        ("step", "0", "step is"),
        ("step", "-0.5", "step is"),
        ("step", "0.1", "0.1 × 444 minutes is not a whole number of minutes"),
        ("day_minutes", 0, "day_minutes is 0"),
        ("day_minutes", -444, "day_minutes is -444"),
        ("day_minutes", True, "day_minutes is true"),
        ("day_minutes", 444.0, "day_minutes is 444.0"),
        ("day_minutes", "444", "day_minutes is"),
        ("day_minutes", 10**40, "day_minutes is 1000"),
        ("unit_price", "-1.00", "unit_price is"),
        ("unit_price", "368.001", "unit_price is"),
        ("unit_price", "£368", "unit_price is"),
        ("unit_price", "1,000.00", "unit_price is"),
        ("unit_price", "", "unit_price is"),
        ("unit_price", "999999999999999", "is too large"),
        ("unit_price", 368, "unit_price is 368"),
        ("unit_price", 368.0, "unit_price is 368.0"),
        ("start", "2026-04-01", "end is"),
        ("start", "20251014", "start is"),
        ("start", "2025-W42-2", "start is"),
        ("start", "2025-02-29", "start is"),
        ("start", "0001-01-01", "start is"),
        ("end", "9999-12-31", "end is"),
        ("end", 20260331, "end is"),
        ("customer_class", "Academy", "customer_class is"),
        ("customer_class", "\ud800", "customer_class is"),
        ("customer_class", {}, "customer_class is an object"),
        ("schedule", "on_delivery", "one of single, three, seven-five, monthly"),
        ("schedule", "weekly", "one of single, three, seven-five, monthly"),
        ("vat", "outside_scope", "one of standard, exempt"),
        ("vat", "zero", "one of standard, exempt"),
    ],
)
def test_a_case_that_cannot_be_priced_says_which_value_and_what_is_allowed(
    key: str, value: object, message: str
) -> None:
    answer = ask(**{key: value})
    assert list(answer) == ["error"]
    assert message in answer["error"]
    assert len(answer["error"]) < 250


@pytest.mark.parametrize("key", list(CASE))
def test_a_missing_key_is_named(key: str) -> None:
    assert error(json.dumps(without(key))).startswith(f"{key} is missing")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not valid JSON"),
        ("12 days please", "not valid JSON"),
        ("[]", "not a JSON object"),
        ('"case"', "not a JSON object"),
        ("null", "not a JSON object"),
        ("NaN", "not valid JSON: NaN is no number"),
        (json.dumps(CASE)[:-1] + ', "quantity": "1"}', "a key comes twice"),
        (json.dumps(CASE)[:-1] + ', "note": Infinity}', "Infinity is no number"),
        ("[" * 50_000, "not valid JSON"),
        ("9" * 5000, "not valid JSON"),
    ],
)
def test_a_line_that_is_no_case_is_an_error_and_not_a_crash(line: str, message: str) -> None:
    assert message in error(line)


def test_other_keys_are_ignored_and_blank_lines_are_skipped() -> None:
    lines = ["", json.dumps({**CASE, "note": "for the autumn"}), "   \r\n", "\t"]
    assert len(list(quote_lines(lines))) == 1
    assert ask(note=1.5) == ask()


def priced(tmp_path: Path, content: bytes) -> list[str]:
    file, out = tmp_path / "cases.jsonl", io.StringIO()
    file.write_bytes(content)
    quote.run(str(file), out)
    return out.getvalue().splitlines()


def test_a_file_may_come_from_windows_and_hold_what_is_not_text(tmp_path: Path) -> None:
    case = json.dumps(CASE).encode()
    long = b'{"quantity": "' + b"1" * 300_000 + b'"}'
    content = b"\xef\xbb\xbf" + case + b"\r\n\r\n" + b"\xff\xfe\x00\n" + long + b"\n" + case
    answers = [json.loads(line) for line in priced(tmp_path, content)]
    assert [answer.get("gross", "refused") for answer in answers] == [
        "5299.20",
        "refused",
        "refused",
        "5299.20",
    ]


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_no_bytes_at_all_bring_it_down(rows: list[bytes]) -> None:
    answers = list(quote_lines(quote._lines(io.BytesIO(b"\n".join(rows)))))
    assert all(json.loads(answer) for answer in answers)
    assert all(answer.isascii() for answer in answers)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("12"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(list(CASE)), anything, max_size=4))
def test_no_value_at_all_brings_it_down(changes: dict[str, Any]) -> None:
    (answer,) = quote_lines([json.dumps({**CASE, **changes})])
    assert "error" in (answered := json.loads(answer)) or "gross" in answered


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        quote.run(str(tmp_path / "none.jsonl"), io.StringIO())
    assert quote.main(str(tmp_path)) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(f"{json.dumps(CASE)}\n" * 3000)
    code = "import sys; from sla_manager.cli import quote; sys.exit(quote.main(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert "5299.20" in running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 0


def test_it_starts_without_flask_the_database_or_click() -> None:
    heavy = "{'flask', 'sqlalchemy', 'click', 'holidays', 'jinja2'}"
    code = f"import sys; import sla_manager.cli.quote; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# An answer worked out a second time, day by day and penny by penny, from the rules as they are written.


def largest_remainder(whole: int, weights: list[Fraction]) -> list[int]:
    exact = [whole * weight / sum(weights) for weight in weights]
    parts = [int(share) for share in exact]
    for index in sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))[: whole - sum(parts)]:
        parts[index] += 1
    return parts


def written(pence: int) -> str:
    return str(Decimal(pence).scaleb(-2).quantize(Decimal("0.01")))


def in_pence(pounds: Decimal) -> int:
    return int(pounds.scaleb(2).quantize(Decimal(1), ROUND_HALF_UP))


def years_by_day(start: date, end: date) -> dict[str, Fraction]:
    weights: dict[str, Fraction] = {}
    day = start
    while day <= end:
        first = day.year if day.month >= 4 else day.year - 1
        month_end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        year = f"{first}-{(first + 1) % 100:02d}"
        weights[year] = weights.get(year, Fraction(0)) + Fraction(1, month_end.day)
        day += timedelta(days=1)
    return weights


def months_touched(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month + 1


def worked_again(case: dict[str, Any]) -> dict[str, Any]:
    start, end = date.fromisoformat(case["start"]), date.fromisoformat(case["end"])
    quantity, step = Decimal(case["quantity"]), Decimal(case["step"])
    net = in_pence(quantity * Decimal(case["unit_price"]))
    parts = {
        "single": [1],
        "three": [1, 1, 1],
        "seven-five": [7, 5],
        "monthly": [1] * months_touched(start, end),
    }[case["schedule"]]
    nets = [part for part in largest_remainder(net, [Fraction(one) for one in parts]) if part]
    recharged = case["customer_class"] in ("own_maintained", "voluntary_aided")
    taxed = not recharged and case["vat"] == "standard"
    taxes = [in_pence(Decimal(part) / 500) if taxed else 0 for part in nets]
    weights = years_by_day(start, end)
    shares = largest_remainder(int(quantity / step), list(weights.values()))
    values = largest_remainder(net, [Fraction(share) for share in shares])
    return {
        "net": written(net),
        "vat": written(sum(taxes)),
        "gross": written(net + sum(taxes)),
        "route": "recharge" if recharged else "invoice",
        "documents": [
            {"net": written(part), "vat": written(tax), "gross": written(part + tax)}
            for part, tax in zip(nets, taxes, strict=True)
        ],
        "tranches": [
            {"year": year, "minutes": int(share * step * case["day_minutes"]), "net": written(value)}
            for year, share, value in zip(weights, shares, values, strict=True)
            if share
        ],
    }


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    step = draw(st.sampled_from(["0.25", "0.5", "1", "2.5"]))
    start = draw(st.dates(min_value=date(2019, 1, 1), max_value=date(2032, 12, 31)))
    end = start + timedelta(days=draw(st.integers(min_value=0, max_value=1200)))
    return {
        "customer_class": draw(st.sampled_from(list(quote._CLASSES))),
        "unit_price": written(draw(st.integers(min_value=0, max_value=100_000))),
        "quantity": str(Decimal(step) * draw(st.integers(min_value=1, max_value=400))),
        "step": step,
        "day_minutes": draw(st.sampled_from([360, 420, 444, 480])),
        "start": str(start),
        "end": str(end),
        "schedule": draw(st.sampled_from(list(quote._SCHEDULES))),
        "vat": draw(st.sampled_from(["standard", "exempt"])),
    }


@given(cases())
def test_any_case_comes_to_what_it_comes_to_when_worked_again_by_hand(case: dict[str, Any]) -> None:
    (answer,) = quote_lines([json.dumps(case)])
    assert json.loads(answer) == worked_again(case)


def test_thousands_are_priced_in_a_second() -> None:
    """A loose guard: some six thousand a second were seen on two busy cores; a tenth of that fails."""
    from time import process_time

    def many() -> Iterable[str]:
        for number in range(1, 2001):
            yield json.dumps({**CASE, "quantity": str(number % 160 + 1), "end": "2027-08-31"})

    started = process_time()
    answers = sum(1 for _ in quote_lines(many()))
    assert answers == 2000
    assert process_time() - started < 3


TIERS = [["1", "565.00"], ["4", "500.00"], ["11", "475.00"], ["21", "432.00"]]


@pytest.mark.parametrize(
    ("more", "net"),
    [
        ({"shape": "tiers", "terms": {"tiers": TIERS}, "quantity": "20"}, "9500.00"),
        ({"shape": "tiers", "terms": {"tiers": TIERS}, "quantity": "21"}, "9072.00"),
        ({"shape": "per_pupil", "terms": {"base": "466.14", "each": "1.14"}, "pupils": 210}, "705.54"),
        (
            {"shape": "per_pupil", "terms": {"base": "466.14", "each": "1.14"}, "pupils": 210,
             "part_year": "months", "start": "2025-11-01"},
            "293.98",
        ),
        (
            {"shape": "bands", "absence": "21.4", "terms": {"by": "absence", "bands": [
                {"from": "0", "to": "20", "price": "100.00"}, {"from": "20", "to": None, "price": "300.00"},
            ]}},
            "300.00",
        ),
        ({"part_year": "days", "unit_price": "365.00", "start": "2026-03-31"}, "1.00"),
    ],
)  # fmt: skip
def test_every_shape_of_a_price_is_priced(more: dict[str, object], net: str) -> None:
    case = CASE | {"quantity": "1", "step": "1", "end": "2026-03-31", "schedule": "single"} | more
    answer = price_case(case)
    assert answer["net"] == net
    assert answer["explanation"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"shape": "round"}, "shape is"),
        ({"shape": "tiers"}, "terms is missing"),
        ({"shape": "tiers", "terms": []}, "terms is a list"),
        ({"shape": "tiers", "terms": {"tiers": [["1", "5.00"], ["1", "4.00"]]}}, "two prices would hold"),
        ({"shape": "per_pupil", "terms": {"base": "1.00", "each": "1.00"}}, "number of pupils"),
        ({"shape": "per_pupil", "terms": {"base": "1.00", "each": "1.00"}, "pupils": "9"}, "pupils is"),
        ({"shape": "per_pupil", "terms": {"base": "1.00", "each": "1.00"}, "absence": "x"}, "absence is"),
        ({"part_year": "weeks"}, "part_year is"),
    ],
)
def test_shapes_that_cannot_be_priced_are_refused(more: dict[str, object], says: str) -> None:
    with pytest.raises(Refused, match=says):
        price_case(CASE | more)
