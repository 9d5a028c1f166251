"""Which refusals of the server are worth asking again, and for how long."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from temporalio.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    NotFoundFailure,
    WorkflowNotReadyFailure,
)
from temporalio.client import Client
from temporalio.service import RPCError

from runtime import ask_again
from runtime.ask_again import AskAgain, was_not_ready
from tests.temporal_answers import Answering, packed, refused, through


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


@pytest.mark.parametrize(("error", "tries"), [(refused(WorkflowNotReadyFailure()), 3), (refused(), 1)])
async def test_it_is_asked_with_one_id_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, error: RPCError, tries: int
):
    monkeypatch.setattr(ask_again, "PAUSES", (0.0, 0.0))
    server = Answering(error)
    client = through(await Client.connect("127.0.0.1:9", lazy=True), AskAgain(), server)
    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle("deal").execute_update("change")
    assert caught.value is error
    assert len(server.ids) == tries
    assert len(set(server.ids) - {None}) == 1
