"""From an HTTP request to an approval's answer: the one way in which pages, API and mail links decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from api.commands import translated
from api.services import Services
from db import approval as approvals
from domain.approval import commands as ask
from domain.approval.rules import decide
from domain.approval.state import Approval, Channel
from domain.errors import TandemError, Unavailable
from domain.principal import Principal
from workflows.approval_messages import approval_workflow_id
from workflows.entity import Receipt


@dataclass(frozen=True, slots=True)
class ApprovalCommands:
    """Gives commands to approvals for one principal.

    `update_id` names the change, the same each time it is repeated: it is done once.
    """

    services: Services
    principal: Principal
    update_id: str
    channel: Channel

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

    async def read(self, approval_id: UUID) -> Approval:
        """The approval as it was last recorded, as the principal may see it. Raises `NotFound`."""
        async with self.services.database.read() as session:
            return await approvals.get(session, self.principal, approval_id)

    async def _demand_visible(self, approval_id: UUID) -> None:
        async with self.services.database.read() as session:
            await approvals.demand_visible(session, self.principal, approval_id)

    async def _send(self, approval_id: UUID, request: ask.Request) -> None:
        """Ask its process; where there is none because it has ended, its record says why not."""
        try:
            async with translated("request"):
                client = await self.services.temporal.client()
                handle = client.get_workflow_handle(approval_workflow_id(approval_id))
                await handle.execute_update("change", request, id=self.update_id, result_type=Receipt)
        except Unavailable:
            if not await self._has_ended(approval_id, request):
                raise

    async def _has_ended(self, approval_id: UUID, request: ask.Request) -> bool:
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
            if not await self._was_done(approval_id):
                raise
        return True

    async def _was_done(self, approval_id: UUID) -> bool:
        """Whether this change was made before, and the caller, not answered then, repeats it."""
        try:
            async with translated("request"):
                client = await self.services.temporal.client()
                handle = client.get_workflow_handle(approval_workflow_id(approval_id))
                await handle.get_update_handle(self.update_id, result_type=Receipt).result()
        except TandemError:
            return False
        return True
