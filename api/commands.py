"""From an HTTP request to a workflow's answer: the one way in which pages and API change a deal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.etag import Precondition
from api.idempotency import Minted, MintedDep
from api.principal import PrincipalDep
from api.services import Services, ServicesDep
from db import opportunity as opportunities
from domain.errors import NotFound, TandemError, Unavailable, from_code
from domain.opportunity import commands as ask
from domain.opportunity.rules import decide, open_deal
from domain.opportunity.state import Opportunity
from domain.principal import Principal
from runtime.ask_again import was_not_ready
from workflows.messages import Opening, Start, workflow_id
from workflows.opportunity import OpportunityWorkflow

PATIENCE_SECONDS = 10.0
"""How long a caller waits for an answer. What is not answered by then may still happen:
the same request again, with the same Idempotency-Key, finds out."""


_NOT_TAKEN = "The {whose} did not take the command; try again in a moment."


class _NotReady(Unavailable):
    """The process runs, but could not take the command just now."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Gives commands to deals for one principal."""

    services: Services
    principal: Principal
    minted: Minted

    async def open(self, command: ask.Open) -> Opportunity:
        """Open a deal; the same request again finds the deal that it opened.

        Raises:
            TandemError: the rule that refuses, or `Unavailable`.
        """
        opening = Opening(command=command, by=self.principal.actor)
        open_deal(command, datetime.now(UTC), opening.by)  # refuses here what the workflow would refuse
        start = self._start(
            Start(opening=opening), command.id, command.title, WorkflowIDReusePolicy.REJECT_DUPLICATE
        )
        async with translated():
            client = await self.services.temporal.client()
            with suppress(WorkflowAlreadyStartedError):  # opened by this request before, and closed since
                await client.execute_update_with_start_workflow(
                    OpportunityWorkflow.opened,
                    start_workflow_operation=start,
                    id=f"opened:{self.minted.update_id}",
                )
        return await self.read(command.id)

    async def change(
        self, opportunity_id: UUID, command: ask.Command, precondition: Precondition | None = None
    ) -> Opportunity:
        """Ask a deal for a change, and answer the deal as it is after it.

        Raises:
            NotFound: there is no such deal in the principal's scope.
            TandemError: the rule that refuses, or `Unavailable`.
        """
        request = ask.Request(command=command, by=self.principal.actor)
        if precondition is not None and precondition.tags is not None:
            # A stale version is for the deal to refuse: it knows whether this request made it stale itself.
            standing = await self._standing(opportunity_id)
            request = request.but(if_version=precondition.of(standing.version))
        await self._send(opportunity_id, request)
        return await self.read(opportunity_id)

    async def read(self, opportunity_id: UUID) -> Opportunity:
        """The deal as it was last recorded, in the principal's scope. Raises `NotFound`."""
        async with self.services.database.connection() as connection:
            return await opportunities.get(connection, self.principal, opportunity_id)

    async def _standing(self, opportunity_id: UUID) -> opportunities.Standing:
        async with self.services.database.read() as session:
            return await opportunities.standing(session, self.principal, opportunity_id)

    async def _send(self, opportunity_id: UUID, request: ask.Request) -> None:
        """Ask the deal's process, which knows who takes part; where there is none, look at the record."""
        try:
            async with translated():
                handle = await self._handle(opportunity_id)
                await handle.execute_update(OpportunityWorkflow.change, request, id=self.minted.update_id)
        except _NotReady:
            raise  # it is not closed: what it recorded in vain does not count
        except Unavailable:
            if not (await self._standing(opportunity_id)).closed:
                raise
            await self._wake(opportunity_id, request)

    async def _handle(self, opportunity_id: UUID) -> WorkflowHandle[OpportunityWorkflow, None]:
        client = await self.services.temporal.client()
        return client.get_workflow_handle_for(OpportunityWorkflow.run, workflow_id(opportunity_id))

    async def _was_done(self, opportunity_id: UUID) -> bool:
        """Whether this request did its work before, and the caller, not answered then, repeats it."""
        try:
            async with translated():
                handle = await self._handle(opportunity_id)
                await handle.get_update_handle_for(OpportunityWorkflow.change, self.minted.update_id).result()
        except TandemError:
            return False
        return True

    async def _recorded(self, opportunity_id: UUID) -> Opportunity:
        """All of a deal, also what the principal is not shown: a process goes on from it."""
        async with self.services.database.read() as session:
            await opportunities.demand_visible(session, self.principal, opportunity_id)
            deal = await opportunities.as_recorded(session, opportunity_id)
        if deal is None:
            raise NotFound("There is no such opportunity.")
        return deal

    async def _wake(self, opportunity_id: UUID, request: ask.Request) -> None:
        """A closed deal has no workflow: what reopens it starts one from its record, all else is refused."""
        deal = await self._recorded(opportunity_id)
        try:
            decide(deal, request, datetime.now(UTC))
        except TandemError:
            if await self._was_done(opportunity_id):
                return
            raise
        start = self._start(
            Start(opportunity=deal, woken=True), deal.id, deal.title, WorkflowIDReusePolicy.ALLOW_DUPLICATE
        )
        async with translated():
            client = await self.services.temporal.client()
            await client.execute_update_with_start_workflow(
                OpportunityWorkflow.change,
                request,
                start_workflow_operation=start,
                id=self.minted.update_id,
            )

    def _start(
        self, start: Start, opportunity_id: UUID, title: str, reuse: WorkflowIDReusePolicy
    ) -> WithStartWorkflowOperation[OpportunityWorkflow, None]:
        return WithStartWorkflowOperation(
            OpportunityWorkflow.run,
            start,
            id=workflow_id(opportunity_id),
            task_queue=self.services.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=reuse,
            static_summary=title,
        )


@asynccontextmanager
async def translated(whose: str = "deal") -> AsyncIterator[None]:
    """What a workflow refused as the error that it is; what did not answer as `Unavailable`."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    except WorkflowUpdateFailedError as failed:
        raise _refusal(failed.cause, whose) from failed
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as slow:
        raise Unavailable(
            f"The {whose} did not answer in time. Repeat the request with the same Idempotency-Key."
        ) from slow
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Unavailable(f"The {whose}'s process is not running; `tandem doctor` says why.") from error
        if was_not_ready(error):
            raise _NotReady(_NOT_TAKEN.format(whose=whose)) from error
        raise Unavailable(
            "The workflow engine does not answer; nothing was changed. Try again in a moment."
        ) from error


def _refusal(cause: BaseException | None, whose: str) -> TandemError:
    if isinstance(cause, ApplicationError):
        extra = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return from_code(cause.type or "", cause.message, extra)
    return Unavailable(_NOT_TAKEN.format(whose=whose))  # it ended meanwhile


async def commands(services: ServicesDep, principal: PrincipalDep, minted: MintedDep) -> Commands:
    """Dependency: the commands of this request's principal."""
    return Commands(services, principal, minted)


CommandsDep = Annotated[Commands, Depends(commands)]
