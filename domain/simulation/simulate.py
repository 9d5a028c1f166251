"""Plays all deals of a trial, and sums up what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial

from domain.calendar import Span, Unit, after
from domain.duration import parse_duration
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.state import Customer
from domain.simulation.cast import Cast, cast_of
from domain.simulation.desk import Desk
from domain.simulation.habits import Habits
from domain.simulation.play import Play
from domain.simulation.report import Report
from domain.simulation.world import Script, Trial, World

_A_MOMENT = Span(Fraction(1, 60), Unit.BUSINESS_HOURS)
"""Deals are opened at work: outside of the hours, a minute after the next ones begin."""
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Simulated:
    """The report; and who played, and what was asked of each deal, to be played again elsewhere."""

    report: Report
    cast: Cast
    scripts: tuple[Script, ...]


def simulate(trial: Trial, seed: int, progress: Callable[[float], None]) -> Simulated:
    """Play the deals from the beginning of the period to its end. The same trial answers the same."""
    begins, ends, _ = trial.period
    cast = cast_of(trial.behaviour, trial.playbook, trial.policy, trial.calendar, trial.period)
    world = World(trial, cast)
    desk = Desk(world)
    played: list[Play | None] = [None] * trial.deals
    arrivals = parse_duration(trial.behaviour.arrivals) if trial.behaviour.arrivals else ends - begins
    for number in range(trial.deals):
        share = world.dice(f"arrival {number}").share()
        at = begins + min(arrivals, ends - begins) * share
        at_work = after(trial.calendar, at, _A_MOMENT)
        opening = partial(_open, world, desk, number, played)
        world.later(at_work if at_work < ends else at, opening)
    world.run(progress)
    plays = [play for play in played if play is not None]
    report = world.tally.report(
        [play.deal for play in plays],
        ends,
        playbook=trial.playbook.key,
        behaviour=trial.behaviour.key,
        seed=seed,
        days=(ends - begins).days,
    )
    return Simulated(report, cast, tuple(play.script for play in plays))


def _open(world: World, desk: Desk, number: int, played: list[Play | None]) -> None:
    """A deal begins, with a partner of some tier."""
    trial, dice = world.trial, world.dice(f"deal {number}")
    amount = trial.behaviour.amount
    tier = dice.one_of(trial.behaviour.partner.tiers)
    closes = trial.behaviour.closes
    worth = dice.amount(amount.median, amount.spread, _HUNDRED)
    command = ask.Open(
        id=dice.new_id(),
        title=f"Deal {number + 1}",
        customer=Customer(name=f"Customer {number + 1}"),
        amount=Money(amount=worth, currency=amount.currency),
        expected_close=(world.now + parse_duration(closes)).date() if closes else None,
        owner=world.cast.owning,
        playbook=trial.playbook,
        policy=trial.policy.ref if trial.policy else None,
        calendar=trial.calendar,
        partners=(world.cast.partners[tier],),
    )
    play = Play(world, desk, dice, tier, command)
    Habits(play)
    played[number] = play
