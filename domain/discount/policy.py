"""A discount policy: what a partner gives by itself, who approves what is beyond, and how long a grant lasts.

It is written in YAML and published as a numbered version that never changes, like a playbook.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, PlainSerializer, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.approval.policy import (
    FINAL_BACKUP,
    MAX_STEPS,
    ApproverRule,
    Location,
    PolicyRef,
    StepTemplate,
    step_problems,
)
from domain.duration import Duration
from domain.money import CurrencyCode
from domain.partner import Tier
from domain.percent import shown
from domain.playbook import Key, Text, Title
from domain.span import BusinessDuration
from domain.value import Input

Percent = Annotated[
    Decimal,
    Field(ge=0, le=100, max_digits=5, decimal_places=2, allow_inf_nan=False),
    PlainSerializer(shown, return_type=str),
]
"""0 to 100 with at most two digits after the point, as files say it: 15, 12.5 or "12.5"."""
ByTier = dict[Tier, Percent]
ProductLine = Annotated[str, Field(min_length=1, max_length=100)]


class StandardDiscounts(Input):
    """What may be given without asking, in percent off the list price."""

    tiers: ByTier = Field(default={}, description="By the partner's tier; 0 for a tier that is not named.")
    without_partner: Percent = Field(default=Decimal(0), description="Where the vendor sells alone.")
    lines: dict[ProductLine, ByTier] = Field(
        default={}, description="By product line, where that is other than for the deal."
    )

    def of(self, tier: str | None, line: str | None = None) -> Decimal:
        """The standard discount of a partner of this tier, on this product line if it is one's."""
        known = {each.value: percent for each, percent in self.tiers.items()}
        if line is not None and line in self.lines:
            known |= {each.value: percent for each, percent in self.lines[line].items()}
        return known.get(tier or "", Decimal(0))

    def least(self, tiers: Iterable[str | None], line: str | None = None) -> Decimal:
        """The lowest of what partners of these tiers may give; without any, what the vendor may alone."""
        return min((self.of(tier, line) for tier in tiers), default=self.without_partner)


class GrantTerms(Input):
    """How far a grant reaches that somebody approved."""

    valid: Duration = Field(default="90d", description="How long it can be used, from the approval on.")
    amount_floor_percent: Percent = Field(
        default=Decimal(80),
        description="How much of the deal's amount must be left, in percent of that at the request.",
    )
    value_ceiling_percent: Annotated[Decimal, Field(ge=100, le=1000, decimal_places=2)] = Field(
        default=Decimal(125),
        description=(
            "How much may be given away, in percent of that at the request; "
            "holds where a step that approved asks for discount.value."
        ),
    )


class DiscountStep(StepTemplate):
    """A step of a discount's approval."""

    minds: Annotated[tuple[str, ...], Field(max_length=20)] = Field(
        default=(),
        description=(
            "Facts besides those in `when` whose getting worse after the approval asks this step again, "
            "such as deal.amount."
        ),
    )


class DiscountPolicyDefinition(Input):
    """A policy as somebody writes it; publishing gives it a version."""

    key: Key
    title: Title
    description: Text = ""
    currency: CurrencyCode = Field(
        default="USD", description="The currency of all amounts in its rules; others are converted."
    )
    standard: StandardDiscounts = StandardDiscounts()
    steps: Annotated[tuple[DiscountStep, ...], Field(max_length=MAX_STEPS)] = ()
    request_expires: BusinessDuration = Field(
        default="30d", description="After this time a request that nobody decided on ends."
    )
    grant: GrantTerms = GrantTerms()
    several_at_once: bool = Field(
        default=True, description="Whether an approver may decide on several requests at once."
    )
    backup: Annotated[tuple[ApproverRule, ...], Field(min_length=1, max_length=5)] = Field(
        default=FINAL_BACKUP, description="Who is asked at last: the first of these that names anybody."
    )

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Self:
        found = [_problem(("steps", *at), what) for at, what in self._wrong_steps()]
        if found:
            raise ValidationError.from_exception_data("policy", found)
        return self

    def _wrong_steps(self) -> Iterator[tuple[Location, str]]:
        yield from step_problems(self.steps)

    def step(self, key: str) -> DiscountStep | None:
        return next((step for step in self.steps if step.key == key), None)


def _problem(at: Location, what: str) -> InitErrorDetails:
    kind = PydanticCustomError("policy", "{what}", {"what": what})
    return InitErrorDetails(type=kind, loc=at, input=None)


class DiscountPolicy(DiscountPolicyDefinition):
    """A published version, as a deal keeps it."""

    version: int = Field(ge=1)

    @property
    def ref(self) -> PolicyRef:
        return PolicyRef(key=self.key, version=self.version)
