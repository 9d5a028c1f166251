"""Telling a deal that somebody has left, from outside of workflows: from the API and from workers."""

from __future__ import annotations

from uuid import UUID

from temporalio.client import Client

from domain.opportunity.leavers import PersonGone
from workflows.messages import PERSON_LEFT, workflow_id


async def tell_person_left(client: Client, opportunity_id: UUID, person_id: UUID) -> None:
    """Let a deal give back to their side what the person had to do on it; told again, it has nothing to do.

    Raises `RPCError` where the deal's process has ended, or Temporal does not answer.
    """
    deal = client.get_workflow_handle(workflow_id(opportunity_id))
    await deal.signal(PERSON_LEFT, PersonGone(id=person_id))
