"""What requests ask of the world, where the world does not answer."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.exceptions import ApplicationError

from activities.approvals import ApprovalActivities
from activities.discounts import DiscountActivities
from db.session import Database
from domain.approval.state import Facts
from domain.errors import NoExchangeRate, Unavailable
from tests.approvals import Game
from tests.bargains import a_bargain
from tests.factories import NOW
from workflows.approval_messages import Judging
from workflows.discount_messages import DiscountQuestion


async def test_a_round_that_cannot_be_judged_is_refused_and_not_tried_for_ever(database: Database) -> None:
    """The deal is in a currency now of which nobody has set a rate: its request takes other commands."""

    async def no_rate(_session: AsyncSession, _judging: Judging) -> tuple[Facts, dict[str, str]]:
        raise NoExchangeRate("Nobody has set an exchange rate from CHF to USD.")

    activities = ApprovalActivities(database, {"discount": no_rate})
    with pytest.raises(ApplicationError, match="CHF to USD") as refused:
        await activities.judge_round(Judging(approval=Game().submit().approval))
    assert refused.value.non_retryable
    assert refused.value.type == "no_exchange_rate"


async def test_what_a_request_takes_is_asked_again_when_the_database_is_away() -> None:
    away = Database("postgresql://tandem@127.0.0.1:1/tandem")
    deal = a_bargain()
    deal.want("20")
    question = DiscountQuestion(opportunity=deal.deal, discount_id=deal.newest.id, at=NOW)
    try:
        with pytest.raises(Unavailable):
            await DiscountActivities(away).resolve_discount(question)
    finally:
        await away.close()
