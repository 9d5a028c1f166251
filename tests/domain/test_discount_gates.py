"""Discounts in the way of stages, on lines, and when they are looked at again."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.approval.state import ApprovalState
from domain.discount.assess import Check
from domain.discount.state import NOT_TOLD, Discount, DiscountState, OutsideGrant
from domain.errors import (
    Conflict,
    DiscountNotGranted,
    DiscountOutsideGrant,
    DiscountPending,
    StageGateClosed,
)
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers, discount_blockers
from domain.opportunity.commands_lines import AddLine, ChangeLine
from domain.opportunity.decide_discount import checked, needs_check, owner_is_another
from domain.opportunity.discounts import granted_percent
from domain.opportunity.work import work_items
from domain.principal import Side
from tests.bargains import GATED, POLICY, a_bargain, a_product, money, with_lines
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    CYGNUS,
    DESK,
    NOW,
    SELLER,
    a_playbook,
    a_stage,
    a_task,
    person,
)

# ------------------------------------------------------------------ the gate


def test_a_stage_that_says_so_is_left_when_its_discounts_are_settled() -> None:
    deal = a_bargain(playbook=GATED)
    deal.want("20")
    assert deal.blocked_by == ["discount_pending"]
    with pytest.raises(DiscountPending):
        deal.ask(ask.Advance())
    deal.decided(ApprovalState.APPROVED)
    deal.change(amount=money("100000.00"))
    assert deal.blocked_by == ["discount_outside_grant"]
    assert [item.title for item in work_items(deal.deal)][-1].startswith("Ask again for the discount")
    with pytest.raises(DiscountOutsideGrant):
        deal.ask(ask.Advance())
    deal.change(amount=money("250000.00"))
    assert deal.last == "The discount is covered by what was granted."
    deal.ask(ask.Advance())
    assert deal.deal.stage.key == "commit"


def test_another_stage_is_left_meanwhile_and_a_deal_is_not_won() -> None:
    deal = a_bargain(playbook=a_playbook(stages=[a_stage("talk"), a_stage("commit", phase="committed")]))
    deal.want("20")
    deal.ask(ask.Advance())
    with pytest.raises(DiscountPending):
        deal.ask(ask.Win())


def test_what_else_is_missing_is_said_as_well() -> None:
    stages = [a_stage("quote", a_task("send-quote"), exit={"by": "tasks", "discount": "settled"})]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.want("20")
    with pytest.raises(StageGateClosed) as refused:
        deal.ask(ask.Win())
    assert [each["code"] for each in refused.value.extra["blockers"]] == ["task_open", "discount_pending"]


def test_nobody_moves_past_it_and_back_one_may() -> None:
    stages = [a_stage("talk"), *GATED.model_dump(mode="json", exclude_none=True)["stages"]]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.ask(ask.Advance())
    deal.want("20")
    with pytest.raises(DiscountPending):
        deal.ask(ask.Move(stage="commit", reason="No time."))
    deal.ask(ask.Move(stage="talk", reason="Once more."))
    deal.decided(ApprovalState.APPROVED)
    deal.ask(ask.Move(stage="commit", reason="All is clear."))


def test_a_stage_that_is_agreed_on_moves_on_when_the_discount_is_settled() -> None:
    stages = [
        a_stage("quote", exit={"by": "sign_off", "discount": "settled"}),
        a_stage("commit", phase="committed"),
    ]
    deal = a_bargain(playbook=a_playbook(stages=stages))
    deal.want("20")
    deal.ask(ask.Advance()).ask(ask.Advance(), by=SELLER)
    with pytest.raises(DiscountPending, match="Your side has agreed"):
        deal.ask(ask.Advance())
    deal.decided(ApprovalState.APPROVED)
    assert deal.deal.stage.key == "commit"


def test_whose_turn_it_is() -> None:
    deal = a_bargain(playbook=GATED)
    deal.want("20", by=SELLER)
    [waiting] = blockers(deal.deal)
    assert (waiting.turn, waiting.who) == (Side.VENDOR, "Deal desk")
    deal.decided(ApprovalState.RETURNED, comment="Why?")
    [back] = blockers(deal.deal)
    assert (back.turn, back.who, back.partner_id) == (Side.PARTNER, SELLER.name, ASTER.id)


def test_an_approval_hears_of_another_owner_while_it_waits() -> None:
    deal = a_bargain()
    opened = deal.deal
    assert owner_is_another(None, opened) is None
    deal.want("20")
    waiting = deal.deal
    deal.change(owner=person(DESK))
    assert owner_is_another(waiting, deal.deal) == deal.newest.approval_id
    assert owner_is_another(deal.deal, deal.deal) is None
    deal.decided(ApprovalState.APPROVED)
    assert owner_is_another(waiting, deal.deal) is None


# ------------------------------------------------------------------ lines


def test_a_grant_is_what_a_line_may_be_sold_at() -> None:
    deal = with_lines()
    with pytest.raises(DiscountNotGranted):
        deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    deal.granted("20", line="line-3")
    deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    assert deal.outside == []
    line = deal.deal.line("line-4")
    assert line is not None
    assert granted_percent(deal.deal, line) == 0
    with pytest.raises(DiscountNotGranted):
        deal.ask(ChangeLine(key="line-4", discount_percent="20", standard_percent="15"))


def test_lines_are_compared_at_list_price() -> None:
    deal = with_lines()
    deal.granted("20")
    deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    deal.ask(ChangeLine(key="line-4", discount_percent="20", standard_percent="15"))
    assert deal.outside == []
    deal.ask(ChangeLine(key="line-3", quantity=60))
    assert "110,000.00 USD, and it was granted for at least 120,000.00 USD" in deal.outside[0]


def test_a_line_that_nothing_covers_any_more_is_told() -> None:
    deal = with_lines()
    deal.granted("20", line="ERP")
    deal.ask(ChangeLine(key="line-3", discount_percent="20", standard_percent="15"))
    deal.later(days=91)
    assert "ERP suite is at 20 %, and up to 15 % may be given" in deal.outside
    with pytest.raises(Conflict, match="lower it to 15 % first"):
        deal.drop()
    deal.ask(ChangeLine(key="line-3", discount_percent="15"))
    deal.drop()
    assert deal.outside == []


def test_the_next_partner_gives_its_own_standard() -> None:
    deal = with_lines()
    deal.ask(ChangeLine(key="line-3", discount_percent="15", standard_percent="15"))
    deal.tier = "silver"
    deal.ask(ask.RemovePartner(partner_id=ASTER.id)).ask(ask.AddPartner(partner=CYGNUS))
    assert deal.outside == ["ERP suite is at 15 %, and up to 10 % may be given"]


def test_costs_are_no_facts_where_one_is_not_known() -> None:
    deal = with_lines()
    deal.ask(AddLine(product=a_product("Hardware", "hardware", cost=None), quantity=1))
    facts = deal.want("20").facts
    assert facts is not None
    assert not facts.margin.known


# ------------------------------------------------------------------ when it is looked at again


def test_a_deal_without_discounts_is_never_checked() -> None:
    deal = a_bargain()
    deal.change(amount=money("1.00"))
    deal.ask(ask.RemovePartner(partner_id=ASTER.id))
    assert deal.checks == 0
    assert not needs_check(None, deal.deal)


def test_a_change_that_is_not_about_the_price_checks_nothing() -> None:
    deal = a_bargain()
    deal.granted("20")
    checks = deal.checks
    deal.ask(ask.AddNote(text="Good talk."))
    deal.change(title="ERP roll-out")
    assert deal.checks == checks


def test_a_grant_whose_policy_is_not_known_is_compared_by_its_bounds() -> None:
    deal = a_bargain()
    deal.granted("20")
    deal.policy = POLICY.model_copy(update={"version": 2})
    deal.change(amount=money("2000000.00"))
    assert deal.outside == []


def test_another_partner_reads_nothing_of_it() -> None:
    deal = a_bargain()
    deal.granted("20", by=SELLER)
    told = [entry.event for entry in deal.entries if entry.event.type.startswith("discount_")]
    assert told
    assert {event.only_for for event in told} == {ASTER.id}
    assert deal.entries[0].event.only_for is None, "the opening is for every partner of the deal"
    written = " ".join(event.model_dump_json() for event in told)
    assert "margin" not in written
    assert "deal-desk" not in written


def test_each_partner_reads_why_its_own_discount_is_not_covered_and_of_the_others_only_that() -> None:
    deal = with_lines(partners=(ASTER, BOREALIS))
    deal.granted("20", line="ERP", by=SELLER)
    deal.granted("16", line="support", by=BOREALIS_SELLER)
    for key in ("line-3", "line-4"):
        deal.ask(ChangeLine(key=key, quantity=1))
    told = [entry.event for entry in deal.entries if entry.event.type == "discount_checked"]
    assert {event.only_for for event in told} == {ASTER.id, BOREALIS.id}
    assert deal.deal.discount_outside is not None
    for own, other in ((ASTER, BOREALIS), (BOREALIS, ASTER)):
        mine = deal.deal.discount_outside.of(own.id)
        assert mine
        assert deal.deal.discount_outside.read_by(own.id).reasons == (*mine, NOT_TOLD)
        assert not set(mine) & set(deal.deal.discount_outside.of(other.id))
        assert all(event.outside == mine for event in told[-2:] if event.only_for == own.id)
    deal.ask(ChangeLine(key="line-3", quantity=100))
    assert deal.deal.discount_outside.of(ASTER.id) == ()
    assert deal.entries[-1].event.only_for == ASTER.id


def test_a_refusal_tells_a_partner_nothing_of_the_steps_that_the_vendor_takes() -> None:
    deal = a_bargain(playbook=GATED)
    deal.want("20", by=SELLER)
    for reader, holder in ((SELLER, "the vendor"), (DESK, "Deal desk")):
        [waiting] = discount_blockers(deal.deal, reader)
        assert waiting.who == holder
    with pytest.raises(DiscountPending, match="waits for the vendor:"):
        deal.want("25", by=SELLER)
    with pytest.raises(DiscountPending, match="waits for Deal desk:"):
        deal.want("25")
    assert deal.discount(1).model_copy(update={"waits_for": None}).held_by(told_to_vendor=False) is None


def test_what_came_back_waits_for_its_requester_and_for_no_approvers_time() -> None:
    deal = a_bargain(playbook=GATED)
    deal.want("20", by=SELLER)
    waiting = deal.discount(1)
    assert waiting.decide_by == waiting.due_at is not None
    for state in (DiscountState.RETURNED, DiscountState.COUNTERED):
        back = waiting.but(state=state)
        assert (back.held_by(told_to_vendor=True), back.decide_by) == (SELLER.name, None)


def test_a_refusal_tells_a_partner_nothing_of_what_another_one_gives() -> None:
    stages = [a_stage("quote", exit={"by": "sign_off", "discount": "settled"})]
    deal = a_bargain(playbook=a_playbook(stages=stages), partners=(ASTER, BOREALIS))
    deal.want("20", by=SELLER)
    deal.ask(ask.Advance(), by=SELLER)
    for by, words in ((SELLER, "20 %"), (BOREALIS_SELLER, "of another partner")):
        with pytest.raises(DiscountPending, match=words):
            deal.ask(ask.Advance(), by=by)
    with pytest.raises(DiscountPending, match="of another partner") as refused:
        deal.want("25", by=BOREALIS_SELLER)
    assert refused.value.extra == {}
    deal.decided(ApprovalState.APPROVED)
    deal.change(amount=money("100000.00"))
    for by, words in ((SELLER, "100,000.00"), (BOREALIS_SELLER, NOT_TOLD)):
        with pytest.raises(DiscountOutsideGrant, match=words):
            deal.ask(ask.Advance(), by=by)


def test_what_was_kept_without_saying_whose_it_is_no_partner_reads() -> None:
    kept = OutsideGrant.model_validate({"since": NOW, "reasons": ["the deal is small"]})
    assert kept.reasons == ("the deal is small",)
    assert kept.read_by(ASTER.id).reasons == (NOT_TOLD,)
    assert OutsideGrant.model_validate(kept.model_dump(mode="json")) == kept
    assert OutsideGrant.model_validate(kept) == kept


def test_an_answer_of_before_is_of_the_one_who_gives_or_nobodys() -> None:
    found = Check(outside=("the deal is small",))
    for partners, giving, of in (
        ((ASTER,), [SELLER], ASTER.id),
        ((ASTER, BOREALIS), [SELLER, BOREALIS_SELLER], UUID(int=0)),
    ):
        deal = with_lines(partners=partners)
        for by, line in zip(giving, ("ERP", "support"), strict=False):
            deal.granted("20", line=line, by=by)
        after = checked(deal.deal, found, NOW).opportunity
        assert after.discount_outside is not None
        assert after.discount_outside.of(of) == found.outside


def test_words_of_a_request_say_against_whom() -> None:
    deal = with_lines()
    deal.want("20", line="line-3", competitor="Rival", competing_price=money("70000.00"))
    words = next(e.words for e in deal.entries if e.event.type == "discount_requested")
    expected = "Rosa Rep asked for 20 % off ERP suite, against Rival at 70,000.00 USD: A strategic account."
    assert words == expected


def test_a_grant_without_an_envelope_covers_whatever_there_is() -> None:
    """As nothing of ours makes one, but a record might."""
    deal = a_bargain()
    deal.granted("20")
    bare: Discount = deal.newest.model_copy(update={"envelope": None, "facts": None})
    deal.deal.discounts = (bare,)
    deal.change(amount=money("1.00"))
    assert deal.outside == []
    deal.later(days=200)
    assert deal.newest.state is DiscountState.GRANTED


def test_each_grant_ends_at_its_own_time() -> None:
    deal = with_lines()
    deal.granted("20", line="ERP")
    deal.later(days=10)
    deal.granted("20", line="support")
    deal.later(days=81)
    assert [each.state for each in deal.deal.discounts] == [DiscountState.LAPSED, DiscountState.GRANTED]


def test_what_changed_while_it_waited_is_looked_at_when_it_is_granted() -> None:
    deal = a_bargain()
    deal.granted("20")
    assert deal.checks == 0, "it is granted for the deal as it was judged"
    for amount in (money("100000.00"), money("100000.00", "CHF")):
        waiting = a_bargain()
        waiting.want("20")
        waiting.change(amount=amount)
        waiting.decided(ApprovalState.APPROVED)
        assert waiting.checks == 1
        assert waiting.outside
