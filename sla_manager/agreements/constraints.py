"""What the database's rules on agreements and ledgers say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

_CORE = "This is part of the free core offer. It cannot be bought, invoiced or taken off bought time."

says("ck_agreement_line_core_is_free", _CORE, field="offering")
says("fk_agreement_line_offering_id_family", _CORE, field="offering")
says("ck_tranche_core_is_free", _CORE)
says("fk_tranche_line_id_family", _CORE)
says("ck_agreement_ends_after_start", "An agreement ends after it starts.", field="ends_on")
says("ck_agreement_line_quantity", "Enter a quantity above 0.", field="quantity")
says(
    "agreement_is_signed",
    "What was quoted or signed never changes. Make a new version or a variation.",
    kind=Conflict,
)
says("agreement_move_not_allowed", "Somebody else has moved this on. Look at it again.", kind=Conflict)
says("agreement(once_key)", "This was sent already: there is one order.", kind=Conflict)
says(
    "agreement(replaces_id)",
    "Somebody else has replaced this quote already. Look at the newer one.",
    kind=Conflict,
)
says(
    "uq_agreement_replaces_id",
    "Somebody else has replaced this quote already. Look at the newer one.",
    kind=Conflict,
)
says("acceptance(agreement_id)", "This was ordered already: there is one order.", kind=Conflict)
says("balance_below_nothing", "There is not that much time left.", field="minutes")
says(
    "year_is_closed",
    "This financial year is closed: nothing more goes into its ledgers.",
    field="effective_on",
)
says(
    "delivered_in_its_year",
    "Time counts in the year in which it was delivered. Choose that year.",
    field="effective_on",
)
says("ledger_entry(tranche_id, cause)", "This is in the ledger already.", kind=Conflict)
says("uq_ledger_entry_cause", "This is in the ledger already.", kind=Conflict)
says("ledger_entry(reverses_id)", "This entry was undone already.", kind=Conflict)
says("uq_ledger_entry_reverses_id", "This entry was undone already.", kind=Conflict)
says("year_close(year)", "This financial year is closed already.", kind=Conflict)
says(
    "instalment_is_dropped",
    "This instalment is not billed any more: its agreement ended before it.",
    kind=Conflict,
)
says("instalment_is_billed", "An instalment was billed meanwhile. Look at the figures again.", kind=Conflict)
says("termination(agreement_id)", "This agreement ends early already.", kind=Conflict)
says("uq_termination_agreement_id", "This agreement ends early already.", kind=Conflict)
says("transfer(from_agreement_id)", "This agreement has gone on already.", kind=Conflict)
says("uq_transfer_from_agreement_id", "This agreement has gone on already.", kind=Conflict)
says("variation_proposal_is_over", "This change was decided already. Ask for a new one.", kind=Conflict)
says("variation_proposal(once_key)", "This was sent already: there is one proposal.", kind=Conflict)
says("school_change_is_decided", "This change was decided already.", kind=Conflict)
says(
    "uq_school_change_from_school_id_kind_effective_on", "This change is on the list already.", kind=Conflict
)
says(
    "school_change(from_school_id, kind, effective_on)", "This change is on the list already.", kind=Conflict
)
says("variation(once_key)", "This was sent already: there is one variation.", kind=Conflict)
says("season(service_id, starts_on)", "There is a season that begins on this day already.", field="starts_on")
says(
    "uq_season_service_id_starts_on", "There is a season that begins on this day already.", field="starts_on"
)
says("ck_season_dates_in_order", "Let schools see, order and be due in this order.", field="submit_from")
says("renewal(season_id, school_id)", "This school has its renewal in this season.", kind=Conflict)
says("uq_renewal_season_id_school_id", "This school has its renewal in this season.", kind=Conflict)
says("renewal_is_answered", "This renewal was ordered already. Ask for a variation.", kind=Conflict)
says("renewal_notice(agreement_id)", "Notice was given already.", kind=Conflict)
says("uq_renewal_notice_agreement_id", "Notice was given already.", kind=Conflict)
says("automatic_renewal(agreement_id)", "This agreement has renewed already.", kind=Conflict)
says("uq_automatic_renewal_agreement_id", "This agreement has renewed already.", kind=Conflict)
for _table in (
    "renewal_notice",
    "automatic_renewal",
    "tranche",
    "ledger_entry",
    "acceptance",
    "agreement_version",
    "agreement_file",
    "variation",
    "instalment",
    "instalment_part",
    "year_close",
    "termination",
    "dropped_instalment",
    "transfer",
    "variation_proposal",
):
    says(f"append_only_{_table}", "What is in the books is never changed. Add a correction.", kind=Conflict)
says(
    "taken_row_of_an_import", "A row of a spreadsheet becomes an agreement of its own service.", kind=Conflict
)
says("takeover_is_done", "This file is taken over. What was done stays.", kind=Conflict)
for _rule in ("taken_row(service_id, sha256, row)", "uq_taken_row_service_id_sha256_row"):
    says(_rule, "This row of this file was taken over already.", kind=Conflict)
for _table in ("taken_row", "parallel_run"):
    says(f"append_only_{_table}", "What is in the books is never changed. Add a correction.", kind=Conflict)
says("basket_is_quoted", "This basket has become a quote. Change the quote to go on.", kind=Conflict)
for _rule in ("uq_basket_open", "basket(service_id, school_id)"):
    says(_rule, "Somebody else began a basket at this moment. Open it and add to it.", kind=Conflict)
says("approval_is_decided", "This was decided already.", kind=Conflict)
says("ck_approval_somebody_else", "Nobody approves her own order. Ask somebody else.")
for _rule in ("uq_approval_open", "approval(agreement_id)"):
    says(_rule, "Somebody is asked for this already.", kind=Conflict)
for _rule in ("uq_paper_key", "paper(key)", "uq_paper_file_paper_id", "paper_file(paper_id)"):
    says(_rule, "This paper is there already.", kind=Conflict)
for _table in ("paper", "paper_file", "approval"):
    says(f"append_only_{_table}", "What is in the books is never changed. Add a correction.", kind=Conflict)
