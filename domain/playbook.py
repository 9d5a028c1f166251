"""A playbook: how a kind of deal is worked, as data.

A playbook is written in YAML, published as a numbered version that never
changes, and pinned by every deal that starts with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_serializer, model_validator

from domain.duration import Duration
from domain.principal import Role, Side

HANDOFF = "handoff"
"""The key of the stage that every won deal enters; no stage of a playbook may have it."""

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


class Phase(StrEnum):
    """Where a deal stands, whatever its playbook calls its stages: so that deals add up."""

    PROSPECT = "prospect"
    QUALIFIED = "qualified"
    TECHNICAL_VALIDATION = "technical_validation"
    BUSINESS_VALIDATION = "business_validation"
    COMMITTED = "committed"
    LAUNCHED = "launched"

    @property
    def title(self) -> str:
        return self.value.replace("_", " ").capitalize()


class PartnerRole(StrEnum):
    """What a partner does on a deal."""

    RESELLER = "reseller"
    REFERRAL = "referral"
    DISTRIBUTOR = "distributor"
    MANAGED_SERVICE = "managed_service"
    SYSTEM_INTEGRATOR = "system_integrator"
    TECHNOLOGY = "technology"

    @property
    def title(self) -> str:
        return self.value.replace("_", " ")


class ExitBy(StrEnum):
    """What opens a stage's gate."""

    TASKS = "tasks"
    RULE = "rule"
    SIGN_OFF = "sign_off"


class Advance(StrEnum):
    """Who moves the deal on once the gate is open."""

    AUTOMATIC = "automatic"
    PERSON = "person"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Content(_Part):
    """Something to use in a stage: a deck, a form, a recording."""

    title: Title
    url: HttpUrl

    @field_serializer("url")
    def _url(self, url: HttpUrl) -> str:
        return str(url)


class TaskTemplate(_Part):
    """A task that opens when its stage is entered."""

    key: Key
    title: Title
    side: Side = Field(description="Whose task it is: the vendor's or the partner's.")
    partner_role: PartnerRole | None = Field(
        default=None,
        description="For a partner's task: the role it is for. Without it, every partner on the deal has one.",
    )
    required: bool = Field(default=True, description="Whether the stage waits for it.")
    due: Duration | None = Field(default=None, description="Time from entering the stage to the deadline.")
    help: Text | None = Field(default=None, description="How to do it well.")
    waive_by: tuple[Role, ...] | None = Field(
        default=None, description="Roles that may waive it; the playbook's `waive_by` where not given."
    )

    @model_validator(mode="after")
    def _role_is_for_partners(self) -> Self:
        if self.partner_role is not None and self.side is not Side.PARTNER:
            msg = "partner_role belongs to a task of side: partner"
            raise ValueError(msg)
        return self


class Exit(_Part):
    """When and how a stage is left."""

    by: ExitBy = Field(
        default=ExitBy.TASKS,
        description=(
            "tasks: all required tasks are closed. rule: the CEL expression in `rule` is true. "
            "sign_off: all required tasks are closed and both sides have agreed."
        ),
    )
    rule: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="A CEL expression over the deal's facts; only with by: rule."
    )
    advance: Advance = Field(
        default=Advance.PERSON,
        description="automatic: the deal moves on by itself. person: somebody moves it on.",
    )

    @model_validator(mode="after")
    def _rule_goes_with_by(self) -> Self:
        if (self.by is ExitBy.RULE) != (self.rule is not None):
            msg = "by: rule wants a rule, and a rule wants by: rule"
            raise ValueError(msg)
        return self


def _duplicates(keys: Iterable[str]) -> list[str]:
    return sorted(key for key, count in Counter(keys).items() if count > 1)


class Stage(_Part):
    """One step of the way, with the tasks of both sides."""

    key: Key
    title: Title
    phase: Phase = Field(description="The canonical phase, so that deals of different playbooks add up.")
    probability: int = Field(ge=0, le=100, description="Chance to win from here, in percent.")
    target: Duration | None = Field(default=None, description="How long the stage should take at most.")
    check_in: Duration | None = Field(default=None, description="How often both sides check in.")
    help: Text | None = None
    exit: Exit = Exit()
    content: tuple[Content, ...] = ()
    tasks: tuple[TaskTemplate, ...] = ()


class HandOffTemplate(_Part):
    """What happens between the signature and the acceptance by customer success."""

    title: Title = "Hand-off"
    target: Duration | None = None
    help: Text | None = None
    tasks: tuple[TaskTemplate, ...] = ()


class PlaybookDefinition(_Part):
    """A playbook as somebody writes it; publishing gives it a version."""

    key: Key
    title: Title
    description: Text = ""
    partner_roles: tuple[PartnerRole, ...] = Field(
        default=(), description="Partner roles that a deal of this kind wants."
    )
    waive_by: tuple[Role, ...] = Field(
        default=(Role.SALES_REP, Role.SALES_DIRECTOR, Role.ADMIN),
        description="Roles that may waive a task, with a reason.",
    )
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=20)]
    handoff: HandOffTemplate = HandOffTemplate()

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        if again := _duplicates(stage.key for stage in self.stages):
            msg = f"two stages have the key '{again[0]}'"
            raise ValueError(msg)
        if any(stage.key == HANDOFF for stage in self.stages):
            msg = f"the key '{HANDOFF}' is kept for the hand-off after winning"
            raise ValueError(msg)
        if again := _duplicates(task.key for task in self.all_tasks()):
            msg = f"two tasks have the key '{again[0]}'; task keys are unique in the whole playbook"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _phases_go_forward(self) -> Self:
        order = list(Phase)
        ranks = [order.index(stage.phase) for stage in self.stages]
        for before, after, stage in zip(ranks, ranks[1:], self.stages[1:], strict=False):
            if after < before:
                msg = (
                    f"stage '{stage.key}' goes back to the phase {stage.phase.value}; phases only go forward"
                )
                raise ValueError(msg)
        return self

    def all_tasks(self) -> Iterator[TaskTemplate]:
        """Every task of every stage and of the hand-off, in order."""
        for stage in self.stages:
            yield from stage.tasks
        yield from self.handoff.tasks

    def stage(self, key: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.key == key), None)

    def position(self, key: str) -> int:
        """Where the stage stands, from 0; the hand-off stands after the last."""
        return next((i for i, stage in enumerate(self.stages) if stage.key == key), len(self.stages))

    def next_stage(self, key: str) -> Stage | None:
        """The stage after this one; None after the last and after the hand-off."""
        following = self.position(key) + 1
        return self.stages[following] if following < len(self.stages) else None

    def tasks_of(self, stage_key: str) -> tuple[TaskTemplate, ...]:
        if stage_key == HANDOFF:
            return self.handoff.tasks
        stage = self.stage(stage_key)
        return stage.tasks if stage else ()


class Playbook(PlaybookDefinition):
    """A published version, as a deal pins it."""

    version: int = Field(ge=1)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Frozen all the way down: copies of a deal share it.
        return self
