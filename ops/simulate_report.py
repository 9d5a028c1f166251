"""The report of a simulation as tables, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from domain.simulation.report import Lengths, Report
from ops.simulate_compare import Compared


def show(console: Console, report: Report) -> None:
    """Print the report."""
    console.print(
        f"[bold]{report.deals:,} deals[/bold] under {report.playbook} with {report.behaviour}, "
        f"{report.days} days, seed {report.seed}: {report.events:,} events"
    )
    _table(
        console,
        "How they stand",
        ("", "deals", "share"),
        (
            (state.replace("_", " "), count, _share(count, report.deals))
            for state, count in report.states.items()
        ),
    )
    if report.lost:
        lost = ((reason.replace("_", " "), count) for reason, count in report.lost.items())
        _table(console, "Why they were lost", ("reason", "deals"), lost)
    _table(
        console,
        "Stages",
        ("stage", "reached", "share", "median days", "p90 days", "over target", "open there"),
        (
            (
                each.title,
                each.reached,
                f"{each.share} %",
                *_lengths(each.days),
                each.overdue,
                report.open_in.get(each.key, 0),
            )
            for each in report.stages
        ),
    )
    _clock(console, report)
    _approvals(console, report)
    handed = report.handoffs
    _table(
        console,
        "Hand-offs",
        ("begun", "returned", "accepted", "median days", "p90 days", "reminders", "follow-ups", "missed"),
        [
            (
                handed.begun,
                handed.returned,
                handed.accepted,
                *_lengths(handed.days),
                handed.reminded,
                handed.follow_ups_held,
                handed.follow_ups_missed,
            )
        ],
    )


def _clock(console: Console, report: Report) -> None:
    _table(
        console,
        "Time",
        ("tasks overdue", "check-ins held", "check-ins missed"),
        [(report.tasks_overdue, report.check_ins, report.check_ins_missed)],
    )
    if report.rungs:
        rungs = (
            (each.subject.value.replace("_", " "), each.rung, each.tell.label, each.count)
            for each in report.rungs
        )
        _table(console, "Ladders", ("about", "rung", "tells", "times"), rungs)


def _approvals(console: Console, report: Report) -> None:
    asked = report.approvals
    _table(
        console,
        "Approvals",
        ("discounts asked", "granted at once", "requests", *asked.ended, "median hours", "p90 hours"),
        [
            (
                asked.discounts_asked,
                asked.granted_at_once,
                asked.asked,
                *asked.ended.values(),
                *_lengths(asked.hours),
            )
        ],
    )
    if report.queues:
        queues = (
            (each.title, each.asked, each.decided, f"{each.mean:.2f}", each.longest, *_lengths(each.hours))
            for each in report.queues
        )
        names = ("queue", "asked", "decided", "mean length", "longest", "median hours", "p90 hours")
        _table(console, "Queues", names, queues)


def _lengths(found: Lengths) -> tuple[str, str]:
    return _number(found.median), _number(found.p90)


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:,}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _table(console: Console, title: str, names: Iterable[str], rows: Iterable[tuple[object, ...]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    console.print(table)


def show_compared(console: Console, compared: Compared) -> None:
    """Print what the real processes did otherwise, or that they did the same."""
    if not compared.differences:
        console.print(
            f"{compared.deals} of these through Temporal: the same {compared.events:,} events, in the same "
            f"order, at most {compared.apart_seconds:.1f} s apart."
        )
        return
    console.print(f"[bold]{len(compared.differences)} differences through Temporal[/bold]")
    for each in compared.differences:
        console.print(f"- {each}", markup=False, highlight=False)
