"""`kill -9` in the middle of commands: what was answered is there, once, and the deals go on."""

from __future__ import annotations

import pytest

from tests.chaos.crowd import Answers, Site, meanwhile

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("victims", [("worker",), ("api",), ("worker", "api")], ids="+".join)
async def test_every_command_is_done_once_and_the_deals_go_on(site: Site, victims: tuple[str, ...]):
    deals = [await site.open(f"Deal {number}") for number in range(3)]
    answers = Answers()

    async def disaster() -> None:
        await answers.until(12)
        await site.processes.kill(*victims)
        await site.processes.start(*victims)

    texts = await meanwhile(site.crowd(deals, answers, notes=6), disaster)
    await site.demand_once(deals, texts, answers)
    if "api" in victims:
        assert answers.repeats, "somebody's request was cut off"
    await site.hand_over(deals[0])
