"""Figures to try rules on: amounts, weights, terms, quantities on a step."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period

pence = st.integers(min_value=0, max_value=10_000_000_00)
amounts = pence.map(Money)
steps = st.sampled_from([Decimal("0.25"), Decimal("0.5"), Decimal(1), Decimal("2.5")])
days = st.dates(min_value=date(2015, 1, 1), max_value=date(2035, 12, 31))


@st.composite
def terms(draw: st.DrawFn, *, longest: int = 1500) -> Period:
    """Draw a term of one day to a few years."""
    start = draw(days)
    return Period(start, start + timedelta(days=draw(st.integers(min_value=1, max_value=longest))))


weights = st.one_of(
    st.integers(min_value=1, max_value=12).map(lambda parts: [1] * parts),
    st.just([7, 5]),
    st.lists(st.integers(min_value=0, max_value=60), min_size=1, max_size=8).filter(any),
    st.lists(st.fractions(min_value=0, max_value=12, max_denominator=31), min_size=1, max_size=6).filter(any),
)
