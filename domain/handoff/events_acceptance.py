"""What happens up to the acceptance: it begins, somebody receives it, it waits, people are told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime

from domain.dates import dated, timed
from domain.handoff.happening import HandOffEvent, who
from domain.handoff.state import AcceptanceClock, HandOffProcess, Progress
from domain.opportunity.state import Person
from domain.playbook_handoff import HandOffTell
from domain.principal import Actor


class Begun(HandOffEvent):
    """The deal is won; the first state is made with it."""

    type: Literal["handoff_begun"] = "handoff_begun"
    title: str
    contract_ends: date | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        """The process is made with it."""

    def words(self, by: Actor) -> str:
        end = f" The contract ends on {dated(self.contract_ends)}." if self.contract_ends else ""
        return f"The hand-off to customer success began.{end}"


class ReceiverAssigned(HandOffEvent):
    """Somebody receives it from now on; with None, whoever takes it."""

    type: Literal["handoff_receiver_assigned"] = "handoff_receiver_assigned"
    receiver: Person | None
    before: Person | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.receiver = self.receiver

    def words(self, by: Actor) -> str:
        if self.receiver is None:
            return f"{by.name} gave the hand-off back to all of customer success."
        if self.receiver.id == by.id:
            return f"{by.name} took the hand-off."
        return f"{by.name} gave the hand-off to {self.receiver.name}."


class ReceiverLeft(HandOffEvent):
    """Who received it has left, or works in customer success no more."""

    type: Literal["handoff_receiver_left"] = "handoff_receiver_left"
    receiver: Person

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.receiver = None

    def words(self, by: Actor) -> str:
        return f"{self.receiver.name} can receive the hand-off no more: it waits for all of customer success."


class Waits(HandOffEvent):
    """All that is required is there: customer success is to answer."""

    type: Literal["handoff_waits"] = "handoff_waits"
    clock: AcceptanceClock
    receiver: Person | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.clock = self.clock

    def words(self, by: Actor) -> str:
        until = timed(self.clock.due_at)
        return f"The hand-off is complete: {who(self.receiver)} has until {until} to accept or return it."


class ClockMoved(HandOffEvent):
    """Another receiver has another working time."""

    type: Literal["handoff_clock_moved"] = "handoff_clock_moved"
    clock: AcceptanceClock
    receiver: Person | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.clock = self.clock

    def words(self, by: Actor) -> str:
        return f"Now {who(self.receiver)} has until {timed(self.clock.due_at)} to accept the hand-off."


class SellersAwaited(HandOffEvent):
    """It was returned, or is not complete any more: the sellers' clock runs, customer success' stands."""

    type: Literal["handoff_sellers_awaited"] = "handoff_sellers_awaited"
    progress: Progress
    owner: Person | None = None
    note: str | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.progress = self.progress
        process.since = at
        process.note = self.note
        process.clock = None

    def words(self, by: Actor) -> str:
        owner = self.owner.name if self.owner else "the vendor"
        return f"The hand-off waits for {owner} again: its time for being accepted stands still."


class Reminded(HandOffEvent):
    """A step of the ladder: somebody was told that nobody has accepted it yet. Each speaks once."""

    internal = True

    type: Literal["handoff_reminded"] = "handoff_reminded"
    rung: int
    tell: HandOffTell
    receiver: Person | None = None
    due_at: AwareDatetime
    rung_at: AwareDatetime

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        if process.clock is not None:
            rungs = tuple(
                each.but(done=True) if index == self.rung else each
                for index, each in enumerate(process.clock.rungs)
            )
            process.clock = process.clock.but(rungs=rungs)

    def words(self, by: Actor) -> str:
        if self.tell is HandOffTell.RECEIVER:
            return f"{by.name} reminded {who(self.receiver)} that the hand-off waits to be accepted."
        return f"{by.name} told {self.tell.label} that nobody has accepted the hand-off yet."
