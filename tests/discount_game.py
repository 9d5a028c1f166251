"""A game of one deal with discounts: what its policy answers, how approvals end, and what always holds."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from domain.approval.state import ApprovalState
from domain.discount.assess import Asked, assess, check
from domain.discount.envelope import Envelope
from domain.discount.gather import Around
from domain.discount.submit import submission
from domain.errors import NoExchangeRate
from domain.money import Money
from domain.opportunity import events as did
from domain.opportunity.blockers import discount_blockers, gate_blockers
from domain.opportunity.commands_discount import DropDiscount, RequestDiscount
from domain.opportunity.decide_discount import approval_ended, assessed, checked, needs_check, to_assess
from domain.opportunity.discounts import in_force, pending
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.state import Opportunity, Status
from domain.playbook import HANDOFF
from domain.principal import Actor
from runtime.policies import RULES
from tests import factories
from tests.bargains import EURO, POLICY
from tests.deal_game import DealGame, pick
from tests.factories import REP

TIER = {factories.ASTER.id: "gold", factories.BOREALIS.id: "silver"}
percents = st.sampled_from(["3", "5", "12.5", "15", "20", "30", "45", "99.99"])
askers = st.sampled_from(
    [REP] * 6 + [factories.SELLER] * 3 + [*factories.VENDOR_PEOPLE, *factories.PARTNER_PEOPLE]
)


class DiscountGame(DealGame):
    """`DealGame` whose deal keeps the policy that ships."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.approved: dict[UUID, Envelope] = {}
        """What somebody approved, by discount: all that may ever be given beyond the standard."""

    @rule(
        by=askers,
        percent=percents,
        line=st.one_of(st.none(), st.none(), st.sampled_from(["ERP", "line-2", "nothing"])),
        price=st.one_of(st.none(), st.just(Money(amount="1000.00", currency="EUR"))),
    )
    def ask_for_a_discount(self, by: Actor, percent: str, line: str | None, price: Money | None) -> None:
        self.asked += 1
        command = RequestDiscount(
            id=factories.an_id(20_000 + self.asked),
            percent=percent,
            reason="They have another offer.",
            competing_price=price,
            line=line,
        )
        waiting = pending(self.deal)
        with contextlib.suppress(NoExchangeRate):  # as the activity would refuse, and with it the request
            assert not (self._try(command, by) and waiting), "one at a time"

    @rule(by=askers, number=st.integers(0, 10))
    def give_a_discount_up(self, by: Actor, number: int) -> None:
        if self.deal.discounts:
            self._try(DropDiscount(discount_id=pick(self.deal.discounts, number).id), by)

    @rule(
        state=st.sampled_from([ApprovalState.APPROVED] * 4 + list(ApprovalState)),
        number=st.integers(0, 30),
        less=st.sampled_from([None, None, "2", "11"]),
    )
    def an_approval_says(self, state: ApprovalState, number: int, less: str | None) -> None:
        """Of the one that waits, mostly; or of one that is over, which changes nothing."""
        with_approval = [each for each in self.deal.discounts if each.approval_id is not None]
        if not with_approval:
            return
        discount = pending(self.deal) or pick(with_approval, number)
        assert discount.approval_id is not None
        was_open = discount.is_pending
        percent = min(Decimal(less), discount.percent) if less else None
        offered = Decimal(1) if state is ApprovalState.COUNTERED else None
        outcome = approval_ended(
            self.deal, discount.approval_id, state, now=self.now, percent=percent, offered=offered
        )
        assert was_open or not outcome.entries, "what is over stays over"
        self._take(self.deal, outcome)

    # ------------------------------------------------------------------ as the process does it

    def _take(self, before: Opportunity | None, outcome: Outcome) -> None:
        found = self._assessed(outcome)
        if needs_check(before, found.opportunity):
            known = {POLICY.ref: POLICY}
            answer = check(found.opportunity, known, self._tiers(found.opportunity), RULES, self.now)
            found = found.then(checked(found.opportunity, answer, self.now))
        super()._take(before, found)

    def _assessed(self, outcome: Outcome) -> Outcome:
        while (waiting := to_assess(outcome.opportunity)) is not None:
            deal = outcome.opportunity
            tier = TIER.get(waiting.partner_id) if waiting.partner_id else None
            asked = Asked(deal, waiting, POLICY, Around(tier=tier, rates=EURO), self.now)
            found = assess(asked, RULES)
            if found.steps:
                approval_id = factories.an_id(40_000 + self.asked)
                submit = submission(deal, waiting, POLICY, found, approval_id)
                found = found.model_copy(update={"submission": submit, "waits_for": "Deal desk"})
            outcome = outcome.then(assessed(deal, found, self.now))
        return outcome

    def _tiers(self, deal: Opportunity) -> tuple[str | None, ...]:
        return (TIER.get(deal.partners[0].id),) if deal.partners else ()

    def _follow(self, entry: TimelineEntry) -> None:
        super()._follow(entry)
        event = entry.event
        if isinstance(event, did.DiscountGranted):
            self.approved[event.discount_id] = event.envelope
        elif isinstance(event, did.DiscountGrantedAtOnce):
            assert event.facts is not None
            covered = event.envelope in self.approved.values()
            assert covered or not event.facts.discount.beyond, "nothing beyond the standard without approval"
            assert covered or event.envelope.max_percent <= event.facts.discount.standard
        elif isinstance(event, did.Won) and hasattr(self, "deal"):
            assert not discount_blockers(self.deal), "nothing is won while a discount is unsettled"
        elif isinstance(event, did.StageEntered) and event.stage != HANDOFF and hasattr(self, "deal"):
            self._settled_before_leaving(event)

    def _settled_before_leaving(self, event: did.StageEntered) -> None:
        book = self.deal.playbook
        left = book.stage(event.from_stage or "")
        if (
            left is None
            or left.exit.discount is None
            or book.position(event.stage) <= book.position(left.key)
        ):
            return
        settled = {"discount_granted", "discount_granted_at_once", "discount_refused", "discount_dropped"}
        now = {each.event.type for each in self.log[-3:]} & (settled | {"discount_checked"})
        assert now or not discount_blockers(self.deal), "a stage that says so is left when all is settled"

    # ------------------------------------------------------------------ what is always so

    @invariant()
    def one_request_waits_at_most_and_for_somebody(self) -> None:
        waiting = [each for each in self.deal.discounts if each.is_pending]
        assert len(waiting) <= 1
        for each in waiting:
            assert each.approval_id is not None
            assert each.waits_for
            assert not self.deal.is_closed
        if (
            waiting
            and self.deal.status is Status.OPEN
            and self.deal.playbook.next_stage(self.deal.stage.key) is None
        ):
            codes = {blocker.code for blocker in gate_blockers(self.deal)}
            assert "discount_pending" in codes or self.deal.in_handoff

    @invariant()
    def a_grant_holds_for_a_partner_of_the_deal_and_in_its_time(self) -> None:
        for held in in_force(self.deal):
            assert held.partner_id is None or self.deal.partner(held.partner_id)
            assert held.envelope is not None

    @invariant()
    def what_is_beyond_the_standard_rests_on_an_approval(self) -> None:
        for held in in_force(self.deal):
            assert held.facts is not None
            if held.facts.discount.beyond:
                assert held.envelope in self.approved.values()

    @invariant()
    def parts_of_a_deal_have_one_grant_each(self) -> None:
        scopes = [held.line for held in in_force(self.deal)]
        assert len(set(scopes)) == len(scopes)
