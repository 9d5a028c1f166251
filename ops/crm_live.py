"""Live deals of an import: each a running workflow, which sleeps until somebody needs it.

The server keeps a deal and wakes it when a command comes or its first deadline
has come. Until then it costs no worker anything, so thousands start in seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from db import opportunity
from db.session import Database
from domain.errors import Unavailable
from domain.opportunity.clock import next_due
from domain.opportunity.draft import Outcome
from domain.opportunity.facts import facts
from domain.opportunity.rules import judged, rule_to_judge
from domain.opportunity.state import Opportunity
from domain.opportunity.triggers import passed_over
from ops.crm_report import Advance
from runtime import aio, cel
from runtime.search_attributes import NEXT_DUE, OWNER, PHASE, PLAYBOOK, STATUS
from workflows.messages import Start, workflow_id
from workflows.opportunity import OpportunityWorkflow

PORTION = 100
"""Deals that are started, and then recorded in one transaction."""
STARTS_AT_ONCE = 16


class LiveDeals:
    """Starts deals and records them. All of it can be repeated: what is there already stays."""

    def __init__(self, client: Client, database: Database, task_queue: str, advance: Advance) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self._advance = advance
        self._gate = asyncio.Semaphore(STARTS_AT_ONCE)

    async def run(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Start every deal, and record what each began with.

        Raises:
            Unavailable: Temporal or the database does not answer; what is done so far stays.
        """
        for first in range(0, len(outcomes), PORTION):
            portion = outcomes[first : first + PORTION]
            try:
                began = await aio.together(*(self._start(outcome, now) for outcome in portion))
            except RPCError as error:
                raise Unavailable(
                    "Temporal does not answer; `tandem doctor` says more. "
                    "Run the import again later: it goes on where it stopped."
                ) from error
            async with self._database.transaction() as session:
                await opportunity.record_many(session, began)
            self._advance("Live deals", first + len(portion), len(outcomes))

    async def _start(self, outcome: Outcome, now: datetime) -> Outcome:
        """Start the deal's workflow; answers what it began with, which an earlier import may have said."""
        deal = outcome.opportunity
        due = next_due(deal)
        async with self._gate:
            try:
                await self._client.start_workflow(
                    OpportunityWorkflow.run,
                    Start(opportunity=deal, entries=outcome.entries),
                    id=workflow_id(deal.id),
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    search_attributes=_attributes(deal, due),
                    static_summary=deal.title,
                    start_delay=max(due - now, timedelta()) if due else None,
                )
            except WorkflowAlreadyStartedError:
                return await self._beginning(deal.id)
        return outcome

    async def _beginning(self, opportunity_id: UUID) -> Outcome:
        """What a workflow that was started before began with: its history's first event says it."""
        handle = self._client.get_workflow_handle(workflow_id(opportunity_id))
        first = await anext(handle.fetch_history_events(page_size=1))
        payloads = first.workflow_execution_started_event_attributes.input.payloads
        (start,) = await self._client.data_converter.decode(payloads, [Start])
        return Outcome.model_construct(opportunity=start.opportunity, entries=start.entries)


def ask_the_rule(outcome: Outcome, now: datetime) -> Outcome:
    """Let the stage's CEL rule speak about a deal that was just opened, as its workflow would."""
    while expression := rule_to_judge(outcome.opportunity):
        asked = outcome.opportunity
        try:
            met = cel.evaluate(expression, facts(asked))
        except cel.RuleFailed:
            met = False
        more = judged(asked, met=met, now=now)
        rest = passed_over(more.opportunity, now)
        outcome = Outcome.model_construct(
            opportunity=rest.opportunity, entries=outcome.entries + more.entries + rest.entries
        )
        if rest.opportunity.stage.key == asked.stage.key:
            break
    return outcome


def _attributes(deal: Opportunity, due: datetime | None) -> TypedSearchAttributes:
    """What the workflow itself would say of the deal, for the time until it wakes."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[datetime]] = [
        SearchAttributePair(STATUS, deal.status.value),
        SearchAttributePair(PHASE, deal.phase.value),
        SearchAttributePair(PLAYBOOK, deal.playbook.key),
    ]
    if deal.owner:
        pairs.append(SearchAttributePair(OWNER, str(deal.owner.id)))
    if due:
        pairs.append(SearchAttributePair(NEXT_DUE, due))
    return TypedSearchAttributes(pairs)
