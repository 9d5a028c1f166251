"""What goes in and out of the opportunity's workflow and its activities.

In a file of its own, because the sandbox loads a workflow's file again for
every deal, and making models is slow: here they are made once.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from domain.opportunity import commands as ask
from domain.opportunity.draft import TimelineEntry
from domain.opportunity.state import Opportunity
from domain.principal import Actor
from workflows.entity import Receipt

RECORD = "record_opportunity"
CATCH_UP = "catch_up"
JUDGE = "judge_rule"
PERSON_LEFT = "person_left"


def workflow_id(opportunity_id: UUID) -> str:
    return f"opportunity-{opportunity_id}"


class Opening(BaseModel):
    """The first command of a deal, and who gives it."""

    command: ask.Open
    by: Actor


class Start(BaseModel):
    """What a run begins with: an opening, or a deal to go on with and the commands answered so far.

    `entries` is what happened to a deal that was taken over from elsewhere, up to now. `woken` says that
    the deal was closed and is read from the record, which may have gone on since.
    """

    opening: Opening | None = None
    opportunity: Opportunity | None = None
    entries: tuple[TimelineEntry, ...] = ()
    receipts: dict[str, Receipt] = {}
    woken: bool = False


class Snapshot(BaseModel):
    """A deal as it was read from the record, by its version."""

    id: UUID
    version: int


class CaughtUp(BaseModel):
    """The deal as it is recorded by now; None where the snapshot still is what is recorded."""

    newer: Opportunity | None = None


class Rule(BaseModel):
    """A CEL rule and the facts that it is asked about."""

    expression: str
    facts: dict[str, Any]


class Timeline(BaseModel):
    """What happened in one run of the workflow."""

    entries: list[TimelineEntry]
