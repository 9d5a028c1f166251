"""What every event of an approval is: a sentence for people, and a change of the state."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import ClassVar

from domain.approval.state import Approval
from domain.principal import Actor
from domain.value import Value


class ApprovalEvent(Value):
    """Something that happened to a request, as the timeline keeps it."""

    internal: ClassVar[bool] = False
    """Only the vendor's people read it, whoever the requester is."""

    @abstractmethod
    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        """Change the approval as this event says."""

    @abstractmethod
    def words(self, by: Actor) -> str:
        """The event as a sentence."""


def said(comment: str | None) -> str:
    """A comment behind a sentence: ` They wrote: …`; nothing without one."""
    return f" “{comment}”" if comment else ""
