"""Reading one row: every value that is wrong is noted, so that a reject says all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from domain.crm_import.records import Reject, Row
from domain.crm_import.values import BadValue, clean

T = TypeVar("T")
MAX_CUSTOM = 1000


class Fields:
    """The cells of a row while they are read."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.problems: list[tuple[str, str]] = []

    def is_blank(self, column: str | None) -> bool:
        return column is None or not self.row.cells[column].strip()

    def required(self, column: str, parse: Callable[[str], T]) -> T | None:
        """The value; None, with a problem noted, where it is blank or wrong."""
        if self.is_blank(column):
            self.refuse(column, "is empty")
        return self.optional(column, parse)

    def optional(self, column: str | None, parse: Callable[[str], T]) -> T | None:
        """The value; None where it is blank, or wrong, which is noted."""
        if column is None or self.is_blank(column):
            return None
        try:
            return parse(self.row.cells[column])
        except BadValue as bad:
            self.refuse(column, str(bad))
            return None

    def custom(self, columns: Mapping[str, str]) -> dict[str, str]:
        """The columns that are kept as they are; blanks are left out."""
        found = {key: self.optional(column, _kept) for key, column in columns.items()}
        return {key: value for key, value in found.items() if value}

    def refuse(self, column: str, reason: str) -> None:
        self.problems.append((column, reason))

    def reject(self, key: str | None) -> Reject:
        """The row as a reject, with all that is wrong with it."""
        reason = "; ".join(f"{column} {why}" for column, why in self.problems)
        return Reject(
            self.row, key or "", tuple(dict.fromkeys(column for column, _ in self.problems)), reason
        )


def _kept(text: str) -> str:
    tidy = clean(text)
    if len(tidy) > MAX_CUSTOM:
        raise BadValue(f"is {len(tidy):,} characters long; at most {MAX_CUSTOM:,} are taken")
    return tidy
