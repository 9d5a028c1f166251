"""A task as a playbook writes it, and the texts and keys that everything in a playbook is made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.principal import Role, Side
from domain.span import BusinessDuration
from domain.value import Input

Key = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        max_length=60,
        description="Lower-case letters, digits and single hyphens, such as joint-demo.",
    ),
]
Title = Annotated[str, Field(min_length=1, max_length=120)]
Text = Annotated[str, Field(max_length=2000)]


class Part(Input):
    """A piece of a playbook: it never changes, and has no fields but its own."""


class PartnerRole(StrEnum):
    """What a partner does on a deal."""

    RESELLER = "reseller"
    REFERRAL = "referral"
    DISTRIBUTOR = "distributor"
    MANAGED_SERVICE = "managed_service"
    SYSTEM_INTEGRATOR = "system_integrator"
    TECHNOLOGY = "technology"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class TaskTemplate(Part):
    """A task that opens when its stage is entered."""

    key: Key
    title: Title
    side: Side = Field(description="Whose task it is: the vendor's or the partner's.")
    partner_role: PartnerRole | None = Field(
        default=None,
        description="For a partner's task: the role it is for. Without it, every partner has one.",
    )
    required: bool = Field(default=True, description="Whether the stage waits for it.")
    due: BusinessDuration | None = Field(
        default=None, description="Time from entering the stage to the deadline."
    )
    help: Text | None = Field(default=None, description="How to do it well.")
    answer: bool = Field(
        default=False, description="Completing it takes a note: the answer, which is handed over."
    )
    waive_by: tuple[Role, ...] | None = Field(
        default=None, description="Roles that may waive it; the playbook's `waive_by` where not given."
    )

    @model_validator(mode="after")
    def _role_is_for_partners(self) -> Self:
        if self.partner_role is not None and self.side is not Side.PARTNER:
            msg = "partner_role belongs to a task of side: partner"
            raise ValueError(msg)
        return self


Tasks = Annotated[tuple[TaskTemplate, ...], Field(max_length=50)]
