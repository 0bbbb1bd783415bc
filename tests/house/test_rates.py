"""Who may see a rate: nobody reaches a page with prices but by a role that says so, and officers have none (S2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sla_manager.people.rules.roles import GRANTS, OPENS_RATES, Permission, Role

OFFICER_PAGES = sorted((Path(__file__).parent.parent.parent / "templates" / "officer").glob("*.html"))


@pytest.mark.parametrize("role", Role)
def test_s2_a_role_that_opens_pages_with_prices_is_allowed_to_see_them(role: Role) -> None:
    assert not GRANTS[role] & OPENS_RATES or Permission.SEE_RATES in GRANTS[role]


def test_s2_an_officer_may_see_no_rate_and_her_pages_print_none() -> None:
    assert Permission.SEE_RATES not in GRANTS[Role.OFFICER]
    assert OFFICER_PAGES
    for page in OFFICER_PAGES:
        words = page.read_text(encoding="utf-8")
        assert "money" not in words, page.name
        assert "price" not in words, page.name
        assert "net" not in words.replace("none", "").split(), page.name
