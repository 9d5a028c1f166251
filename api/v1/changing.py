"""Changing a deal over HTTP: which deal, by whom, under which precondition, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from api.commands import Commands, CommandsDep
from api.etag import Precondition, PreconditionDep, answer_version
from api.v1.opportunity_shapes import OpportunityOut
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers, turn_of
from domain.opportunity.state import Opportunity


def shown(response: Response, deal: Opportunity) -> OpportunityOut:
    """The deal as the API answers it, with its version as ETag."""
    answer_version(response, deal.version)
    waits = blockers(deal)
    return OpportunityOut.of_deal(deal, waits, turn_of(waits), deal.next_due_at)


@dataclass(frozen=True, slots=True)
class Change:
    """A request to change the deal in its path."""

    opportunity_id: UUID
    response: Response
    commands: Commands
    if_match: Precondition

    async def deal(self) -> Opportunity:
        """The deal as it is before. Raises `NotFound`."""
        return await self.commands.read(self.opportunity_id)

    async def __call__(self, command: ask.Command) -> OpportunityOut:
        """Give the deal this command, and answer it as it is then. Raises as `Commands.change`."""
        deal = await self.commands.change(self.opportunity_id, command, self.if_match)
        return shown(self.response, deal)


async def _change(
    opportunity_id: UUID, response: Response, commands: CommandsDep, if_match: PreconditionDep
) -> Change:
    return Change(opportunity_id, response, commands, if_match)


ChangeDep = Annotated[Change, Depends(_change)]
"""Dependency of every route that gives a deal a command."""
