"""Plays all deals of a trial, and sums up what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from domain.calendar import after
from domain.duration import parse_duration
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.state import Customer
from domain.partner import Tier
from domain.simulation.cast import Cast, cast_of
from domain.simulation.desk import Desk
from domain.simulation.dice import Dice
from domain.simulation.habits import Habits, asks_for_discount
from domain.simulation.play import Play
from domain.simulation.report import Report
from domain.simulation.tally import Standing, Tally
from domain.simulation.world import Script, Trial, World
from domain.span import Span, Unit

_A_MOMENT = Span(Fraction(1, 60), Unit.BUSINESS_HOURS)
"""Deals are opened at work: outside of the hours, a minute after the next ones begin."""
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Simulated:
    """The report; and who played, and what was asked of the first deals, to be played again elsewhere."""

    report: Report
    cast: Cast
    scripts: tuple[Script, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """Some deals of a trial that were played: what was counted, how they ended, and scripts by number."""

    tally: Tally
    standing: list[Standing]
    scripts: dict[int, Script]


def shares(trial: Trial, parts: int) -> list[list[int]]:
    """The numbers of the deals in so many parts that can be played apart, with the same outcome.

    Deals meet only where they wait for the same approvers: those that may are all in the first part.
    """
    rules = [trigger.when for _, trigger in trial.playbook.all_triggers() if trigger.approval is not None]
    known = all(rule is not None and trial.reads(rule) <= _OF_AMOUNT for rule in rules)
    of_amount = [rule for rule in rules if rule is not None]
    meeting = [
        number
        for number in range(trial.deals)
        if not known or asks_for_discount(trial, number) or _wants_approval(trial, number, of_amount)
    ]
    found = [meeting, *([] for _ in range(parts - 1))]
    met = set(meeting)
    for number in range(trial.deals):
        if number not in met:
            min(found, key=len).append(number)
    return found


_OF_AMOUNT = frozenset({"deal.amount", "deal.currency"})
"""What a rule may read of a deal that nobody changes while it is played."""


def _wants_approval(trial: Trial, number: int, rules: Sequence[str]) -> bool:
    """Whether a stage of this deal will want an approval, by rules that hang on its amount alone."""
    worth = _drawn(trial, number).worth
    about = {"deal": {"amount": float(worth.amount), "currency": worth.currency}}
    return any(trial.holds(rule, about) for rule in rules)


class _Drawn(NamedTuple):
    """What chance says of a deal before it begins, and the dice for all that follows."""

    dice: Dice
    tier: Tier
    worth: Money


def _drawn(trial: Trial, number: int) -> _Drawn:
    dice, amount = trial.dice(f"deal {number}"), trial.behaviour.amount
    tier = dice.one_of(trial.behaviour.partner.tiers)
    worth = dice.amount(amount.median, amount.spread, _HUNDRED)
    return _Drawn(dice, tier, Money(amount=worth, currency=amount.currency))


def play(trial: Trial, numbers: Sequence[int], progress: Callable[[float], None], keep: int) -> Played:
    """Play these deals from the beginning of the period to its end; scripts of the first `keep` are kept."""
    begins, ends, _ = trial.period
    world = World(trial, _cast(trial))
    desk = Desk(world)
    played: dict[int, Play] = {}
    arrivals = parse_duration(trial.behaviour.arrivals) if trial.behaviour.arrivals else ends - begins
    for number in numbers:
        share = world.dice(f"arrival {number}").share()
        at = begins + min(arrivals, ends - begins) * share
        at_work = after(trial.calendar, at, _A_MOMENT)
        opening = partial(_open, world, desk, number, played)
        world.later(at_work if at_work < ends else at, opening)
    world.run(progress)
    return Played(
        world.tally,
        [Standing.of(each.deal) for each in played.values()],
        {number: each.script for number, each in played.items() if number < keep},
    )


def _cast(trial: Trial) -> Cast:
    return cast_of(trial.behaviour, trial.playbook, trial.policy, trial.calendar, trial.period)


def together(trial: Trial, seed: int, parts: Sequence[Played]) -> Simulated:
    """The parts as one."""
    begins, ends, _ = trial.period
    tally = Tally(trial.playbook, begins)
    scripts: dict[int, Script] = {}
    for each in parts:
        tally.add(each.tally)
        scripts |= each.scripts
    report = tally.report(
        [standing for each in parts for standing in each.standing],
        ends,
        playbook=trial.playbook.key,
        behaviour=trial.behaviour.key,
        seed=seed,
        days=(ends - begins).days,
    )
    return Simulated(report, _cast(trial), tuple(scripts[number] for number in sorted(scripts)))


def simulate(trial: Trial, seed: int, progress: Callable[[float], None]) -> Simulated:
    """Play all deals, and sum up what came of them. The same trial answers the same."""
    return together(trial, seed, [play(trial, range(trial.deals), progress, trial.deals)])


def _open(world: World, desk: Desk, number: int, played: dict[int, Play]) -> None:
    """A deal begins, with a partner of some tier."""
    trial, (dice, tier, worth) = world.trial, _drawn(world.trial, number)
    closes = trial.behaviour.closes
    command = ask.Open(
        id=dice.new_id(),
        title=f"Deal {number + 1}",
        customer=Customer(name=f"Customer {number + 1}"),
        amount=worth,
        expected_close=(world.now + parse_duration(closes)).date() if closes else None,
        owner=world.cast.owning,
        playbook=trial.playbook,
        policy=trial.policy.ref if trial.policy else None,
        calendar=trial.calendar,
        partners=(world.cast.partners[tier],),
    )
    played[number] = Play(world, desk, dice, tier, command)
    Habits(played[number], asks=asks_for_discount(trial, number))
