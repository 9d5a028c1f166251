"""What a process decides reaches the activity of its own worker as it is."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.testing import WorkflowEnvironment

from domain.opportunity.draft import Outcome
from runtime.payloads import JsonConverter
from tests.workflows.play import Ledger, Played, a_worker
from workflows.messages import RECORD


async def test_what_is_decided_is_recorded_as_it_is(
    server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
):
    """The sandbox, the converter and the activity speak of the same class: nothing is read anew."""
    decided: list[Outcome] = []
    recorded: list[Outcome] = []

    class Keeping(Ledger):
        @activity.defn(name=RECORD)
        async def record_opportunity(self, outcome: Outcome) -> None:
            recorded.append(outcome)
            await super().record_opportunity(outcome)

    def written(self: JsonConverter, value: Any) -> Payload | None:
        if isinstance(value, Outcome):
            decided.append(value)
        return as_ever(self, value)

    as_ever = JsonConverter.to_payload
    monkeypatch.setattr(JsonConverter, "to_payload", written)
    deal = Played(server.client)
    async with a_worker(server.client, deal.queue, Keeping()):
        await deal.open()
    assert [id(each) for each in recorded] == [id(each) for each in decided]
    assert recorded
