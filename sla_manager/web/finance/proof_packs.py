"""Proof packs of any school, for finance and auditors."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.people.queries import SchoolSearch, school_by_urn, schools_page
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, FilterForm, TextField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import reading
from sla_manager.web.proof_packs import download, headers, make_pack, pack_of, pack_year, years_bought


class SchoolFilter(FilterForm):
    """Whose pack."""

    q = TextField("School’s name or number (URN)")


@blueprint.get("/proof-packs")
@permitted(Permission.SEE_DOCUMENTS)
def proof_packs() -> str:
    """Find a school, and the years in which it bought something."""
    form = SchoolFilter.of_request()
    asked = (form.q.data or "").strip()
    found = schools_page(reading(), SchoolSearch(text=asked), size=20)[0] if len(asked) >= 2 else []
    years = years_bought(found)
    return render_template(
        "finance/proof_packs.html",
        navigation=finance_menu(),
        filter=form,
        asked=asked,
        found=[(school, years[school.id]) for school in found],
    )


@blueprint.route("/proof-packs/<int:urn>/<year>", methods=["GET", "POST"])
@permitted(Permission.SEE_DOCUMENTS)
def proof_pack(urn: int, year: str) -> ResponseReturnValue:
    """Show whether a pack is made, and make one."""
    school = school_by_urn(reading(), urn)
    wanted = pack_year(school, year)
    here = url_for("finance.proof_pack", urn=urn, year=str(wanted))
    form = BaseForm()
    if form.is_sent():
        make_pack(school, wanted)
        return redirect(here, 303)
    errand, made = pack_of(school, wanted)
    stay = request.args.get("stay") == "yes"
    page = render_template(
        "finance/proof_pack.html",
        navigation=finance_menu(),
        school=school,
        year=wanted,
        errand=errand,
        made=made,
        form=form,
        here=here,
        stay=stay,
        file=url_for("finance.proof_pack_file", urn=urn, year=str(wanted)),
        back=url_for("finance.proof_packs", q=school.urn),
        back_text="Proof packs",
    )
    return Response(page, headers=headers(errand, stay=stay))


@blueprint.get("/proof-packs/<int:urn>/<year>/file")
@permitted(Permission.SEE_DOCUMENTS)
def proof_pack_file(urn: int, year: str) -> ResponseReturnValue:
    """Hand out the pack that was made."""
    school = school_by_urn(reading(), urn)
    wanted = pack_year(school, year)
    return download(school, wanted, url_for("finance.proof_pack", urn=urn, year=str(wanted)))
