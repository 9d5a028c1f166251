"""A hand-off as it stands: everything its workflow owns, in one value.

What has to be done before it, and whether it is accepted, the deal decides; the
process keeps what it heard of that (`facts`, `progress`). The parts are frozen and
replaced. All instants are aware and in UTC; no clock is computed here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import AwareDatetime, Field

from domain.duration import parse_duration
from domain.opportunity.state import Person
from domain.playbook_handoff import AfterWinning, HandOffTell
from domain.principal import Actor
from domain.timeline import Changing
from domain.value import Labelled, Value


class Progress(StrEnum):
    """The life of a hand-off."""

    PREPARING = "preparing"
    """Required tasks are open: it is the sellers' turn."""
    WAITING = "waiting"
    """Complete: customer success is to accept it, or to return it."""
    RETURNED = "returned"
    ACCEPTED = "accepted"
    ENDED = "ended"

    @property
    def label(self) -> str:
        return _PROGRESS[self]


_PROGRESS = {
    Progress.PREPARING: "Being prepared",
    Progress.WAITING: "Waits for acceptance",
    Progress.RETURNED: "Returned",
    Progress.ACCEPTED: "Accepted",
    Progress.ENDED: "Ended",
}


class Health(Labelled):
    """How the customer is, as customer success sees it."""

    GOOD = "good"
    AT_RISK = "at_risk"
    BAD = "bad"


class FollowUpState(StrEnum):
    PLANNED = "planned"
    DUE = "due"
    MISSED = "missed"
    DONE = "done"

    @property
    def is_awaited(self) -> bool:
        """Somebody should have it by now."""
        return self in (FollowUpState.DUE, FollowUpState.MISSED)


class EndReason(Labelled):
    """Why a hand-off's process ends."""

    RENEWAL_OPENED = "renewal_opened"
    """By itself: the next deal is open, and nothing more is planned."""
    CONTRACT_ENDED = "contract_ended"
    CUSTOMER_LEFT = "customer_left"
    OTHER = "other"


class DealFacts(Value):
    """What the process knows of its deal, as of the deal's `version`."""

    id: UUID
    version: int
    title: str
    customer: str
    owner: Person | None = None
    partners: tuple[UUID, ...] = ()


class Rung(Value):
    """A step of the ladder at its instant; it speaks once."""

    tell: HandOffTell
    at: AwareDatetime
    done: bool = False


class AcceptanceClock(Value):
    """Until when customer success has, and who is told while it does not answer."""

    since: AwareDatetime
    due_at: AwareDatetime
    rungs: tuple[Rung, ...] = ()


class FollowUp(Value):
    """A check-in with the customer; `extra` where nobody had planned it."""

    key: str
    title: str
    due_at: AwareDatetime
    missed_at: AwareDatetime
    tell_at: AwareDatetime = Field(description="When the manager hears that it was missed.")
    state: FollowUpState = FollowUpState.PLANNED
    told: bool = False
    extra: bool = False
    health: Health | None = None
    note: str | None = None
    next_step: str | None = None
    done_at: AwareDatetime | None = None
    done_by: Person | None = None


class Renewal(Value):
    """The next deal with the customer."""

    opportunity_id: UUID
    title: str
    opened_at: AwareDatetime


class Ended(Value):
    reason: EndReason
    note: str | None = None
    at: AwareDatetime
    by: Actor


class HandOffProcess(Changing):
    """The process."""

    id: UUID
    facts: DealFacts
    plan: AfterWinning
    progress: Progress
    since: AwareDatetime = Field(description="Since when it stands like that.")
    note: str | None = Field(default=None, description="What the last return asked for.")
    receiver: Person | None = None
    clock: AcceptanceClock | None = None
    accepted_at: AwareDatetime | None = None
    accepted_by: Person | None = None
    follow_ups_planned: bool = False
    follow_ups: tuple[FollowUp, ...] = ()
    contract_ends: date | None = None
    renewal: Renewal | None = None
    renews_once_accepted: bool = False
    ended: Ended | None = None
    created_at: AwareDatetime

    @property
    def called(self) -> str:
        return f"The hand-off of “{self.facts.title}”"

    @property
    def is_open(self) -> bool:
        return self.progress is not Progress.ENDED

    @property
    def is_accepted(self) -> bool:
        return self.accepted_at is not None

    @property
    def renewal_at(self) -> datetime | None:
        """When the renewal opens (UTC); None while no contract's end is known, and once it is open."""
        if self.contract_ends is None or self.renewal is not None:
            return None
        return datetime.combine(self.contract_ends, time(), UTC) - parse_duration(self.plan.renewal.before)

    @property
    def health(self) -> Health | None:
        """The customer's health as it was noted last."""
        noted = [each for each in self.follow_ups if each.health is not None and each.done_at is not None]
        return max(noted, key=lambda each: (each.done_at or each.due_at, each.key)).health if noted else None

    @property
    def due_at(self) -> datetime | None:
        """What customer success is awaited for next: the acceptance, or a follow-up."""
        if self.progress is Progress.WAITING:
            return self.clock.due_at if self.clock else None
        return min((each.due_at for each in self.awaited_follow_ups()), default=None)

    def follow_up(self, key: str) -> FollowUp | None:
        return next((each for each in self.follow_ups if each.key == key), None)

    def open_follow_ups(self) -> list[FollowUp]:
        """Those that nobody has had yet."""
        return [each for each in self.follow_ups if each.state is not FollowUpState.DONE]

    def awaited_follow_ups(self) -> list[FollowUp]:
        """Those that should have been by now."""
        return [each for each in self.follow_ups if each.state.is_awaited]

    def put(self, follow_up: FollowUp) -> None:
        """Add it, or replace the one with the same key."""
        known = self.follow_up(follow_up.key) is not None
        kept = tuple(follow_up if each.key == follow_up.key else each for each in self.follow_ups)
        self.follow_ups = kept if known else (*kept, follow_up)


def handoff_id(opportunity_id: UUID) -> UUID:
    """The id of a deal's hand-off, always the same: its stream on the timeline."""
    return uuid5(NAMESPACE_OID, f"tandem:handoff:{opportunity_id}")
