"""Waking a person's courier, from outside of workflows: from activities, workers and the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from temporalio.client import Client

from workflows.courier import CourierWorkflow
from workflows.courier_messages import WAKE, CourierStart, courier_id

Wake = Callable[[UUID], Awaitable[None]]
"""Lets somebody's courier look at what waits; raises `RPCError` where Temporal does not answer."""


async def wake_courier(client: Client, task_queue: str, user_id: UUID) -> None:
    """Start a person's courier, or let it look again. Raises `RPCError` where Temporal does not answer."""
    await client.start_workflow(
        CourierWorkflow.run,
        CourierStart(user_id=user_id),
        id=courier_id(user_id),
        task_queue=task_queue,
        start_signal=WAKE,
    )
