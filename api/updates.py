"""Updates of a process by the name of its workflow: what commands to approvals and hand-offs share."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from api.commands import translated
from api.services import Services
from domain.errors import TandemError
from workflows.entity import Receipt


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, or one that ran; `whose` says in refusals what it is, as in “the hand-off”."""

    services: Services
    name: str
    whose: str

    async def change(self, request: BaseModel, update_id: str) -> None:
        """Ask it for a change; the same `update_id` again changes nothing.

        Raises:
            TandemError: the rule that refuses, or `Unavailable` where no process answers.
        """
        async with translated(self.whose):
            client = await self.services.temporal.client()
            handle = client.get_workflow_handle(self.name)
            await handle.execute_update("change", request, id=update_id, result_type=Receipt)

    async def was_done(self, update_id: str) -> bool:
        """Whether this change was made before, and the caller, not answered then, repeats it."""
        try:
            async with translated(self.whose):
                client = await self.services.temporal.client()
                handle = client.get_workflow_handle(self.name)
                await handle.get_update_handle(update_id, result_type=Receipt).result()
        except TandemError:
            return False
        return True
