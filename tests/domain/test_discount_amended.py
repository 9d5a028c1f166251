"""A grant rests on the steps that approved it as it was granted, not on those that it was asked of first."""

from __future__ import annotations

from decimal import Decimal

from domain.approval import commands as ask
from domain.approval.draft import ApprovalOutcome
from domain.approval.resolve import Judged
from domain.approval.state import ApprovalState
from domain.money import Money
from domain.opportunity.commands_lines import AddLine, ChangeLine
from tests.approvals import DORA, RITA, Game, step
from tests.bargains import a_bargain, a_product
from tests.factories import DESK
from workflows.approval_messages import result_of


def test_a_step_that_less_did_not_need_is_asked_when_it_is_needed() -> None:
    """Asked much, returned, and amended to little: only the desk has agreed."""
    deal = a_bargain(amount=None)
    deal.ask(AddLine(product=a_product(cost="700.00"), quantity=100, standard_percent="15"))
    deal.want("45")
    assert deal.asked == ["deal-desk", "finance", "sales-director"]
    deal.decided(ApprovalState.RETURNED)
    deal.decided(ApprovalState.PENDING, percent=Decimal(20))
    deal.decided(
        ApprovalState.APPROVED,
        percent=Decimal(20),
        agreed=("deal-desk",),
        not_needed=("finance", "sales-director"),
    )
    assert deal.asked == ["deal-desk"]
    assert deal.outside == []
    key = deal.deal.lines[0].key
    deal.ask(ChangeLine(key=key, cost=Money(amount="900.00", currency="USD")), by=DESK)
    assert any("more approval" in why for why in deal.outside)


def test_a_step_that_more_needed_has_agreed() -> None:
    """Asked little, returned, and amended to much: everybody was asked then."""
    deal = a_bargain()
    deal.want("20")
    deal.decided(ApprovalState.RETURNED)
    deal.decided(ApprovalState.PENDING, percent=Decimal(30))
    deal.decided(ApprovalState.APPROVED, percent=Decimal(30), agreed=("deal-desk", "finance"))
    deal.change(amount=Money(amount="240000.00", currency="USD"))
    assert deal.outside == []


def test_an_approval_tells_who_agreed_to_what_it_was_in_the_end() -> None:
    game = Game()
    game.submit(step("desk"), step("finance", {"role": "finance"}), percent="40")
    game.ask(ask.Return(step="desk", comment="Less."), by=DORA)
    game.ask(ask.Resubmit(percent="20"), by=RITA, judged=Judged(facts={}, fired=("desk",)))
    game.approve(DORA)
    told = result_of(ApprovalOutcome(approval=game.approval, entries=tuple(game.entries)))
    assert (told.agreed, told.not_needed) == (("desk",), ("finance",))


def test_a_step_that_an_offer_made_superfluous_has_not_agreed() -> None:
    game = Game()
    game.submit(step("desk"), step("finance", {"role": "finance"}), percent="40")
    game.ask(ask.Counter(step="desk", percent="20"), by=DORA)
    game.ask(ask.Accept(), by=RITA, judged=Judged(facts={}, fired=("desk",)))
    told = result_of(ApprovalOutcome(approval=game.approval, entries=tuple(game.entries)))
    assert (told.state, told.agreed) == (ApprovalState.APPROVED, ("desk",))
    assert told.not_needed == ("finance",)
