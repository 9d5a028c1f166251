"""`tandem doctor --rebuild`: a deal's rows, restored from its workflow, which is the truth."""

from __future__ import annotations

from uuid import UUID

from temporalio.client import Client, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from db import opportunity
from db.session import Database
from domain.errors import NotFound, Unavailable
from domain.opportunity.draft import Outcome, TimelineEntry
from workflows.messages import workflow_id
from workflows.opportunity import OpportunityWorkflow


async def rebuild(database: Database, client: Client, opportunity_id: UUID) -> Outcome:
    """Write the deal's rows and the missing part of its timeline anew; answers what was written.

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
    async with database.transaction() as session:
        await opportunity.restore(session, outcome)
    return outcome


async def _told_by_workflow(client: Client, opportunity_id: UUID) -> Outcome:
    """The deal as the workflow has it, with what happened in this run and in those before it."""
    handle = client.get_workflow_handle_for(OpportunityWorkflow.run, workflow_id(opportunity_id))
    deal = await handle.query(OpportunityWorkflow.opportunity)
    entries: list[TimelineEntry] = []
    run_id: str | None = (await handle.describe()).run_id
    while run_id:
        run = client.get_workflow_handle_for(
            OpportunityWorkflow.run, workflow_id(opportunity_id), run_id=run_id
        )
        entries = (await run.query(OpportunityWorkflow.timeline)).entries + entries
        run_id = await _run_before(client, opportunity_id, run_id)
    return Outcome.model_construct(opportunity=deal, entries=tuple(entries))


async def _run_before(client: Client, opportunity_id: UUID, run_id: str) -> str | None:
    """The run that continued as this one; None for the first, or when it is no longer kept."""
    handle = client.get_workflow_handle(workflow_id(opportunity_id), run_id=run_id)
    async for event in handle.fetch_history_events(
        page_size=1, event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT
    ):
        return event.workflow_execution_started_event_attributes.continued_execution_run_id or None
    return None
