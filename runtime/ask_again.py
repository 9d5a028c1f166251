"""Updates are sent again when the server undid the step that answered them.

A step that would end a run while a signal, a timer or a child's end arrives is refused by the server
(`UnhandledCommand`) and done anew, with what arrived. Updates that the refused step had answered are
answered with an error then, though nothing is wrong: sent again, they are done.
"""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.errordetails.v1 import WorkflowNotReadyFailure
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
    """A client with it asks again where a process was interrupted; with the same id, it is done once.

    Not what comes with a start: a run that has just begun does not end, and the SDK sends such a pair once.
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
        for pause in PAUSES:
            try:
                return await self.next.start_workflow_update(input)
            except RPCError as error:
                if not was_interrupted(error):
                    raise
            await asyncio.sleep(pause)
        return await self.next.start_workflow_update(input)


def was_interrupted(error: RPCError) -> bool:
    """Whether the process could not take an Update just now, for no fault of the Update."""
    return any(detail.Is(WorkflowNotReadyFailure.DESCRIPTOR) for detail in error.grpc_status.details)
