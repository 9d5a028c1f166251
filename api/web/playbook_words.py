"""What a playbook says, in sentences: when a stage is left, what happens by itself, who is told."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from api.web.filters import business, capitalize_first
from domain.ladder import Clock, Ladders, Rung, Subject
from domain.playbook import Advance, ExitBy, Stage
from domain.playbook_handoff import AfterWinning
from domain.trigger import Moment, Trigger


def triggers_in_words(stage: Stage) -> list[tuple[str, str]]:
    """What happens by itself in a stage: when, and what, as people say it."""
    moments = {Moment.ENTER: "When this stage begins", Moment.LEAVE: "When this stage ends"}
    return [
        (when, _sentence(trigger)) for moment, when in moments.items() for trigger in stage.triggers(moment)
    ]


def _sentence(trigger: Trigger) -> str:
    """What a trigger does, and if what: with one full stop, also where it ends with somebody's words."""
    if trigger.condition is None:
        return trigger.what if trigger.what.endswith((".”", "!”", "?”")) else f"{trigger.what}."
    condition = trigger.condition.rstrip(".")
    if trigger.when_in_words and not condition[:2].isupper():
        condition = condition[0].lower() + condition[1:]
    return f"{trigger.what}, if {condition}."


def exit_in_words(stage: Stage) -> str:
    """When and how a stage is left, as people say it."""
    leave = stage.exit
    if leave.by is ExitBy.SIGN_OFF:
        return "Left when all required tasks are done and both sides agree that it is finished."
    if leave.by is ExitBy.RULE:
        when = f"its required tasks are done and its rule is met: {leave.asks}"
    else:
        when = "all required tasks are done"
    if leave.advance is Advance.AUTOMATIC:
        return f"Moves on by itself when {when}."
    return f"Somebody moves it on when {when}."


def ladders_in_words(ladders: Ladders, clock: Clock) -> list[tuple[str, str]]:
    """Who is told while nobody acts, for each kind of deadline that has a ladder."""
    about = {
        Subject.TASK: "A task is due",
        Subject.CHECK_IN: "A check-in is due",
        Subject.STAGE: "A stage takes longer than planned",
        Subject.CLOSE: "The expected close",
        Subject.STALE: f"A side is silent for {business(clock.stale)}" if clock.stale else "A side is silent",
    }
    return [(what, _told(ladders.of(subject))) for subject, what in about.items() if ladders.of(subject)]


def _told(rungs: Iterable[Rung]) -> str:
    """The rungs in their order, those of one person together."""
    parts = [
        f"{who} {_listed(_when(rung) for rung in of_one)}"
        for who, of_one in groupby(rungs, key=lambda rung: rung.tell.label)
    ]
    return f"{capitalize_first('; '.join(parts))}."


def _when(rung: Rung) -> str:
    if rung.before is not None:
        return f"{business(rung.before)} before"
    return f"{business(rung.after)} after" if rung.after is not None else "at once"


def _listed(words: Iterable[str]) -> str:
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def _quoted(title: str) -> str:
    """At the end of a sentence: with a full stop, unless the title brings its own end."""
    return f"“{title}”" if title.endswith((".", "!", "?")) else f"“{title}”."


def after_winning_in_words(plan: AfterWinning) -> list[str]:
    """How the hand-off goes on when the sellers' part is done."""
    said = [f"Customer success accepts or returns it within {business(plan.accept_within)}."]
    if plan.ladder:
        told = "; ".join(f"{rung.tell.label} {business(rung.after)} after" for rung in plan.ladder)
        said.append(f"While nobody does: {told}.")
    said.append(f"What is returned is answered within {business(plan.answer_within)}.")
    said += [
        f"{business(each.after)} after the acceptance: {_quoted(each.title)}" for each in plan.follow_ups
    ]
    said.append(f"The renewal opens {business(plan.renewal.before)} before the contract ends.")
    return [capitalize_first(each) for each in said]
