"""From an HTTP request to a hand-off's answer: the one way in which pages and API change it.

Accepting and returning are commands to the deal: see `api.commands`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.etag import Precondition
from api.idempotency import MintedDep
from api.principal import PrincipalDep
from api.services import Services, ServicesDep
from api.updates import Process
from db import handoff as handoffs
from db import opportunity as opportunities
from db import people
from db.session import Database
from domain.errors import InvalidInput, NoHandOff, NotFound, TandemError, Unavailable
from domain.handoff import commands as ask
from domain.handoff.rules import decide
from domain.handoff.state import HandOffProcess
from domain.principal import Principal, Role
from workflows.handoff_messages import handoff_workflow_id


@dataclass(frozen=True, slots=True)
class HandOffCommands:
    """Gives commands to hand-offs for one principal."""

    services: Services
    principal: Principal
    update_id: str

    async def change(
        self, opportunity_id: UUID, command: ask.Command, precondition: Precondition | None = None
    ) -> HandOffProcess:
        """Ask a deal's hand-off for a change, and answer it as it is after.

        Raises:
            NotFound: there is no such deal in the principal's scope.
            NoHandOff: it is not won yet, or was handed off before Tandem knew hand-offs.
            TandemError: the rule that refuses, or `Unavailable`.
        """
        known = await self.read(opportunity_id)
        version = precondition.of(known.version) if precondition is not None else None
        request = ask.Request(command=command, by=self.principal.actor, if_version=version)
        process = Process(self.services, handoff_workflow_id(opportunity_id), "hand-off")
        try:
            await process.change(request, self.update_id)
        except Unavailable:
            if not await self._has_ended(process, opportunity_id, request):
                raise
        return await self.read(opportunity_id)

    async def read(self, opportunity_id: UUID) -> HandOffProcess:
        """The hand-off as it was last recorded, in the principal's scope. Raises `NotFound`, `NoHandOff`."""
        async with self.services.database.read() as session:
            found = await handoffs.find(session, self.principal, opportunity_id)
            if found is None:
                await opportunities.demand_visible(session, self.principal, opportunity_id)
                raise NoHandOff("This deal has no hand-off that runs: it begins when the deal is won.")
        return found

    async def _has_ended(self, process: Process, opportunity_id: UUID, request: ask.Request) -> bool:
        """Whether it has ended after this very change was done.

        Raises:
            TandemError: it has ended otherwise, and what its record refuses.
        """
        known = await self.read(opportunity_id)
        if known.is_open:
            return False
        try:
            decide(known, request, datetime.now(UTC))
        except TandemError:
            if not await process.was_done(self.update_id):
                raise
        return True


async def candidate(database: Database, principal: Principal, user_id: UUID | None) -> ask.Candidate | None:
    """Whom a hand-off is given to; nobody for None.

    Raises:
        InvalidInput: the principal sees no such active person.
    """
    if user_id is None:
        return None
    try:
        async with database.read() as session:
            user, _ = await people.get(session, principal, user_id)
    except NotFound as missing:
        raise InvalidInput(missing.detail, pointer="/user_id") from missing
    if not user.active:
        raise InvalidInput(f"{user.name} is no longer here; choose somebody else.", pointer="/user_id")
    return ask.Candidate(id=user.id, name=user.name, roles=tuple(Role(role) for role in user.roles))


async def _commands(services: ServicesDep, principal: PrincipalDep, minted: MintedDep) -> HandOffCommands:
    return HandOffCommands(services, principal, minted.update_id)


HandOffCommandsDep = Annotated[HandOffCommands, Depends(_commands)]
"""The commands of this request's principal."""
