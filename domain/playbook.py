"""A playbook: how a kind of deal is worked, as data.

A playbook is written in YAML, published as a numbered version that never
changes, and pinned by every deal that starts with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    Field,
    HttpUrl,
    ValidationError,
    field_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.ladder import Clock, Ladders
from domain.playbook_handoff import AfterWinning
from domain.principal import Role, Side
from domain.read_once import ReadOnce
from domain.span import BusinessDuration
from domain.task_template import Key, Part, PartnerRole, Tasks, TaskTemplate, Text, Title
from domain.trigger import Moment, Trigger, Triggers
from domain.value import Labelled

HANDOFF = "handoff"
"""The key of the stage that every won deal enters; no stage of a playbook may have it."""

__all__ = [
    "HANDOFF",
    "Advance",
    "Content",
    "DiscountExit",
    "Exit",
    "ExitBy",
    "HandOffTemplate",
    "Key",
    "Location",
    "PartnerRole",
    "Phase",
    "Playbook",
    "PlaybookDefinition",
    "Stage",
    "TaskTemplate",
    "Text",
    "Title",
]


class Phase(Labelled):
    """Where a deal stands, whatever its playbook calls its stages: so that deals add up."""

    PROSPECT = "prospect"
    QUALIFIED = "qualified"
    TECHNICAL_VALIDATION = "technical_validation"
    BUSINESS_VALIDATION = "business_validation"
    COMMITTED = "committed"
    LAUNCHED = "launched"


class ExitBy(StrEnum):
    """What opens a stage's gate."""

    TASKS = "tasks"
    RULE = "rule"
    SIGN_OFF = "sign_off"


class Advance(StrEnum):
    """Who moves the deal on once the gate is open."""

    AUTOMATIC = "automatic"
    PERSON = "person"


class DiscountExit(StrEnum):
    """What a stage's gate asks of the deal's discounts."""

    SETTLED = "settled"


class Content(Part):
    """Something to use in a stage: a deck, a form, a recording."""

    title: Title
    url: HttpUrl

    @field_serializer("url")
    def _url(self, url: HttpUrl) -> str:
        return str(url)


class Exit(Part):
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
    rule_in_words: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="What the rule asks for, as people read it while it is not met."
    )
    discount: DiscountExit | None = Field(
        default=None,
        description=(
            "settled: the stage is left only when no discount waits for approval, and what is given is "
            "covered by what was granted."
        ),
    )
    advance: Advance = Field(
        default=Advance.PERSON,
        description="automatic: the deal moves on by itself. person: somebody moves it on.",
    )

    @model_validator(mode="after")
    def _rule_goes_with_by(self) -> Self:
        if self.by is ExitBy.RULE and self.rule is None:
            msg = "by: rule needs a rule beside it"
            raise ValueError(msg)
        if self.by is not ExitBy.RULE and (self.rule or self.rule_in_words):
            msg = "a rule is asked only with by: rule"
            raise ValueError(msg)
        return self

    @property
    def asks(self) -> str | None:
        """What the rule asks for, in words where the playbook has them."""
        asked = self.rule_in_words or self.rule
        return asked.rstrip(".") if asked else None


Location = tuple[str | int, ...]
"""Where in a playbook: the names and positions that lead there."""


def _problem(at: Location, what: str) -> InitErrorDetails:
    kind = PydanticCustomError("playbook", "{what}", {"what": what})
    return InitErrorDetails(type=kind, loc=at, input=None)


class Stage(Part):
    """One step of the way, with the tasks of both sides."""

    key: Key
    title: Title
    phase: Phase = Field(description="The canonical phase, so that deals of different playbooks add up.")
    probability: int = Field(ge=0, le=100, description="Chance to win from here, in percent.")
    target: BusinessDuration | None = Field(
        default=None, description="How long the stage should take at most."
    )
    check_in: BusinessDuration | None = Field(default=None, description="How often both sides check in.")
    help: Text | None = None
    exit: Exit = Exit()
    content: Annotated[tuple[Content, ...], Field(max_length=20)] = ()
    tasks: Tasks = ()
    on_enter: Triggers = Field(default=(), description="What happens by itself when the stage begins.")
    on_leave: Triggers = Field(default=(), description="What happens by itself when the stage is left.")

    @model_validator(mode="after")
    def _automatic_waits_for_something(self) -> Self:
        by_tasks = self.exit.by is ExitBy.TASKS and self.exit.advance is Advance.AUTOMATIC
        if by_tasks and not any(task.required for task in self.tasks):
            msg = "a stage that advances by itself needs a required task to wait for"
            raise ValueError(msg)
        return self

    def triggers(self, moment: Moment) -> Triggers:
        return self.on_enter if moment is Moment.ENTER else self.on_leave


