"""Who is there to be asked, who manages whom, and who stands in for somebody who is away.

A snapshot as plain values, read by an activity (`db.directory`): what follows
from it is decided here, and needs neither database nor clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime

from domain.calendar import Calendar
from domain.principal import Role, Side
from domain.value import Value


class PersonEntry(Value):
    """A person as approvals know her.

    `active` is false for who has left, and for everybody of a partner that has.
    """

    id: UUID
    name: str
    email: str
    roles: tuple[Role, ...] = ()
    active: bool = True
    manager_id: UUID | None = None
    calendar: Calendar = Calendar()
    organisation_id: UUID
    side: Side = Side.VENDOR


class Delegation(Value):
    """While somebody (`user_id`) is out of office, another decides: from `starts_at` until before `ends_at`.

    Both are instants in UTC. Without an end it lasts until it is ended.
    """

    user_id: UUID
    to_id: UUID
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the person is away at this instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def overlaps(self, other: Delegation) -> bool:
        """Whether there is an instant at which both hold."""
        return (other.ends_at is None or self.starts_at < other.ends_at) and (
            self.ends_at is None or other.starts_at < self.ends_at
        )


class StandIn(NamedTuple):
    """Who decides instead of somebody, and until when that somebody is away (None: until further notice)."""

    person_id: UUID
    until: datetime | None


@dataclass(frozen=True)
class Directory:
    """The people that can be asked, and the delegations between them."""

    people: tuple[PersonEntry, ...] = ()
    delegations: tuple[Delegation, ...] = ()

    @cached_property
    def _by_id(self) -> dict[UUID, PersonEntry]:
        return {person.id: person for person in self.people}

    @cached_property
    def _by_email(self) -> dict[str, PersonEntry]:
        return {person.email.lower(): person for person in self.people}

    @cached_property
    def _of(self) -> dict[UUID, list[Delegation]]:
        """The delegations of each person."""
        found: dict[UUID, list[Delegation]] = {}
        for each in self.delegations:
            found.setdefault(each.user_id, []).append(each)
        return found

    def person(self, person_id: UUID) -> PersonEntry | None:
        """The person with this id, active or not."""
        return self._by_id.get(person_id)

    def by_email(self, email: str) -> PersonEntry | None:
        """The person with this address, whatever its case, active or not."""
        return self._by_email.get(email.lower())

    def with_role(self, role: Role) -> tuple[PersonEntry, ...]:
        """The active people who have the role."""
        return tuple(person for person in self.people if person.active and role in person.roles)

    def manager_of(self, person_id: UUID) -> PersonEntry | None:
        """The nearest active manager above a person; None where nobody is."""
        seen = {person_id}
        above = self.person(person_id)
        while above is not None and above.manager_id is not None and above.manager_id not in seen:
            seen.add(above.manager_id)
            above = self.person(above.manager_id)
            if above is not None and above.active:
                return above
        return None

    def delegations_of(self, person_id: UUID) -> tuple[Delegation, ...]:
        """When others stand in for a person, by what is known."""
        return tuple(self._of.get(person_id, ()))

    def stand_in(
        self, person_id: UUID, at: datetime, barred: AbstractSet[UUID] = frozenset()
    ) -> StandIn | None:
        """Who decides for a person at this instant, and until when the person is away.

        The chain is followed to its end: whoever stands in may be away as well.
        It stops at the last who may decide: neither inactive nor `barred` (four
        eyes). None where the person is there herself, where nobody of the chain
        may, and where the chain runs in a ring: then the person stays.
        """
        away = self._away(person_id, at)
        if away is None:
            return None
        chosen: UUID | None = None
        seen = {person_id}
        for each in self._chain(away, at):
            if each.to_id in seen:
                return None
            seen.add(each.to_id)
            entry = self.person(each.to_id)
            if entry is not None and entry.active and entry.id not in barred:
                chosen = entry.id
        return StandIn(chosen, away.ends_at) if chosen is not None else None

    def next_change(self, person_ids: Iterable[UUID], after: datetime) -> datetime | None:
        """The next instant at which one of these people, or of their stand-ins, goes or comes back.

        Until then the answers of `stand_in` stay as they are, unless somebody edits.
        """
        reached = self._reach(person_ids)
        instants = (
            at
            for person_id in reached
            for each in self._of.get(person_id, ())
            for at in (each.starts_at, each.ends_at)
            if at is not None and at > after
        )
        return min(instants, default=None)

    def _away(self, person_id: UUID, at: datetime) -> Delegation | None:
        return next((each for each in self._of.get(person_id, ()) if each.holds(at)), None)

    def _chain(self, first: Delegation, at: datetime) -> Iterator[Delegation]:
        """A delegation and those that follow from it; endless in a ring."""
        following: Delegation | None = first
        while following is not None:
            yield following
            following = self._away(following.to_id, at)

    def _reach(self, person_ids: Iterable[UUID]) -> set[UUID]:
        """These people, and all to whom their delegations may lead at any time."""
        reached: set[UUID] = set()
        waiting = list(person_ids)
        while waiting:
            person_id = waiting.pop()
            if person_id not in reached:
                reached.add(person_id)
                waiting.extend(each.to_id for each in self._of.get(person_id, ()))
        return reached
