"""From an HTTP request to an approval's answer: the one way in which pages, API and mail links decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.etag import Precondition
from api.idempotency import MintedDep
from api.principal import PrincipalDep
from api.services import Services, ServicesDep
from api.updates import Process
from db import approval as approvals
from db import people
from db.session import Database
from db.tables import OrganisationKind
from domain.approval import commands as ask
from domain.approval.rules import decide
from domain.approval.state import Approval, Channel
from domain.errors import InvalidInput, NotFound, TandemError, Unavailable
from domain.principal import Principal, Side
from workflows.approval_messages import approval_workflow_id


@dataclass(frozen=True, slots=True)
class ApprovalCommands:
    """Gives commands to approvals for one principal.

    `update_id` names the change, the same each time it is repeated: it is done once.
    """

    services: Services
    principal: Principal
    update_id: str
    channel: Channel

    def numbered(self, of: str) -> ApprovalCommands:
        """The same, for one of several changes that a single form asks for."""
        return replace(self, update_id=f"{self.update_id}:{of}")

    async def change(
        self, approval_id: UUID, command: ask.Command, if_version: int | None = None
    ) -> Approval:
        """Ask an approval for a change, and answer it as the principal sees it after.

        Raises:
            NotFound: there is no such approval in the principal's scope.
            TandemError: the rule that refuses, or `Unavailable`.
        """
        await self._demand_visible(approval_id)
        request = ask.Request(
            command=command, by=self.principal.actor, if_version=if_version, channel=self.channel
        )
        await self._send(approval_id, request)
        return await self.read(approval_id)

    async def change_as_read(
        self, approval_id: UUID, command: ask.Command, precondition: Precondition | None
    ) -> Approval:
        """`change`, unless it has become another version than the caller has read.

        Raises:
            StaleVersion: it has.
        """
        if precondition is None or precondition.tags is None:
            return await self.change(approval_id, command)
        # For the request itself to refuse: it knows whether this very change made the version stale.
        current = (await self.read(approval_id)).version
        return await self.change(approval_id, command, precondition.of(current))

    async def read(self, approval_id: UUID) -> Approval:
        """The approval as it was last recorded, as the principal may see it. Raises `NotFound`."""
        async with self.services.database.connection() as connection:
            return await approvals.get(connection, self.principal, approval_id)

    async def _demand_visible(self, approval_id: UUID) -> None:
        async with self.services.database.connection() as connection:
            await approvals.demand_visible(connection, self.principal, approval_id)

    async def _send(self, approval_id: UUID, request: ask.Request) -> None:
        """Ask its process; where there is none because it has ended, its record says why not."""
        process = Process(self.services, approval_workflow_id(approval_id), "request")
        try:
            await process.change(request, self.update_id)
        except Unavailable:
            if not await self._has_ended(process, approval_id, request):
                raise

    async def _has_ended(self, process: Process, approval_id: UUID, request: ask.Request) -> bool:
        """Whether it has ended after this very change was done.

        Raises:
            TandemError: it has ended otherwise, and what its record refuses.
        """
        async with self.services.database.read() as session:
            approval = await approvals.get_in_full(session, approval_id)
        if approval.is_open:
            return False
        try:
            decide(approval, request, datetime.now(UTC))
        except TandemError:
            if not await process.was_done(self.update_id):
                raise
        return True


async def colleague(database: Database, principal: Principal, user_id: UUID) -> ask.Delegate:
    """Whom a decision is given to.

    Raises:
        InvalidInput: the principal sees no such active person.
    """
    try:
        async with database.read() as session:
            user, organisation = await people.get(session, principal, user_id)
    except NotFound as missing:
        raise InvalidInput(missing.detail, pointer="/to") from missing
    if not user.active:
        raise InvalidInput(f"{user.name} is no longer here; choose somebody else.", pointer="/to")
    side = Side.VENDOR if organisation.kind == OrganisationKind.VENDOR else Side.PARTNER
    return ask.Delegate(id=user.id, name=user.name, side=side)


async def _by_api(services: ServicesDep, principal: PrincipalDep, minted: MintedDep) -> ApprovalCommands:
    return ApprovalCommands(services, principal, minted.update_id, Channel.API)


async def _by_page(services: ServicesDep, principal: PrincipalDep, minted: MintedDep) -> ApprovalCommands:
    return ApprovalCommands(services, principal, minted.update_id, Channel.PAGE)


ApprovalCommandsDep = Annotated[ApprovalCommands, Depends(_by_api)]
"""The commands of this request's principal, as the JSON API gives them."""
PageApprovalCommandsDep = Annotated[ApprovalCommands, Depends(_by_page)]
"""The same, as the pages give them."""
