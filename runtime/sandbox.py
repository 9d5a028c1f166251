"""The sandbox that workflows run in, without a detour that costs a quarter of the worker's time.

For each payload, up to four times, the SDK asks the workflow's instance in which context the
payload is converted, and the sandbox compiles a line of Python to pass the question on. Our
converter and codec look at no context, so the answer is given here: there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion


class ContextFreeSandboxRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox for converters that know no context: a codec that needs one must not use it."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _ContextFree(super().create_instance(det))


class _ContextFree(WorkflowInstance):
    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, _command_info: object) -> SerializationContext | None:
        return None

    def get_external_store_context(self, _command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()
