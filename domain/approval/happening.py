"""What every event of an approval is: a sentence for people, and a change of the state."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from domain.approval.state import Approval
from domain.principal import Actor
from domain.timeline import Happened


class ApprovalEvent(Happened):
    """Something that happened to a request. An internal one is the vendor's, whoever the requester is."""

    @abstractmethod
    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        """Change the approval as this event says."""


def said(comment: str | None) -> str:
    """A comment behind a sentence: ` They wrote: …`; nothing without one."""
    return f" “{comment}”" if comment else ""
