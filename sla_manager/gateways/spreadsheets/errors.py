"""What is wrong with a spreadsheet that cannot be read."""

from __future__ import annotations

from sla_manager.kernel.errors import Refused


class UnreadableSpreadsheet(Refused):
    """The file is no CSV file and no Excel workbook that we read; nothing of it was kept."""

    def __init__(self, why: str, what_to_do: str = "Save it as an Excel workbook (.xlsx) or as CSV.") -> None:
        super().__init__(f"{why} {what_to_do}", field="file")


class TooLarge(UnreadableSpreadsheet):
    """More than a spreadsheet of agreements ever holds: a mistake, or an attack (S13)."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The file has {what}.", "Keep the rows and columns that are needed and try again.")
