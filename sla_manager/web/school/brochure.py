"""The brochure of a service with this school's prices, as a file."""

from __future__ import annotations

from flask import Response, request

from sla_manager.agreements.documents.brochures import brochure_of_school
from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import School
from sla_manager.people.queries import services
from sla_manager.people.rules.roles import Permission
from sla_manager.web.brochures import brochure_pdf
from sla_manager.web.guard import in_school
from sla_manager.web.pages import reading, today
from sla_manager.web.school import blueprint


@blueprint.get("/<int:urn>/brochure.pdf")
@in_school(Permission.SEE_CATALOGUE)
def brochure(school: School) -> Response:
    """Print a service's brochure for this school; without a service the first by name."""
    session = reading()
    asked = request.args.get("service")
    service = next((one for one in services(session) if asked in (None, one.code)), None)
    if service is None:
        raise NotFound
    facts = brochure_of_school(session, service, school, today=today())
    return brochure_pdf(facts, f"{service.code}-brochure-{school.urn}-{today()}")
