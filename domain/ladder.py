"""Escalation ladders: who is told, one after the other, while something is due and nobody acts.

A ladder belongs to a kind of deadline and is written in the playbook. Each rung
speaks once for each deadline; the act itself ends the ladder.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.duration import Duration, parse_duration
from domain.span import BusinessDuration
from domain.value import Input

_NONE = timedelta()


class Subject(StrEnum):
    """What a ladder is about."""

    TASK = "task"
    CHECK_IN = "check_in"
    STAGE = "stage"
    CLOSE = "close"
    STALE = "stale"


class Tell(StrEnum):
    """Whom a rung tells, seen from whoever should act."""

    ASSIGNEE = "assignee"
    """Whose turn it is: the assignee, else the owner or the partner's people."""
    OTHER_SIDE = "other_side"
    """The owner where the partner should act or there is none, the partners where the vendor should."""
    OWNER = "owner"
    MANAGER = "manager"
    """The manager of the assignee, else of the deal's owner."""

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Tell.ASSIGNEE: "whoever should act",
    Tell.OTHER_SIDE: "the other side",
    Tell.OWNER: "the deal's owner",
    Tell.MANAGER: "the manager",
}


class Rung(Input):
    """One step of a ladder: so long before or after the deadline, or at it, somebody is told."""

    before: Duration | None = Field(default=None, description="Elapsed time before the deadline.")
    after: BusinessDuration | None = Field(
        default=None, description="Time after the deadline, business time by the deal's calendar."
    )
    tell: Tell = Field(description="Who is told.")

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.before is not None and self.after is not None:
            msg = "a rung is before or after the deadline, not both"
            raise ValueError(msg)
        return self


Ladder = Annotated[tuple[Rung, ...], Field(max_length=10)]


class Ladders(Input):
    """A ladder for each kind of deadline; without rungs nobody is told."""

    task: Ladder = Field(default=(), description="A task that is due.")
    check_in: Ladder = Field(default=(), description="A check-in that is due.")
    stage: Ladder = Field(default=(), description="A stage that takes longer than its target.")
    close: Ladder = Field(default=(), description="The expected close, at the end of its day in UTC.")
    stale: Ladder = Field(default=(), description="A side that has not been heard for `clock.stale`.")

    def of(self, subject: Subject) -> tuple[Rung, ...]:
        rungs: tuple[Rung, ...] = getattr(self, subject)
        return rungs

    @cached_property
    def ahead(self) -> dict[Subject, timedelta]:
        """How long before its deadline each ladder begins to speak; nothing for those that wait for it."""
        return {subject: max(_leads(self.of(subject)), default=_NONE) for subject in Subject}


def _leads(ladder: Ladder) -> Iterator[timedelta]:
    return (parse_duration(rung.before) for rung in ladder if rung.before)


class Clock(Input):
    """What the passing of time means besides the deadlines of stages and tasks."""

    stale: BusinessDuration | None = Field(
        default=None, description="A side is silent when nothing was heard from it for so long."
    )
    missed: BusinessDuration | None = Field(
        default=None, description="A check-in is missed when it was not logged so long after it was due."
    )
    close_near: Duration | None = Field(default=None, description="So long before it, the close is near.")
    grant_near: Duration | None = Field(
        default=None, description="So long before it, the end of a granted discount is near."
    )
