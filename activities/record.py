"""Recording what happened: the only thing that writes an opportunity's rows."""

from __future__ import annotations

from temporalio import activity

from db import opportunity
from db.session import Database
from domain.opportunity.draft import Outcome
from workflows.messages import RECORD


class RecordActivities:
    """Writes events and read model, in one transaction for each change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=RECORD)
    async def record_opportunity(self, outcome: Outcome) -> None:
        """Record a change; the same change again changes nothing."""
        async with self._database.transaction() as session:
            await opportunity.record(session, outcome)
