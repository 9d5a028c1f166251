"""Past requests through a draft of a policy: who would have been asked, and what would have been given.

Pure. What people would have decided nobody knows: where somebody is still asked, they decide as they
did; what needs nobody any more is given as it was asked for. Approvals that a request had from one
before it are asked for by neither. What was granted later for the same part of a deal takes the place
of what was granted before: a discount is the total, and is given away once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.discount.assess import Rules
from domain.discount.facts import DiscountFacts
from domain.discount.policy import DiscountPolicy, DiscountPolicyDefinition
from domain.discount.state import Discount, DiscountState
from domain.errors import NoExchangeRate
from domain.money import Money
from domain.opportunity.wording import listed
from domain.percent import Percent
from domain.value import Value

_GIVEN = frozenset({DiscountState.GRANTED, DiscountState.LAPSED, DiscountState.REPLACED})
"""What was granted at some time, whatever became of the grant."""


class PastRequest(Value):
    """A request as its deal has kept it."""

    opportunity_id: UUID
    title: str
    discount: Discount


class Replayed(Value):
    """One request under both policies. `before` and `after` are the steps that were, and would be, asked."""

    opportunity_id: UUID
    discount_id: UUID
    title: str
    percent: Percent
    requested_at: AwareDatetime
    state: DiscountState
    before: tuple[str, ...]
    after: tuple[str, ...]
    given_before: Decimal
    given_after: Decimal

    @property
    def granted_before(self) -> bool:
        """Whether it was granted at some time."""
        return self.state in _GIVEN

    @property
    def granted_after(self) -> bool:
        """Whether it would have been."""
        return self.granted_before or not self.after

    @property
    def changed(self) -> bool:
        return (self.before, self.given_before) != (self.after, self.given_after)

    @property
    def words(self) -> str:
        """Who would have been asked, against who was, as a clause."""
        before = listed(self.before, "and") or "nobody"
        after = listed(self.after, "and") or "nobody"
        return f"{after} instead of {before}"


class Skipped(Value):
    """A request that cannot be told under the draft, and why."""

    opportunity_id: UUID
    discount_id: UUID
    title: str
    why: str


class ReplayReport(Value):
    """What a draft would change. Amounts are in the draft's currency; approvals are steps that are asked."""

    policy: str
    currency: str
    requests: int = 0
    changed: int = 0
    approvals_before: int = 0
    approvals_after: int = 0
    at_once_before: int = 0
    at_once_after: int = 0
    given_before: Decimal = Decimal(0)
    given_after: Decimal = Decimal(0)
    by_step: dict[str, int] = Field(default={}, description="How often each step would have been asked.")
    items: tuple[Replayed, ...] = Field(default=(), description="The requests that change, newest first.")
    skipped: tuple[Skipped, ...] = ()

    @property
    def more_approvals(self) -> int:
        """How many approvals more the draft asks for; below 0 for fewer."""
        return self.approvals_after - self.approvals_before

    @property
    def more_given(self) -> Decimal:
        """How much more the draft gives away; below 0 for less."""
        return self.given_after - self.given_before


class Replaying:
    """Requests on their way through a draft, as many at a time as there is room for.

    `titles` are those of the steps of earlier versions, by key and version, for reading.
    """

    def __init__(
        self,
        draft: DiscountPolicyDefinition,
        rules: Rules,
        titles: dict[tuple[str, int], dict[str, str]] | None = None,
    ) -> None:
        self._policy = DiscountPolicy(**{**dict(draft), "version": 1})
        self._rules = rules
        self._titles = titles or {}
        self._sums = ReplayReport(policy=draft.key, currency=draft.currency).model_dump()
        self._asked: Counter[str] = Counter()
        self._changed: list[Replayed] = []
        self._skipped: list[tuple[datetime, Skipped]] = []

    def take(self, past: Iterable[PastRequest]) -> None:
        """Run these through the draft as well: with all requests of their deals, in order."""
        before: dict[tuple[UUID, str | None], Decimal] = {}
        after: dict[tuple[UUID, str | None], Decimal] = {}
        for each in past:
            try:
                told = _one(each, self._policy, self._rules, self._titles)
            except NoExchangeRate as missing:
                told = _skip(each, missing.detail)
            if isinstance(told, Skipped):
                self._skipped.append((each.discount.requested_at, told))
                continue
            self._count(told)
            part = each.opportunity_id, each.discount.line
            if told.granted_before:
                before[part] = told.given_before
            if told.granted_after:
                after[part] = told.given_after
        self._sums["given_before"] += sum(before.values(), Decimal(0))
        self._sums["given_after"] += sum(after.values(), Decimal(0))

    def _count(self, told: Replayed) -> None:
        sums = self._sums
        sums["requests"] += 1
        sums["changed"] += told.changed
        sums["approvals_before"] += len(told.before)
        sums["approvals_after"] += len(told.after)
        sums["at_once_before"] += not told.before
        sums["at_once_after"] += not told.after
        self._asked.update(told.after)
        if told.changed:
            self._changed.append(told)

    def report(self) -> ReplayReport:
        """What the draft would have changed, the newest first."""
        titles = [step.title for step in self._policy.steps]
        items = sorted(self._changed, key=lambda each: each.requested_at, reverse=True)
        skipped = sorted(self._skipped, key=lambda each: each[0], reverse=True)
        return ReplayReport(
            **{
                **self._sums,
                "by_step": {title: self._asked[title] for title in titles if self._asked[title]},
                "items": tuple(items),
                "skipped": tuple(each for _, each in skipped),
            }
        )


