"""Past requests through a draft, the policy's own shape, and what an approval is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.approval.directory import Directory, PersonEntry
from domain.approval.resolve import preview
from domain.approval.state import ApprovalState
from domain.discount.assess import Assessment
from domain.discount.envelope import Envelope, fits
from domain.discount.facts import SAMPLE, fact_names, worsened
from domain.discount.policy import DiscountPolicyDefinition
from domain.discount.replay import PastRequest, replay
from domain.discount.state import Discount
from domain.discount.submit import holders, resolving, submission, templates
from domain.money import Money
from domain.opportunity.discounts import priced
from domain.principal import Role
from domain.rates import Rates
from runtime import cel
from runtime.policies import RULES
from tests.bargains import EURO, POLICY, Bargain, a_bargain, changed, money
from tests.factories import ASTER, DESK, DIRECTOR, NOW, REP, SELLER, VENDOR_ID, an_id, person, somebody

TITLES = {(POLICY.key, POLICY.version): {step.key: step.title for step in POLICY.steps}}


def past(*deals: Bargain) -> list[PastRequest]:
    return [
        PastRequest(opportunity_id=an_id(7000 + number), title=deal.deal.title, discount=discount)
        for number, deal in enumerate(deals)
        for discount in deal.deal.discounts
    ]


def after(deals: list[Bargain], **changes: Any) -> Any:
    draft = DiscountPolicyDefinition.model_validate(changed(**changes).model_dump(exclude={"version"}))
    return replay(past(*deals), draft, RULES, TITLES)


def three() -> list[Bargain]:
    """15 % at once, 20 % approved by the desk, 22 % rejected by it: of 250,000.00 each."""
    at_once, approved, rejected = a_bargain(), a_bargain(), a_bargain()
    at_once.want("15")
    approved.granted("20")
    rejected.want("22")
    rejected.decided(ApprovalState.REJECTED)
    return [at_once, approved, rejected]


# ------------------------------------------------------------------ replay


def test_the_same_policy_changes_nothing() -> None:
    report = after(three())
    assert (report.requests, report.changed, report.more_approvals, report.more_given) == (3, 0, 0, 0)
    assert report.by_step == {"Deal desk": 2}
    assert (report.at_once_before, report.at_once_after) == (1, 1)
    assert report.given_after == 37500 + 50000


def test_a_larger_standard_asks_less_and_gives_more() -> None:
    report = after(three(), standard={"tiers": {"gold": 25}})
    assert (report.changed, report.more_approvals) == (2, -2)
    assert report.more_given == 55000, "what was rejected would have been granted at once"
    assert report.items[0].words == "nobody instead of Deal desk"


def test_a_smaller_standard_asks_more() -> None:
    report = after(three(), standard={"tiers": {"gold": 10}})
    assert report.more_approvals == 2
    assert report.more_given == 0, "they would have decided as they did"
    words = {each.words for each in report.items}
    assert words == {"Deal desk instead of nobody", "Deal desk and Finance instead of Deal desk"}
    assert report.by_step == {"Deal desk": 3, "Finance": 1}


def test_what_a_grant_before_covered_asked_nobody_and_is_given_away_once() -> None:
    deal = a_bargain()
    deal.granted("30")
    deal.want("26")
    report = after([deal])
    assert (report.requests, report.changed) == (2, 0)
    assert (report.approvals_before, report.at_once_before) == (2, 1), "nobody was asked about the better one"
    assert report.given_before == report.given_after == 65000, "26 %, which took the place of 30 %"
    report = after([deal], standard={"tiers": {"gold": 26}})
    assert [item.words for item in report.items] == ["Deal desk instead of Deal desk and Finance"]


def test_steps_that_had_approved_before_are_not_counted_again() -> None:
    deal = a_bargain()
    deal.granted("30")
    deal.change(amount=money("150000"))
    deal.want("30")
    assert deal.newest.asked == ("deal-desk",), "the amount is the deal desk's business"
    report = after([deal])
    assert (report.approvals_before, report.approvals_after, report.changed) == (3, 3, 0)


def test_what_would_not_have_been_refused_takes_the_place_of_the_grant_before() -> None:
    deal = a_bargain()
    deal.want("15")
    deal.want("24")
    deal.decided(ApprovalState.REJECTED)
    report = after([deal], standard={"tiers": {"gold": 25}})
    assert (report.given_before, report.given_after) == (37500, 60000)


def test_a_draft_in_another_currency_is_told_at_the_rates_of_then() -> None:
    deal = a_bargain(amount=Money(amount="100000.00", currency="EUR"))
    deal.granted("20")
    report = after([deal], currency="EUR")
    assert (report.changed, report.given_after) == (0, 20000)


def test_what_cannot_be_told_is_left_out_with_the_reason() -> None:
    deal = a_bargain()
    deal.granted("20")
    report = after([deal], currency="EUR")
    assert report.requests == 0
    assert "exchange rate" in report.skipped[0].why
    bare: Discount = deal.newest.model_copy(update={"facts": None, "policy": None})
    unknown = PastRequest(opportunity_id=deal.deal.id, title="Bare", discount=bare)
    assert replay([unknown], POLICY, RULES).skipped[0].title == "Bare"


def test_steps_of_a_policy_that_is_not_known_are_told_by_key() -> None:
    deal = a_bargain()
    deal.granted("20")
    [item] = replay(past(deal), POLICY, RULES).items
    assert item.before == ("deal-desk",)
    loose = deal.newest.model_copy(update={"policy": None})
    again = PastRequest(opportunity_id=deal.deal.id, title="Loose", discount=loose)
    assert replay([again], POLICY, RULES).items[0].before == ("deal-desk",)
    assert not after([deal]).items


# ------------------------------------------------------------------ facts


def test_every_fact_has_a_name_and_worse_means_worse_for_the_vendor() -> None:
    assert "discount.beyond" in fact_names()
    assert worsened(SAMPLE, SAMPLE) == frozenset()
    assert worsened(SAMPLE, SAMPLE.asking(Decimal(30))) == {
        "discount.percent",
        "discount.beyond",
        "discount.value",
        "margin.percent",
    }
    assert worsened(SAMPLE, SAMPLE.asking(Decimal(10))) == frozenset()
    unknown = SAMPLE.model_copy(update={"margin": type(SAMPLE.margin)()})
    assert worsened(SAMPLE, unknown) == {"margin.known"}
    assert worsened(unknown, SAMPLE) == frozenset()


def test_nothing_sold_leaves_no_margin() -> None:
    margin = type(SAMPLE.margin).of(Decimal(0), Decimal(10))
    assert (margin.percent, margin.below_cost) == (Decimal(0), True)


# ------------------------------------------------------------------ envelope and policy


def test_a_grant_for_a_partner_that_is_not_on_the_deal_covers_nothing() -> None:
    envelope = Envelope(max_percent=Decimal(20), partner_id=ASTER.id, until=NOW, line="ERP")
    found = fits(envelope, priced(a_bargain(partners=()).deal), Rates(), NOW)
    assert [violation.fact for violation in found] == ["grant.until", "partner.name"]
    assert envelope.words == "up to 20 %, on ERP, until 1 March 2027"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"key": "a", "after": ["b"]}], "there is no step 'b'"),
        ([{"key": "a", "after": ["b"]}, {"key": "b", "after": ["a"]}], "would wait for itself"),
        ([{"key": "a"}, {"key": "a"}], "another step has the key"),
    ],
)
def test_steps_that_do_not_fit_together_are_refused(steps: list[dict[str, Any]], said: str) -> None:
    whole = [{"title": "Step", "approvers": [{"role": "admin"}], **step} for step in steps]
    with pytest.raises(ValidationError, match=said):
        changed(steps=whole)


def test_an_unknown_step_is_none() -> None:
    assert POLICY.step("nobody") is None


# ------------------------------------------------------------------ what the approval is asked


def test_the_approval_knows_all_steps_and_which_are_needed() -> None:
    deal = a_bargain()
    deal.want("30")
    submit = _submitted(deal)
    assert [step.key for step in submit.steps] == [step.key for step in POLICY.steps]
    assert submit.fired == ("deal-desk", "finance")
    assert submit.terms["grant"].startswith("up to 30 %, for at least 200,000.00 USD")
    assert submit.subject.title == "ERP rollout"
    assert submit.asked_for is None
    assert set(submit.internal_facts) <= set(submit.facts)
    assert templates(POLICY) == submit.steps


def test_a_colleague_asks_in_the_owners_name_and_a_partner_in_its_own() -> None:
    colleague = somebody(199, "Rudi Rep", Role.SALES_REP)
    deal = a_bargain()
    deal.want("30", by=colleague)
    assert _submitted(deal).asked_for == person(REP)
    theirs = a_bargain()
    theirs.want("30", by=SELLER)
    assert _submitted(theirs).asked_for is None
    assert _submitted(theirs).subject.partner_id == ASTER.id


def test_who_would_hold_it_is_known_before() -> None:
    deal = a_bargain()
    deal.want("50")
    submit = _submitted(deal)
    people = Directory(
        people=tuple(
            PersonEntry(
                id=each.id or an_id(0),
                name=each.name,
                email=f"{each.name.split()[0].lower()}@vendor.example",
                roles=each.roles,
                organisation_id=VENDOR_ID,
            )
            for each in (DESK, DIRECTOR)
        )
    )
    request = resolving(submit, REP.id, NOW)
    words, due = holders(preview(submit.steps, submit.fired, request, people, cel.answer))
    assert words == "Deal desk and Finance"
    assert due is not None
    assert due > NOW


def _submitted(deal: Bargain) -> Any:
    discount = deal.newest
    assert discount.facts is not None
    assert discount.offer is not None
    found = Assessment(
        discount_id=discount.id,
        policy=POLICY.ref,
        facts=discount.facts,
        rates=EURO,
        steps=discount.steps,
        offer=discount.offer,
        valid="90d",
    )
    return submission(deal.deal, discount, POLICY, found, an_id(42))
