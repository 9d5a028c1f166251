"""What an import did, in numbers that add up, and how far it is while it runs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Advance = Callable[[str, int, int], None]
"""Says how far a step is: what, done, of how many."""


def silent(what: str, done: int, total: int) -> None:
    """Say nothing: for scripts and tests."""


@dataclass(slots=True)
class Tally:
    """What became of the rows of one kind; `rows` is the sum of the other three."""

    rows: int = 0
    imported: int = 0
    already_there: int = 0
    rejected: int = 0


def deals_by_status() -> dict[str, Tally]:
    return {"open": Tally(), "won": Tally(), "lost": Tally()}


@dataclass(slots=True)
class Report:
    """The outcome of an import, or of a dry run: then `imported` is what would have been."""

    source: str
    playbook: str
    playbook_version: int
    dry_run: bool
    people: Tally = field(default_factory=Tally)
    accounts: Tally = field(default_factory=Tally)
    opportunities: Tally = field(default_factory=Tally)
    taken: dict[str, Tally] = field(default_factory=deals_by_status)
    """The deals that were not rejected, by their status in the export."""
    products: Tally = field(default_factory=Tally)
    """Products are read, and kept with each deal: `imported` stays 0, and `already_there` too."""
    rejects_file: Path | None = None
    seconds: float = 0.0

    @property
    def rejected(self) -> int:
        parts = (self.people, self.accounts, self.products, self.opportunities)
        return sum(part.rejected for part in parts)

    def as_dict(self) -> dict[str, Any]:
        told = asdict(self)
        told["products"] = {"rows": self.products.rows, "rejected": self.products.rejected}
        told["taken"] = {
            status: {"imported": tally.imported, "already_there": tally.already_there}
            for status, tally in self.taken.items()
        }
        return told | {"rejects_file": str(self.rejects_file) if self.rejects_file else None}


def show(report: Report) -> None:
    """The report as a table on standard output, with a sentence about what to do next."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in (
        "Rows",
        "Would be imported" if report.dry_run else "Imported",
        "Already there",
        "Rejected",
    ):
        table.add_column(heading, justify="right")
    for name, tally in (("People", report.people), ("Accounts", report.accounts)):
        if tally.rows or tally.imported:
            _add(table, name, tally.rows, tally.imported, tally.already_there, tally.rejected)
    deals = report.opportunities
    _add(table, "Opportunities", deals.rows, deals.imported, deals.already_there, deals.rejected)
    for status, tally in report.taken.items():
        _add(table, f"  {status}", None, tally.imported, tally.already_there, None)
    console.print(table)
    for sentence in _sentences(report):
        console.print(sentence, markup=False)


def _add(table: Table, name: str, *numbers: int | None) -> None:
    table.add_row(name, *("" if number is None else f"{number:,}" for number in numbers))


def _sentences(report: Report) -> Iterator[str]:
    yield ""
    if report.rejects_file:
        rows = "1 row is" if report.rejected == 1 else f"{report.rejected:,} rows are"
        yield f"{rows} rejected, each with its reason, in {report.rejects_file}."
    if report.dry_run:
        yield "Nothing was changed. Without --dry-run it would be."
    elif report.rejected:
        yield "Correct the export or the mapping and run it again: what is there already stays as it is."
    yield f"{report.seconds:.1f} s, playbook {report.playbook} version {report.playbook_version}."


@contextlib.contextmanager
def progress_on_terminal() -> Iterator[Advance]:
    """Bars on standard error where that is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield silent
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield advance
