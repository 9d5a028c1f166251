"""People, accounts and products by name: what deals may speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from domain.crm_import.fields import Fields
from domain.crm_import.parsers import folded
from domain.crm_import.records import Reject
from domain.crm_import.values import BadValue, echo, name

T = TypeVar("T")


class Known(Generic[T]):
    """Things by name, without regard to case, and by the aliases in the mapping's section `values`.

    `file` is where they are listed. Where the export does not list them, they are
    whatever a deal names, made by `make`.
    """

    def __init__(
        self,
        what: str,
        *,
        file: str | None,
        section: str,
        aliases: Mapping[str, str],
        make: Callable[[str], T],
    ) -> None:
        self._what = what
        self._file = file
        self._section = section
        self._aliases = folded(aliases)
        self._make = make
        self._things: dict[str, T] = {}
        self._lines: dict[str, int] = {}

    def new_name(self, fields: Fields, column: str) -> str | None:
        """The name in a row of the list; noted as wrong where it is blank, bad or there before."""
        found = fields.required(column, self.meant)
        if found is None:
            return None
        first = self._lines.setdefault(found.casefold(), fields.row.line)
        if first != fields.row.line:
            fields.refuse(column, f"{echo(found)} is there already on line {first}")
        return found

    def keep(self, fields: Fields, found: str | None, make: Callable[[str], T]) -> Reject | None:
        """Take the row's thing under its name, or answer the reject when something was wrong."""
        if fields.problems or found is None:
            return fields.reject(found)
        self._things[found.casefold()] = make(found)
        return None

    def find(self, text: str) -> T:
        """The thing of this name. Raises `BadValue` where there is none, saying what can be done."""
        found = self.meant(text)
        key = found.casefold()
        if key not in self._things and self._file is None:
            self._things[key] = self._make(found)
        if key in self._things:
            return self._things[key]
        if key in self._lines:
            raise BadValue(f"{echo(found)} was refused itself ({self._file}, line {self._lines[key]})")
        raise BadValue(
            f"{echo(found)} is no {self._what} in {self._file}; "
            f"add it there, or its right name under values.{self._section} in the mapping"
        )

    def all(self) -> list[T]:
        return list(self._things.values())

    def meant(self, text: str) -> str:
        """The name behind a spelling. Raises `BadValue` for what is no name."""
        tidy = name(text)
        return self._aliases.get(tidy.casefold(), tidy)
