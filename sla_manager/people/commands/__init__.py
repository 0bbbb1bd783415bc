"""What changes the council, its services and officers, schools, people and roles."""

from sla_manager.people import constraints as constraints
from sla_manager.people.commands.officers import (
    add_officer,
    change_working_pattern,
    end_officer,
    set_link_officer,
)
from sla_manager.people.commands.persons import (
    add_person,
    change_order_limit,
    change_password,
    deactivate_person,
    end_role,
    grant_role,
    note_sign_in,
    reactivate_person,
    request_password_link,
    set_password_by_link,
)
from sla_manager.people.commands.provider import (
    add_service,
    add_term,
    change_customer,
    change_provider,
    change_service,
    create_provider,
    override_customer_class,
    withdraw_term,
)
from sla_manager.people.commands.register import (
    ImportReport,
    RowOutcome,
    forget_upload,
    import_schools,
    import_upload,
    keep_upload,
    preview_schools,
)

__all__ = [
    "ImportReport",
    "RowOutcome",
    "add_officer",
    "add_person",
    "add_service",
    "add_term",
    "change_customer",
    "change_order_limit",
    "change_password",
    "change_provider",
    "change_service",
    "change_working_pattern",
    "create_provider",
    "deactivate_person",
    "end_officer",
    "end_role",
    "forget_upload",
    "grant_role",
    "import_schools",
    "import_upload",
    "keep_upload",
    "note_sign_in",
    "override_customer_class",
    "preview_schools",
    "reactivate_person",
    "request_password_link",
    "set_link_officer",
    "set_password_by_link",
    "withdraw_term",
]
