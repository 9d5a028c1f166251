"""`tandem replay-log`: the approvals of another organisation's event log, played through our own approval."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.approval_log.process import Process, learn
from domain.approval_log.reading import History, LogEvent, histories, parse_activity, parse_instant
from domain.approval_log.replay import Replayed, Verdict, replay_case
from domain.crm_import.records import Row
from ops.crm_files import InvalidExport, read_sheet
from runtime import cel

CASE, ACTIVITY, TIMESTAMP = "case:concept:name", "concept:name", "time:timestamp"
"""The columns that are needed, by their names in XES (IEEE 1849). All others may be absent."""
TRANSITION, COMPLETE = "lifecycle:transition", "complete"
"""Where a log says when an activity was scheduled, began and was complete, the last counts."""

Cases = dict[str, list[LogEvent]]
"""The approvals' events by case, in the file's order; a case may have none."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log as read: its cases, and how many events of all kinds it has."""

    cases: Cases
    events: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a log. `played` is by case; `happened` counts the events of our approvals."""

    log: Log
    processes: dict[str, Process]
    played: dict[str, Replayed]
    seconds: float

    def count(self, verdict: Verdict) -> int:
        return sum(each.verdict is verdict for each in self.played.values())

    @property
    def happened(self) -> int:
        return sum(each.happened for each in self.played.values())

    def parted(self, verdict: Verdict) -> dict[str, list[str]]:
        """The cases with this verdict by their reason, the most frequent first."""
        found: dict[str, list[str]] = {}
        for case, each in self.played.items():
            if each.verdict is verdict:
                found.setdefault(each.reason or "", []).append(case)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))

    def as_dict(self) -> dict[str, Any]:
        """The numbers, and each case that does not agree, with the line where it and the approval part."""
        return {
            "cases": len(self.played),
            **{verdict.value: self.count(verdict) for verdict in _TOLD},
            "seconds": round(self.seconds, 3),
            "listed": [
                {"case": case, "verdict": each.verdict.value, "reason": each.reason, "line": each.line}
                for case, each in self.played.items()
                if each.verdict is not Verdict.AGREES
            ],
        }


_TOLD = (Verdict.AGREES, Verdict.DISAGREES, Verdict.INEXPRESSIBLE)


def read_log(path: Path) -> Log:
    """The approvals' events of a log in CSV, gzipped or not.

    Raises:
        InvalidExport: it cannot be read; the sentence names the line.
    """
    rows = read_sheet(path, (CASE, ACTIVITY, TIMESTAMP), advice="Name the columns as XES does.")
    cases: Cases = {}
    for row in rows:
        _check(row)
        events = cases.setdefault(row.cells[CASE].strip(), [])
        if (event := _event(row)) is not None:
            events.append(event)
    if not cases:
        raise InvalidExport(f"{path.name} has a heading and no events.")
    return Log(cases, len(rows))


def _check(row: Row) -> None:
    """Raises: InvalidExport, where a row is broken."""
    wrong = row.wrong
    for column in () if wrong else (CASE, ACTIVITY, TIMESTAMP):
        if not row.cells[column].strip():
            wrong = f"{column} is empty"
    if wrong:
        raise InvalidExport(f"{row.file}, line {row.line}: {wrong}. Correct the row, or take it out.")


def _event(row: Row) -> LogEvent | None:
    """The row as something that happened in an approval; None for other activities.

    Raises:
        InvalidExport: its time cannot be read.
    """
    try:
        at = parse_instant(row.cells[TIMESTAMP])
    except ValueError:
        text = row.cells[TIMESTAMP][:40]
        raise InvalidExport(
            f"{row.file}, line {row.line}: {text!r} in {TIMESTAMP} is no time. "
            "Write it as 2017-01-09T09:49:50+01:00."
        ) from None
    said = parse_activity(row.cells[ACTIVITY])
    if (row.cells.get(TRANSITION) or COMPLETE).lower() != COMPLETE:
        return None
    return LogEvent(said.document, said.act, said.role, at, row.line) if said is not None else None


def learn_all(log: Log) -> dict[str, Process]:
    """The process of each kind of document on which somebody decided."""
    found: dict[str, list[History]] = {}
    for events in log.cases.values():
        for document, history in histories(events).items():
            found.setdefault(document, []).append(history)
    learned = (learn(document, each) for document, each in found.items())
    return {process.document: process for process in learned if process.roles}


def replay_log(path: Path) -> Report:
    """Read a log, learn its processes, and play every case.

    Raises:
        InvalidExport: the file cannot be read, or holds no approvals.
    """
    began = time.perf_counter()
    log = read_log(path)
    processes = learn_all(log)
    if not processes:
        raise InvalidExport(
            f"{path.name} has no approvals: no {ACTIVITY} reads like “Declaration APPROVED by SUPERVISOR”."
        )
    played = {case: replay_case(processes, each, cel.answer, case) for case, each in log.cases.items()}
    return Report(log, processes, played, time.perf_counter() - began)


def report(found: Report, *, as_json: bool = False, verbose: bool = False) -> str:
    """The report for people, or as JSON; `verbose` adds the policies that the log was expressed as."""
    if as_json:
        return json.dumps(found.as_dict(), ensure_ascii=False)
    lines = [*_policies(found)] if verbose else []
    lines += _numbers(found)
    for verdict in (Verdict.DISAGREES, Verdict.INEXPRESSIBLE):
        for reason, cases in found.parted(verdict).items():
            lines += ["", f"{verdict.value}: {len(cases):,} × {reason}", f"  {', '.join(cases)}"]
    return "\n".join(lines)


def _numbers(found: Report) -> Iterator[str]:
    yield f"{len(found.played):,} cases, {found.log.events:,} events, {found.seconds:.1f} s"
    for verdict in _TOLD:
        yield f"  {verdict.value:<14}{found.count(verdict):>8,}"
    yield "How the cases that agree ended:"
    agreed = [each for each in found.played.values() if each.verdict is Verdict.AGREES]
    for outcome, times in Counter(each.outcome for each in agreed).most_common():
        yield f"  {outcome.value:<40}{times:>8,}"
    yield f"  {'returned and submitted again, of these':<40}{sum(each.came_again for each in agreed):>8,}"


def _policies(found: Report) -> Iterator[str]:
    """Each document's process, in words and as steps."""
    for process in found.processes.values():
        yield f"{process.document}: asked by {', '.join(sorted(process.requesters))}"
        for step in process.templates:
            after = f" after {', '.join(step.after)}" if step.after else ""
            yield f"  {step.key}{after}, when: {step.words}"
        for earlier, usual in process.against_usual:
            yield f"  In this log {earlier} decides before {usual}; usually it is the other way round."
        yield f"  The last word: {', '.join(process.last_words)}"
        goes = "goes back to the requester" if process.rejections_return else "is the end"
        yield f"  What is rejected {goes}."
        yield ""
    yield f"{found.happened:,} events happened in the approvals that were played."
    yield ""