class HandOffTemplate(AfterWinning):
    """What happens between the signature and the acceptance by customer success, and after it."""

    title: Title = "Hand-off"
    target: BusinessDuration | None = None
    help: Text | None = None
    tasks: Tasks = ()


class PlaybookDefinition(Part):
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
    discount_policy: Key = Field(
        default="standard", description="The key of the policy that discounts of such deals follow."
    )
    clock: Clock = Clock()
    ladders: Ladders = Ladders()
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=20)]
    handoff: HandOffTemplate = HandOffTemplate()

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        found = [*self._repeated_stages(), *self._repeated_tasks(), *self._phases_going_back()]
        found += self._approvals_after_winning()
        if found:
            raise ValidationError.from_exception_data("playbook", [_problem(at, what) for at, what in found])
        return self

    def _repeated_stages(self) -> Iterator[tuple[Location, str]]:
        seen: set[str] = set()
        for index, stage in enumerate(self.stages):
            at = ("stages", index, "key")
            if stage.key in seen:
                yield at, f"another stage has the key '{stage.key}' already"
            if stage.key == HANDOFF:
                yield at, f"the key '{HANDOFF}' is kept for the hand-off after winning"
            seen.add(stage.key)

    def _repeated_tasks(self) -> Iterator[tuple[Location, str]]:
        lists: list[tuple[Location, tuple[TaskTemplate, ...]]] = [
            (("stages", index, "tasks"), stage.tasks) for index, stage in enumerate(self.stages)
        ]
        lists.append((("handoff", "tasks"), self.handoff.tasks))
        places = [((*at, index), task) for at, tasks in lists for index, task in enumerate(tasks)]
        places += [((*at, "task"), trigger.task) for at, trigger in self.all_triggers() if trigger.task]
        seen: set[str] = set()
        for at, task in places:
            if task.key in seen:
                what = f"another task has the key '{task.key}' already; a key is used once in a playbook"
                yield (*at, "key"), what
            seen.add(task.key)

    def _approvals_after_winning(self) -> Iterator[tuple[Location, str]]:
        """The hand-off ends by acceptance: an approval would hold nothing."""
        last = len(self.stages) - 1
        for index, trigger in enumerate(self.stages[last].on_leave):
            if trigger.approval is not None:
                what = "the last stage is left by winning, after which nothing waits for an approval"
                yield ("stages", last, "on_leave", index, "approval"), f"{what}; ask for it on_enter"

    def _phases_going_back(self) -> Iterator[tuple[Location, str]]:
        order = list(Phase)
        reached = 0
        for index, stage in enumerate(self.stages):
            rank = order.index(stage.phase)
            if rank < reached:
                what = f"'{stage.phase}' comes before '{order[reached]}', where the deal is already"
                yield ("stages", index, "phase"), f"{what}; phases only go forward"
            reached = max(reached, rank)

    def all_tasks(self) -> Iterator[TaskTemplate]:
        """Every task of every stage and of the hand-off, in order."""
        for stage in self.stages:
            yield from stage.tasks
        yield from self.handoff.tasks

    def all_triggers(self) -> Iterator[tuple[Location, Trigger]]:
        """Every trigger of every stage, and where it is written."""
        for index, stage in enumerate(self.stages):
            for moment in Moment:
                for number, trigger in enumerate(stage.triggers(moment)):
                    yield ("stages", index, f"on_{moment}", number), trigger

    def triggered_tasks(self) -> dict[str, TaskTemplate]:
        """The tasks that triggers create, by key."""
        return {trigger.task.key: trigger.task for _, trigger in self.all_triggers() if trigger.task}

    def stage(self, key: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.key == key), None)

    def template(self, key: str) -> Stage | HandOffTemplate:
        """What is written about the stage that a deal is in; any key but a stage's is the hand-off's."""
        return self.stage(key) or self.handoff

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


class Playbook(PlaybookDefinition, ReadOnce):
    """A published version, as a deal pins it."""

    version: int = Field(ge=1)

    def as_read_by(self, side: Side) -> Self:
        """The playbook as people of this side read it: partners not how the vendor works inside."""
        if side is Side.VENDOR:
            return self
        stages = tuple(
            stage.but(
                **{
                    f"on_{moment}": tuple(each for each in stage.triggers(moment) if each.is_for_partners)
                    for moment in Moment
                }
            )
            for stage in self.stages
        )
        return self.but(stages=stages)
