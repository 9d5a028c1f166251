"""`tandem doctor --rebuild`: a deal's rows, restored from its workflow, which is the truth."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from db import approval, handoff, opportunity
from db.session import Database
from domain.approval.draft import ApprovalOutcome
from domain.errors import NotFound, Unavailable
from domain.handoff.draft import HandOffOutcome
from domain.handoff.news import news
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.state import Opportunity
from workflows.approval import ApprovalWorkflow
from workflows.approval_messages import approval_workflow_id
from workflows.handoff import HandOffWorkflow
from workflows.handoff_messages import HandOffStart, handoff_workflow_id
from workflows.messages import workflow_id
from workflows.opportunity import OpportunityWorkflow


async def rebuild(database: Database, client: Client, opportunity_id: UUID) -> Outcome:
    """Write the rows of the deal and its requests, and what is missing of their timeline, anew.

    Answers what was written of the deal.

    Raises:
        NotFound: Temporal has no workflow for this deal (any more).
        Unavailable: no worker answers.
    """
    try:
        outcome = await _told_by_workflow(client, opportunity_id)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(f"Temporal knows no workflow of the opportunity {opportunity_id}.") from error
        raise Unavailable("The workflow does not answer; is a worker running?") from error
    requests = [await _request(client, each) for each in _asked(outcome.opportunity)]
    passed_on = await _handoff(client, opportunity_id)
    async with database.transaction() as session:
        await opportunity.restore(session, outcome)
        for request in requests:
            if request is not None:
                await approval.restore(session, request)
        if passed_on is not None:
            await handoff.restore(session, passed_on)
    return outcome


async def revive_handoff(database: Database, client: Client, opportunity_id: UUID, task_queue: str) -> bool:
    """Start the hand-off of a deal from its record, where that is open and no process stands for it.

    It hears how the deal stands now: that was accepted or returned while nobody listened.

    Answers whether there was something to be started.

    Raises:
        Unavailable: Temporal does not answer.
    """
    async with database.read() as session:
        known = await handoff.as_recorded(session, opportunity_id)
        if known is None or not known.is_open:
            return False
        deal = await opportunity.as_recorded(session, opportunity_id)
    told = news(None, Outcome(opportunity=deal, entries=())) if deal is not None else None
    try:
        await client.start_workflow(
            HandOffWorkflow.run,
            HandOffStart(process=known, news=told),
            id=handoff_workflow_id(opportunity_id),
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"Hand-off: {known.facts.title}",
        )
    except WorkflowAlreadyStartedError:
        return False
    except RPCError as error:
        raise Unavailable("Temporal does not answer.") from error
    return True


async def _handoff(client: Client, opportunity_id: UUID) -> HandOffOutcome | None:
    """The deal's hand-off as its workflow has it; None where Temporal keeps none."""
    told = await _in_all_runs(
        client, handoff_workflow_id(opportunity_id), HandOffWorkflow.state, HandOffWorkflow.timeline
    )
    if told is None:
        return None
    return HandOffOutcome.model_construct(process=told[0], entries=told[1])


def _asked(deal: Opportunity) -> list[UUID]:
    """The requests on the deal: for its discounts, and for the stage that it is in."""
    discounts = [each.approval_id for each in deal.discounts if each.approval_id is not None]
    return [*discounts, *(each.id for each in deal.stage_approvals)]


async def _request(client: Client, approval_id: UUID) -> ApprovalOutcome | None:
    """A request as its workflow has it, with what happened in all runs; None where Temporal keeps none."""
    name = approval_workflow_id(approval_id)
    told = await _in_all_runs(client, name, ApprovalWorkflow.state, ApprovalWorkflow.timeline)
    return ApprovalOutcome.model_construct(approval=told[0], entries=told[1]) if told is not None else None


async def _in_all_runs(
    client: Client, name: str, state: Any, timeline: Any
) -> tuple[Any, tuple[Any, ...]] | None:
    """What these queries of a workflow answer, the timeline of all runs; None where Temporal keeps none."""
    entries: dict[int, Any] = {}
    try:
        now = await client.get_workflow_handle(name).query(state)
        for run_id in await _runs(client, name):
            told = await client.get_workflow_handle(name, run_id=run_id).query(timeline)
            entries.update({entry.sequence: entry for entry in told.entries})
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise Unavailable("A process of the deal does not answer; is a worker running?") from error
        return None
    return now, tuple(entries[sequence] for sequence in sorted(entries))


Handle = WorkflowHandle[OpportunityWorkflow, None]


async def _told_by_workflow(client: Client, opportunity_id: UUID) -> Outcome:
    """The deal as the workflow has it, with what happened in all runs that Temporal keeps."""
    handle: Handle = client.get_workflow_handle_for(OpportunityWorkflow.run, workflow_id(opportunity_id))
    if (await handle.describe()).history_length == 1:  # imported, and asleep since: only a command wakes it
        await handle.execute_update(OpportunityWorkflow.opened)
    deal = await handle.query(OpportunityWorkflow.opportunity)
    entries: dict[int, TimelineEntry] = {}
    for run_id in await _runs(client, workflow_id(opportunity_id)):
        run: Handle = client.get_workflow_handle_for(
            OpportunityWorkflow.run, workflow_id(opportunity_id), run_id=run_id
        )
        told = await run.query(OpportunityWorkflow.timeline)
        entries.update({entry.sequence: entry for entry in told.entries})
    ordered = tuple(entries[sequence] for sequence in sorted(entries))
    return Outcome.model_construct(opportunity=deal, entries=ordered)


async def _runs(client: Client, the_workflow: str) -> set[str]:
    """Every run: those that continued as new, and those before the deal was reopened.

    The current one is asked for itself: the list is some moments behind.
    """
    listed = {run.run_id async for run in client.list_workflows(f"WorkflowId = '{the_workflow}'")}
    current = await client.get_workflow_handle(the_workflow).describe()
    return listed | {current.run_id}
