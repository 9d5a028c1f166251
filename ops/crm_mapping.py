"""Mapping files: YAML read into `ImportMapping`, and checked against what is known here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.numbers import list_currencies

from domain.crm_import.mapping import ImportMapping
from domain.crm_import.parsers import World
from domain.playbook import Playbook
from runtime.documents import Document, InvalidDocument, parse, read_document, read_text

_COUNTRY_CODE_LENGTH = 2


class InvalidMapping(InvalidDocument):
    """A mapping file that cannot be used as it is; `errors` says every reason and where."""

    title = "The mapping is not valid"


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping, and where each part of it stands in its file."""

    mapping: ImportMapping
    document: Document
    zone: tzinfo

    def check(self, playbook: Playbook) -> None:
        """Raise `InvalidMapping` for stages that the playbook does not have."""
        known = [stage.key for stage in playbook.stages]
        problems = [
            self.document.problem(
                ("stages", name, "stage"),
                f"the playbook {playbook.key} has no stage '{meaning.stage}'; it has {', '.join(known)}",
            )
            for name, meaning in self.mapping.stages.items()
            if meaning.stage is not None and meaning.stage not in known
        ]
        if problems:
            raise InvalidMapping(problems)

    def world(self, today: date) -> World:
        """What the rules of the import need to know."""
        return World(today=today, zone=self.zone, countries=countries())


def read_mapping(path: Path) -> MappingFile:
    """The mapping in a file.

    Raises:
        InvalidMapping: with every problem found, each with its line and field.
    """
    try:
        document = read_document(read_text(path), str(path))
        mapping = parse(document, ImportMapping)
    except InvalidDocument as invalid:
        raise InvalidMapping(invalid.problems) from None
    problems = []
    if mapping.currency not in list_currencies():
        problems.append(
            document.problem(("currency",), f"there is no currency {mapping.currency} (ISO 4217)")
        )
    zone = _zone(mapping.time_zone)
    if zone is None:
        detail = f"there is no time zone '{mapping.time_zone}'; write it like Europe/Berlin"
        problems.append(document.problem(("time_zone",), detail))
    if problems or zone is None:
        raise InvalidMapping(problems)
    return MappingFile(mapping, document, zone)


def countries() -> dict[str, str]:
    """ISO 3166-1 codes by case-folded English name, and by the code itself."""
    names = {code: name for code, name in Locale("en").territories.items() if _is_country(code)}
    return {name.casefold(): code for code, name in names.items()} | {code.casefold(): code for code in names}


def _is_country(code: str) -> bool:
    """Two letters; but not the codes that Unicode keeps for no country (XA, ZZ …)."""
    return (
        len(code) == _COUNTRY_CODE_LENGTH
        and code.isalpha()
        and code not in {"EU", "EZ", "UN", "XA", "XB", "ZZ"}
    )


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
