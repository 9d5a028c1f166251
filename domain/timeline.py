"""What a deal, an approval and a hand-off have in common: they change by events, which a timeline keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from pydantic import AwareDatetime, BaseModel

from domain.errors import StaleVersion
from domain.made import changed
from domain.principal import Actor
from domain.value import Value


class Happened(Value):
    """Something that happened, as the timeline keeps it."""

    internal: ClassVar[bool] = False
    """Only the vendor's people read it."""

    @abstractmethod
    def words(self, by: Actor) -> str:
        """The event as a sentence."""


class Changing(BaseModel, ABC):
    """What changes by events. `version` is the sequence of its last one, from 1 without gaps."""

    version: int = 0
    updated_at: AwareDatetime

    @property
    @abstractmethod
    def called(self) -> str:
        """What it is, as a sentence begins with it."""

    def copy_to_change(self) -> Self:
        """A copy whose changes do not reach this one; the parts are frozen and shared."""
        return changed(self, {})

    if not TYPE_CHECKING:  # pragma: no branch - else every name could be assigned to

        def __setattr__(self, name: str, value: Any) -> None:
            """Events set what is checked already; that there is such a field, mypy sees to."""
            self.__dict__[name] = value


class Applied(Protocol):
    """An event that changes what it happens to."""

    def apply(self, state: Any, at: datetime, by: Actor, /) -> None:
        """Change the state as this event says."""


State = TypeVar("State", bound=Changing)
Event = TypeVar("Event", bound=Applied)
Entry = TypeVar("Entry")


class Drafting(ABC, Generic[State, Event, Entry]):
    """Collects events; each changes the copy at once, so that later rules see it."""

    def __init__(self, state: State, now: datetime, by: Actor) -> None:
        self.state = state.copy_to_change()
        self.now = now
        self.by = by
        self.entries: list[Entry] = []

    def add(self, event: Event, *, by: Actor | None = None, at: datetime | None = None) -> None:
        """Let the event happen, by the asker at the time of asking unless said otherwise."""
        who, when = by or self.by, at or self.now
        state = self.state
        event.apply(state, when, who)
        state.version += 1
        state.updated_at = when
        self.entries.append(self._entry(event, when, who))

    @abstractmethod
    def _entry(self, event: Event, at: datetime, by: Actor) -> Entry:
        """The event that has just happened, for the timeline; what every event brings is done here."""


def demand_current(state: Changing, read: int | None) -> None:
    """Nobody changes what they have not read; `read` None: as it stands now.

    Raises:
        StaleVersion: another version was read than it is at.
    """
    if read is not None and read != state.version:
        raise StaleVersion(
            f"{state.called} has changed since you read it: it is at version {state.version}.",
            version=state.version,
        )
