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


class Answering(Interceptor):
    """A client with it hears this answer to every Update; `ids` are those of the Updates."""

    def __init__(self, answer: Exception) -> None:
        super().__init__()
        self.answer = answer
        self.ids: list[str | None] = []

    def intercept_client(
        self,
        next: OutboundInterceptor,  # noqa: A002 -- the SDK's own name
    ) -> OutboundInterceptor:
        return _Answered(super().intercept_client(next), self)


class _Answered(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, server: Answering) -> None:
        super().__init__(following)
        self.server = server

    async def start_workflow_update(
        self,
        input: StartWorkflowUpdateInput,  # noqa: A002 -- the SDK's own name
    ) -> Any:
        self.server.ids.append(input.update_id)
        raise self.server.answer


def through(client: Client, *interceptors: Interceptor) -> Client:
    """The same client with these interceptors and no others."""
    config = client.config()
    config["interceptors"] = interceptors
    return Client(**config)
