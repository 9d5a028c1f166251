"""How people behave in a simulation, as data: how late they answer, who falls silent, what is asked for.

A behaviour is written in YAML, like a playbook. Chances go from 0 (never) to 1 (always).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.calendar import UTC_ZONE, Zone
from domain.discount.policy import Percent
from domain.duration import Duration
from domain.money import CurrencyCode
from domain.opportunity.state import LoseReason
from domain.partner import Tier
from domain.playbook import Key, Location, PlaybookDefinition, Text, Title
from domain.principal import Role
from domain.span import BusinessDuration
from domain.value import Input

AT_ONCE = "at_once"

Chance = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="From 0 (never) to 1 (always).")]
Spread = Annotated[float, Field(ge=1, le=20, allow_inf_nan=False)]
APPROVING = (Role.DEAL_DESK, Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN)
"""The roles whose behaviour can be written."""


def _some(parts: Iterable[int], what: str) -> None:
    if not any(parts):
        msg = f"{what} are all 0; give at least one a part"
        raise ValueError(msg)


class Delay(Input):
    """How long somebody takes: half of the time less than the median, mostly within the spread."""

    median: BusinessDuration | Literal["at_once"] = Field(
        description="Half of all take less: business time such as 4bh and 2bd, elapsed time such as 3d."
    )
    spread: Spread = Field(
        default=2.0,
        description=(
            "Two of three are between the median divided by this and the median times this (a log-normal "
            "distribution); 1 is always the median."
        ),
    )


class Silence(Input):
    """Some fall silent: from then on they do nothing, for a time or for good."""

    chance: Chance = 0
    begins: Delay = Field(default=Delay(median="30d"), description="Time from the opening of the deal.")
    lasts: Duration | None = Field(default=None, description="After that they are back; without it, never.")


class SideBehaviour(Input):
    """How the people of one side work."""

    answers: Delay = Field(
        default=Delay(median="2bd"), description="Time for a task, an agreement, or moving the deal on."
    )
    check_ins: Delay = Field(
        default=Delay(median="2bh"), description="How long after it is due they log a check-in."
    )
    misses: Chance = Field(default=0, description="How often they forget a check-in.")
    catches_up: Delay = Field(
        default=Delay(median="5bd"), description="How long after it was due they log one that they forgot."
    )


class PartnerBehaviour(SideBehaviour):
    """How partners work, and who of them falls silent."""

    silent: Silence = Silence()
    tiers: Annotated[dict[Tier, Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        default={Tier.GOLD: 1, Tier.SILVER: 1, Tier.REGISTERED: 1},
        description="How many deals are with partners of each tier, in parts.",
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        _some(self.tiers.values(), "tiers")
        return self


class VendorBehaviour(SideBehaviour):
    """How the vendor's people work."""

    patience: BusinessDuration | None = Field(
        default="90d", description="A stage that takes longer makes the owner give the deal up."
    )
    logs: Chance = Field(
        default=0.5, description="How many check-ins the vendor logs; partners log the rest."
    )


class CustomerBehaviour(Input):
    """How often customers say no, and why."""

    says_no: dict[Key, Chance] = Field(default={}, description="By the stage in which they say it.")
    says_no_anywhere: Chance = Field(default=0, description="In stages that `says_no` does not name.")
    answers: Delay = Field(
        default=Delay(median="5bd"), description="Time from the beginning of the stage to the no."
    )
    reasons: Annotated[dict[LoseReason, Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        default={LoseReason.NO_DECISION: 2, LoseReason.COMPETITOR: 1, LoseReason.NO_BUDGET: 1},
        description="Why, in parts.",
    )

    @model_validator(mode="after")
    def _some_reason(self) -> Self:
        _some(self.reasons.values(), "reasons")
        return self


class AmountBehaviour(Input):
    """What deals are worth."""

    median: Annotated[Decimal, Field(gt=0, le=10**9)] = Decimal(100_000)
    spread: Spread = 2.0
    currency: CurrencyCode = "USD"


class DiscountBehaviour(Input):
    """How often, when and how much is asked for."""

    chance: Chance = Field(default=0, description="In how many deals somebody asks.")
    stage: Key | None = Field(
        default=None, description="When that stage begins; without it, the first that waits for discounts."
    )
    asks: Delay = Field(default=Delay(median="2bd"), description="Time from the beginning of the stage.")
    median: Percent = Decimal(20)
    spread: Spread = 1.5
    lost_without: Chance = Field(default=0, description="How many deals a refusal loses, for the price.")


class Absence(Input):
    """Holidays: so many times a year, each so long."""

    times: Annotated[int, Field(ge=0, le=12)] = 2
    length: Duration = "2w"
    stand_in: bool = Field(default=True, description="A colleague of the same role decides meanwhile.")


class ApproverBehaviour(Input):
    """The people of one role who decide. Each takes one request after the other."""

    people: Annotated[int, Field(ge=1, le=100)] = 1
    decides_in: Delay = Field(default=Delay(median="2bh"), description="Working time for one decision.")
    rejects: Chance = 0
    away: Absence | None = None


class SuccessBehaviour(Input):
    """How customer success takes deals over."""

    answers: Delay = Delay(median="1bd")
    returns: Chance = Field(default=0, description="How many hand-offs come back; three times at most.")
    follow_ups: Delay = Field(
        default=Delay(median="4bh"), description="How long after it is due a follow-up is held."
    )


class Behaviour(Input):
    """Everybody, as somebody writes it for a simulation."""

    key: Key
    title: Title
    description: Text = ""
    starts: date = Field(
        default=date(2030, 1, 7), description="The first day: one to come, for a server to get there."
    )
    zone: Zone = Field(default=UTC_ZONE, description="Where all work, Monday to Friday, nine to five.")
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None, description="Whose public holidays are free (ISO 3166-1)."
    )
    arrivals: Duration | None = Field(
        default=None, description="Deals are opened, evenly, for so long; without it, all of the time."
    )
    closes: Duration | None = Field(
        default=None, description="When the signature is expected, from the opening on."
    )
    amount: AmountBehaviour = AmountBehaviour()
    vendor: VendorBehaviour = VendorBehaviour()
    partner: PartnerBehaviour = PartnerBehaviour()
    customer: CustomerBehaviour = CustomerBehaviour()
    discounts: DiscountBehaviour = DiscountBehaviour()
    approvers: dict[Role, ApproverBehaviour] = Field(
        default={}, description="By role: deal_desk, finance, sales_director, or admin."
    )
    customer_success: SuccessBehaviour = SuccessBehaviour()

    @model_validator(mode="after")
    def _vendors_approve(self) -> Self:
        for role in self.approvers:
            if role not in APPROVING:
                known = ", ".join(each.value for each in APPROVING)
                msg = f"approvers has {role.value}, who are not asked; there are {known}"
                raise ValueError(msg)
        return self

    def approver(self, role: Role) -> ApproverBehaviour:
        return self.approvers.get(role, ApproverBehaviour())


def unknown_stages(behaviour: Behaviour, playbook: PlaybookDefinition) -> Iterator[tuple[Location, str]]:
    """The stages that a behaviour names and the playbook does not have, and where."""
    known = ", ".join(stage.key for stage in playbook.stages)
    named: list[tuple[Location, str | None]] = [
        (("customer", "says_no", key), key) for key in behaviour.customer.says_no
    ]
    named.append((("discounts", "stage"), behaviour.discounts.stage))
    for at, key in named:
        if key is not None and playbook.stage(key) is None:
            yield at, f"the playbook {playbook.key} has no stage '{key}'; it has {known}"
