"""The school's own proof packs."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import in_school
from sla_manager.web.proof_packs import download, headers, make_pack, pack_of, pack_year, pack_years
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu


@blueprint.get("/<int:urn>/proof-packs")
@in_school(Permission.SEE_SCHOOL)
def proof_packs(school: School) -> str:
    """List the years of which the school can have everything in one file."""
    return render_template(
        "school/proof_packs.html",
        navigation=school_menu(school),
        school=school,
        years=pack_years(school),
    )


@blueprint.route("/<int:urn>/proof-packs/<year>", methods=["GET", "POST"])
@in_school(Permission.SEE_SCHOOL)
def proof_pack(school: School, year: str) -> ResponseReturnValue:
    """Show whether a pack is made, and make one."""
    wanted = pack_year(school, year)
    here = url_for("school.proof_pack", urn=school.urn, year=str(wanted))
    form = BaseForm()
    if form.is_sent():
        make_pack(school, wanted)
        return redirect(here, 303)
    errand, made = pack_of(school, wanted)
    stay = request.args.get("stay") == "yes"
    page = render_template(
        "finance/proof_pack.html",
        navigation=school_menu(school),
        school=school,
        year=wanted,
        errand=errand,
        made=made,
        form=form,
        here=here,
        stay=stay,
        file=url_for("school.proof_pack_file", urn=school.urn, year=str(wanted)),
        back=url_for("school.proof_packs", urn=school.urn),
        back_text="Proof packs",
    )
    return Response(page, headers=headers(errand, stay=stay))


@blueprint.get("/<int:urn>/proof-packs/<year>/file")
@in_school(Permission.SEE_SCHOOL)
def proof_pack_file(school: School, year: str) -> ResponseReturnValue:
    """Hand out the pack that was made."""
    wanted = pack_year(school, year)
    return download(school, wanted, url_for("school.proof_pack", urn=school.urn, year=str(wanted)))
