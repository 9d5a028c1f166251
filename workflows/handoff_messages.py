"""What goes in and out of the hand-off's workflow and its activities.

In a file of its own, for the reason that `workflows.messages` gives.
"""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from domain.handoff.draft import HandOffEntry
from domain.handoff.news import HandOffNews
from domain.handoff.state import HandOffProcess
from workflows.entity import Receipt

RECORD_HANDOFF = "record_handoff"
RECKON_HANDOFF = "reckon_handoff"
PREPARE_RENEWAL = "prepare_renewal"

HEARD = "heard"
"""The signal of a hand-off's workflow that takes a `HandOffNews`: its deal has changed."""


def handoff_workflow_id(opportunity_id: UUID) -> str:
    return f"handoff-{opportunity_id}"


class HandOffStart(BaseModel):
    """What a run begins with: the deal's news, or a process to go on with and the commands answered.

    With both, the process was away meanwhile, and hears the news first.
    """

    news: HandOffNews | None = None
    process: HandOffProcess | None = None
    receipts: dict[str, Receipt] = {}


class HandOffTimeline(BaseModel):
    """What happened in one run of the workflow."""

    entries: list[HandOffEntry]
