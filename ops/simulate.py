"""`tandem simulate`: a playbook and a policy tried with people who behave as a file says."""

from __future__ import annotations

import gc
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from multiprocessing import get_context
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from domain.calendar import Calendar, pinned
from domain.discount.policy import DiscountPolicy
from domain.errors import InvalidInput, NotFound
from domain.playbook import Playbook, PlaybookDefinition
from domain.simulation.behaviour import Behaviour
from domain.simulation.cast import Period
from domain.simulation.simulate import Played, Simulated, play, shares, together
from domain.simulation.world import Trial
from ops import published, simulate_report
from runtime import aio, cel
from runtime.behaviours import behaviour_schema, read_behaviour
from runtime.holidays import public_holidays
from runtime.playbooks import read_playbook
from runtime.policies import RULES, read_policy

MOST_DEALS = 100_000
MOST_DAYS = 3650
WORTH_A_PROCESS = 200
"""So many deals take longer than a second process takes to start."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried, as the command line says it: files, or names of what ships."""

    playbook: str
    behaviour: str
    policy: str | None = None
    deals: int = 100
    days: int = 365
    seed: int = 1


def schema_text() -> str:
    """The JSON Schema of a behaviour file, as it is committed beside the examples."""
    return json.dumps(behaviour_schema(), indent=2) + "\n"


def shipped_behaviours() -> list[Path]:
    """The behaviour files that come with Tandem, by name."""
    return published.shipped("behaviours")


def located(name: str, folder: str) -> Path:
    """The file of this name, or what ships under it.

    Raises:
        NotFound: there is neither; the sentence says what ships.
    """
    file = Path(name)
    shipped = {each.stem: each for each in published.shipped(folder)}
    if file.is_file():
        return file
    if name not in shipped:
        raise NotFound(
            f"There is no {folder.removesuffix('s').replace('policie', 'policy')} “{name}”: "
            f"give a file, or one that ships with Tandem ({', '.join(shipped)})."
        )
    return shipped[name]


def trial_of(wanted: Wanted) -> Trial:
    """What the files say, ready to be played.

    Raises:
        InvalidInput: no deals, or no days; or too many.
        NotFound: a file is not there, or the playbook's policy does not ship with Tandem.
        InvalidDocument: a file is not valid; each problem with its line and field.
    """
    _within(wanted.deals, MOST_DEALS, "deals")
    _within(wanted.days, MOST_DAYS, "days")
    book = read_playbook(located(wanted.playbook, "playbooks"))
    policy = read_policy(located(wanted.policy or book.discount_policy, "policies"))
    behaviour = read_behaviour(located(wanted.behaviour, "behaviours"), book, policy)
    begins = datetime.combine(behaviour.starts, time(), UTC)
    ends = begins + timedelta(days=wanted.days)
    return Trial(
        playbook=_version(book),
        policy=DiscountPolicy.model_validate({**policy.model_dump(), "version": 1}),
        behaviour=behaviour,
        calendar=calendar_of(behaviour, begins.year, ends.year + 1),
        period=Period(begins, ends, str(wanted.seed)),
        deals=wanted.deals,
        holds=cel.holds,
        reads=_reads,
        rules=RULES,
    )


def _within(number: int, most: int, what: str) -> None:
    if not 1 <= number <= most:
        raise InvalidInput(f"A simulation takes from 1 to {most:,} {what}, not {number:,}.")


def _version(book: PlaybookDefinition) -> Playbook:
    """The draft as if it were published."""
    return Playbook.model_validate({**book.model_dump(), "version": 1})


def calendar_of(behaviour: Behaviour, first: int, last: int) -> Calendar:
    """When people work in these years: office hours in the behaviour's zone, without its holidays."""
    years = range(first, last + 1)
    days = public_holidays(behaviour.country, None, years) if behaviour.country else ()
    calendar = Calendar(zone=behaviour.zone, holidays=days)
    return pinned(calendar, date(first, 1, 1), date(last, 12, 31))


def _reads(rule: str) -> frozenset[str]:
    """The facts of a deal that the rule of a playbook asks for."""
    return cel.reads(rule, cel.SAMPLE_FACTS)


def play_all(wanted: Wanted, trial: Trial, keep: int) -> Simulated:
    """Play it, with a progress bar on a terminal; large ones on two processors, with the same outcome."""
    gc.set_threshold(aio.GARBAGE)
    apart = 2 if wanted.deals >= WORTH_A_PROCESS and (os.cpu_count() or 1) > 1 else 1
    first, *others = shares(trial, apart)
    fresh = get_context("spawn")
    with (
        ProcessPoolExecutor(max_workers=1, mp_context=fresh) as beside,
        Progress(disable=not sys.stdout.isatty(), transient=True) as progress,
    ):
        played = [beside.submit(_play_some, wanted, numbers, keep) for numbers in others]
        bar = progress.add_task(f"{trial.deals:,} deals", total=1.0)

        def told(share: float) -> None:
            progress.update(bar, completed=share)

        here = play(trial, first, told, keep)
        return together(trial, wanted.seed, [here, *(each.result() for each in played)])


def _play_some(wanted: Wanted, numbers: list[int], keep: int) -> Played:
    """Play some of the deals, in a process of its own."""
    gc.set_threshold(aio.GARBAGE)
    return play(trial_of(wanted), numbers, lambda _share: None, keep)


def run(wanted: Wanted, *, through_temporal: int, as_json: bool) -> None:
    """Play it and say what came of it; with `through_temporal`, so many deals through the real processes.

    Exits with 1 where these did something else.
    """
    trial = trial_of(wanted)
    if not 0 <= through_temporal <= wanted.deals:
        raise InvalidInput(
            f"Of {wanted.deals:,} deals, {through_temporal:,} cannot be played through Temporal; "
            f"give a number up to {wanted.deals:,}."
        )
    found = play_all(wanted, trial, through_temporal)
    compared = None
    if through_temporal:
        from ops.simulate_temporal import replay_through_temporal  # noqa: PLC0415 - loads all processes

        compared = aio.run(replay_through_temporal(trial, found, through_temporal))
    if as_json:
        answer = found.report.model_dump(mode="json")
        extra = {"through_temporal": compared.as_dict()} if compared else {}
        typer.echo(json.dumps({**answer, **extra}, indent=2))
    else:
        console = Console()
        simulate_report.show(console, found.report)
        if compared:
            simulate_report.show_compared(console, compared)
    if compared and compared.differences:
        raise typer.Exit(1)


def validate(files: list[Path], *, as_json: bool) -> None:
    """Say what is wrong with behaviour files, or that nothing is. Exits with 1 when something is."""
    well = f"{len(files)} {'behaviour is' if len(files) == 1 else 'behaviours are'} valid."
    published.say_problems(published.problems_in(files, read_behaviour), well, as_json=as_json)
