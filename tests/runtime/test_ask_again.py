"""Which refusals of the server are worth asking again, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message
from temporalio.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    NotFoundFailure,
    WorkflowNotReadyFailure,
)
from temporalio.client import OutboundInterceptor, StartWorkflowUpdateInput, WorkflowUpdateStage
from temporalio.service import RPCError

from runtime import ask_again
from runtime.ask_again import AskAgain, was_not_ready
from tests.temporal_answers import packed, refused


def of_a_pair(detail: Message) -> MultiOperationExecutionFailure:
    status = MultiOperationExecutionFailure.OperationStatus(code=9, details=[packed(detail)])
    return MultiOperationExecutionFailure(statuses=[status])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(WorkflowNotReadyFailure()), True),
        (refused(of_a_pair(WorkflowNotReadyFailure())), True),
        (refused(of_a_pair(NotFoundFailure())), False),
        (refused(NotFoundFailure()), False),
        (refused(), False),
    ],
)
def test_only_a_process_that_was_not_ready_counts(error: RPCError, expected: bool):
    assert was_not_ready(error) is expected


class Refusing(OutboundInterceptor):
    """The rest of a client, whose server always refuses so."""

    def __init__(self, error: RPCError) -> None:
        self.error = error
        self.ids: list[str | None] = []

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> Any:  # noqa: A002 -- the SDK's own name
        self.ids.append(input.update_id)
        raise self.error


@pytest.mark.parametrize(("error", "tries"), [(refused(WorkflowNotReadyFailure()), 3), (refused(), 1)])
async def test_it_is_asked_with_one_id_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, error: RPCError, tries: int
):
    monkeypatch.setattr(ask_again, "PAUSES", (0.0, 0.0))
    server = Refusing(error)
    update = StartWorkflowUpdateInput(
        id="deal",
        run_id=None,
        first_execution_run_id=None,
        update_id=None,
        update="change",
        args=(),
        wait_for_stage=WorkflowUpdateStage.COMPLETED,
        headers={},
        ret_type=None,
        rpc_metadata={},
        rpc_timeout=None,
    )
    with pytest.raises(RPCError) as caught:
        await AskAgain().intercept_client(server).start_workflow_update(update)
    assert caught.value is error
    assert len(server.ids) == tries
    assert len(set(server.ids) - {None}) == 1
