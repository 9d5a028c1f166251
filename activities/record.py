"""Recording what happened: the only thing that writes an opportunity's rows."""

from __future__ import annotations

from temporalio import activity

from db import opportunity
from db.session import Database
from domain.errors import InvalidInput
from domain.opportunity.draft import Outcome
from workflows.entity import refusal
from workflows.messages import CATCH_UP, RECORD, CaughtUp, Snapshot


class RecordActivities:
    """Writes events and read model, in one transaction for each change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=RECORD)
    async def record_opportunity(self, outcome: Outcome) -> None:
        """Record a change; the same change again changes nothing.

        Raises:
            ApplicationError: it cannot be stored, however often one tries. What else goes wrong passes.
        """
        try:
            if opportunity.opens(outcome) or not await self._record_new(outcome):
                async with self._database.transaction() as session:
                    await opportunity.record(session, outcome)
        except InvalidInput as error:
            raise refusal(error) from error

    @activity.defn(name=CATCH_UP)
    async def catch_up(self, snapshot: Snapshot) -> CaughtUp:
        """The deal as it is recorded, where that is another version than the snapshot's."""
        async with self._database.read() as session:
            if await opportunity.recorded_version(session, snapshot.id) == snapshot.version:
                return CaughtUp()
            return CaughtUp(newer=await opportunity.as_recorded(session, snapshot.id))

    async def _record_new(self, outcome: Outcome) -> bool:
        """In one round trip, if none of it was there."""
        async with self._database.connection() as connection:
            return await opportunity.record_new(connection, [outcome])
