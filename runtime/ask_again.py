"""Updates are sent again when the server undid the step that answered them.

A step that would end a run while a signal, a timer or a child's end arrives is refused by the server
(`UnhandledCommand`) and done anew, with what arrived. Updates that the refused step had answered are
answered with an error then, though nothing is wrong: sent again, they are done.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from temporalio.api.errordetails.v1 import MultiOperationExecutionFailure, WorkflowNotReadyFailure
from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    StartWorkflowUpdateInput,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each further try. A process that is broken says the same each time; then so do we."""


class AskAgain(Interceptor):
    """A client with it asks again, with the same id, where a process was not ready.

    Not what comes with a start: the SDK sends such a pair once.
    """

    def intercept_client(
        self,
        next: OutboundInterceptor,  # noqa: A002 -- the SDK's own name
    ) -> OutboundInterceptor:
        return _Asking(super().intercept_client(next))


class _Asking(OutboundInterceptor):
    async def start_workflow_update(
        self,
        input: StartWorkflowUpdateInput,  # noqa: A002 -- the SDK's own name
    ) -> WorkflowUpdateHandle[Any]:
        input.update_id = input.update_id or str(uuid4())
        for pause in PAUSES:
            try:
                return await self.next.start_workflow_update(input)
            except RPCError as error:
                if not was_not_ready(error):
                    raise
            await asyncio.sleep(pause)
        return await self.next.start_workflow_update(input)


def was_not_ready(error: RPCError) -> bool:
    """Whether the server refused the step in which the process took the Update, or all its steps fail."""
    several = MultiOperationExecutionFailure()
    details = [
        nested
        for detail in error.grpc_status.details
        for nested in (_each(several) if detail.Unpack(several) else (detail,))
    ]
    return any(detail.Is(WorkflowNotReadyFailure.DESCRIPTOR) for detail in details)


def _each(several: MultiOperationExecutionFailure) -> list[Any]:
    """What is said of each operation, where a start and an Update were sent together."""
    return [detail for status in several.statuses for detail in status.details]
