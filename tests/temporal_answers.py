"""What Temporal's server answers when it refuses an Update, for tests of what we make of it."""

from __future__ import annotations

from typing import Any

from google.protobuf.any_pb2 import Any as Detail
from google.protobuf.message import Message
from temporalio.api.common.v1 import GrpcStatus
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowUpdateInput
from temporalio.service import RPCError, RPCStatusCode


def packed(message: Message) -> Detail:
    """A detail as it comes within a status."""
    detail = Detail()
    detail.Pack(message)
    return detail


def refused(*details: Message) -> RPCError:
    """A precondition that was not met, with these details."""
    status = GrpcStatus(code=9, message="No.", details=[packed(each) for each in details])
    return RPCError("No.", RPCStatusCode.FAILED_PRECONDITION, status.SerializeToString())


def answering(client: Client, answer: Exception) -> Client:
    """The same client, which hears this answer to every Update and asks once."""
    config = client.config()
    config["interceptors"] = [_Answering(answer)]
    return Client(**config)


class _Answering(Interceptor):
    def __init__(self, answer: Exception) -> None:
        super().__init__()
        self.answer = answer

    def intercept_client(
        self,
        next: OutboundInterceptor,  # noqa: A002 -- the SDK's own name
    ) -> OutboundInterceptor:
        return _Answered(super().intercept_client(next), self.answer)


class _Answered(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, answer: Exception) -> None:
        super().__init__(following)
        self.answer = answer

    async def start_workflow_update(
        self,
        input: StartWorkflowUpdateInput,  # noqa: A002 -- the SDK's own name
    ) -> Any:
        raise self.answer