def replay(
    past: Iterable[PastRequest],
    draft: DiscountPolicyDefinition,
    rules: Rules,
    titles: dict[tuple[str, int], dict[str, str]] | None = None,
) -> ReplayReport:
    """All these requests through the draft."""
    replaying = Replaying(draft, rules, titles)
    replaying.take(past)
    return replaying.report()


def _one(
    past: PastRequest,
    policy: DiscountPolicy,
    rules: Rules,
    titles: dict[tuple[str, int], dict[str, str]],
) -> Replayed | Skipped:
    discount = past.discount
    if discount.facts is None:
        return _skip(past, "Nothing was known about it yet when it was given up.")
    known = titles.get((discount.policy.key, discount.policy.version), {}) if discount.policy else {}
    facts = _under(policy, discount.facts.asking(discount.asked_percent), discount)
    keys = set(rules.firing(policy, facts)) - set(discount.carried)
    before = _value(policy, discount.facts, discount) if discount.state in _GIVEN else Decimal(0)
    return Replayed(
        opportunity_id=past.opportunity_id,
        discount_id=discount.id,
        title=past.title,
        percent=discount.asked_percent,
        requested_at=discount.requested_at,
        state=discount.state,
        before=_titles(discount.asked, known),
        after=tuple(step.title for step in policy.steps if step.key in keys),
        given_before=before,
        given_after=before if keys else facts.discount.value,
    )


def _titles(asked: tuple[str, ...], known: dict[str, str]) -> tuple[str, ...]:
    """What the steps are called, in the policy's order; those that are not known at the end, by key."""
    titles = {**known, **{key: key for key in asked if key not in known}}
    return tuple(title for key, title in titles.items() if key in asked)


def _under(policy: DiscountPolicy, facts: DiscountFacts, discount: Discount) -> DiscountFacts:
    """The facts with the draft's standard discount, in the draft's currency."""
    tiers = (facts.partner.tier,) if discount.partner_id is not None else ()
    standard = policy.standard.least(tiers, facts.discount.line or None)
    asked = facts.discount.but(standard=standard)
    changed = facts.but(discount=asked)
    if facts.currency != policy.currency:
        changed = _converted(changed, discount, policy.currency)
    return changed.asking(discount.asked_percent)


def _converted(facts: DiscountFacts, discount: Discount, currency: str) -> DiscountFacts:
    def told(amount: Decimal) -> Decimal:
        money = Money(amount=amount, currency=facts.currency)
        return discount.rates.convert(money, currency).amount

    return facts.but(
        currency=currency,
        deal=facts.deal.but(amount=told(facts.deal.amount)),
        margin=facts.margin.but(cost=told(facts.margin.cost)),
        discount=facts.discount.but(competing_price=told(facts.discount.competing_price)),
        elsewhere=tuple(other.but(value=told(other.value)) for other in facts.elsewhere),
    )


def _value(policy: DiscountPolicy, facts: DiscountFacts, discount: Discount) -> Decimal:
    """What was given away, in the draft's currency."""
    money = Money(amount=facts.discount.value, currency=facts.currency)
    return discount.rates.convert(money, policy.currency).amount


def _skip(past: PastRequest, why: str) -> Skipped:
    return Skipped(
        opportunity_id=past.opportunity_id, discount_id=past.discount.id, title=past.title, why=why
    )
