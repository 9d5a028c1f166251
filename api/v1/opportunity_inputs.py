"""What the API takes about opportunities."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from api.fields import (
    CountryCode,
    Custom,
    Day,
    Domain,
    Input,
    Instant,
    MoneyInput,
    Name,
    Reason,
    ShortText,
    Words,
)
from api.v1.opportunity_shapes import ASTER, SAM
from domain.opportunity.state import LoseReason
from domain.playbook import PartnerRole
from domain.principal import Side


class CustomerInput(Input):
    """The buyer. `account_id` names an account that is there; else one is found, or made."""

    name: Name
    domain: Domain | None = None
    country: CountryCode | None = None
    industry: ShortText | None = None
    account_id: UUID | None = None


class PartnerInput(Input):
    """A partner to take part, and as what."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"partner_id": ASTER, "role": "reseller"}]}
    )

    partner_id: UUID
    role: PartnerRole


class OpportunityInput(Input):
    """A new opportunity."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "ERP rollout",
                    "customer": {"name": "Acme", "domain": "acme.example", "country": "US"},
                    "amount": {"amount": "250000.00", "currency": "USD"},
                    "expected_close": "2027-03-31",
                    "playbook": "it-software",
                    "partners": [{"partner_id": ASTER, "role": "reseller"}],
                    "custom": {"segment": "enterprise"},
                }
            ]
        },
    )

    title: Name
    customer: CustomerInput
    amount: MoneyInput | None = None
    expected_close: Day | None = None
    playbook: Annotated[str, Field(max_length=60)]
    partners: Annotated[list[PartnerInput], Field(default_factory=list, max_length=10)]
    owner_id: UUID | None = None
    custom: Annotated[Custom, Field(default_factory=dict)]


class OpportunityPatch(Input):
    """Changes: only the fields that are given; null clears one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "amount": {"amount": "240000.00", "currency": "USD"},
                    "expected_close": "2027-04-30",
                }
            ]
        },
    )

    title: Name | None = None
    amount: MoneyInput | None = None
    expected_close: Day | None = None
    owner_id: UUID | None = None
    custom: Custom | None = None


class NoBody(Input):
    """Nothing is asked for; a field that somebody sends is refused, so that nothing said is lost."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class NoteBody(Input):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "Sent by mail."}]})

    note: Words | None = None


class WinBody(NoteBody):
    """`contract_ends`: the day on which what was signed ends; the renewal opens some time before."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"note": "Signed today.", "contract_ends": "2028-03-31"}]},
    )

    contract_ends: date | None = None


class ReasonBody(Input):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The customer has it already."}]}
    )

    reason: Reason


class AssignBody(Input):
    """Who shall do it; null for nobody."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user_id": SAM["id"]}]})

    user_id: UUID | None


class TaskInput(Input):
    """An ad-hoc task in the current stage."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"title": "Get the security questionnaire", "side": "vendor", "required": False}]
        },
    )

    title: Name
    side: Side
    partner_id: UUID | None = None
    required: bool = False
    due_at: Instant | None = None
    help: Words | None = None
    assignee_id: UUID | None = None


class MoveBody(Input):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"stage": "joint-qualification", "reason": "The budget owner has changed."}]
        },
    )

    stage: Annotated[str, Field(max_length=60)]
    reason: Reason


class HoldBody(Input):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "Budget freeze until the new year.", "until": "2027-01-04T08:00:00Z"}]
        },
    )

    reason: Reason
    until: Instant | None = None


class LoseBody(Input):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "competitor", "note": "Bought from the incumbent."}]},
    )

    reason: LoseReason
    note: Words | None = None


class ReopenBody(Input):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "They called again."}]}
    )

    reason: Reason | None = None
