"""The steps of an approval as a policy writes them: when they fire, who is asked, until when.

Policies of all kinds (discounts first) hold `Steps`; what a policy's steps mean
for one request is found out in `domain.approval.resolve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.principal import Role, Side
from domain.span import BusinessDuration
from domain.task_template import Key, Title
from domain.value import Input, Value

REQUESTER = "requester"
"""Where the requester is awaited: no step may have this key."""

MAX_STEPS = 20
MAX_APPROVERS = 20
"""People or rules in one list; a role may stand for more people than that."""

Expression = Annotated[
    str, Field(min_length=1, max_length=1000, description="A CEL expression over the facts.")
]


class ApproverRule(Input):
    """Who may decide, in one of four ways."""

    person: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = Field(
        default=None, description="Somebody, by e-mail address."
    )
    role: Role | None = Field(default=None, description="Everybody who has this role.")
    manager: Literal[True] | None = Field(default=None, description="The manager of the requester.")
    rule: Expression | None = Field(
        default=None, description="A CEL expression over the facts that answers a list of e-mail addresses."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if len([each for each in (self.person, self.role, self.manager, self.rule) if each is not None]) != 1:
            msg = "write one of person, role, manager and rule"
            raise ValueError(msg)
        if self.role is not None and self.role.side is Side.PARTNER:
            msg = f"{self.role.value} is a partner's role; the vendor's people approve"
            raise ValueError(msg)
        return self

    @property
    def words(self) -> str:
        """`deal desk`, `the requester's manager`, `cfo@vendor.example`."""
        if self.role is not None:
            return self.role.value.replace("_", " ")
        return "the requester's manager" if self.manager else self.person or f"whom {self.rule} names"


Approvers = Annotated[tuple[ApproverRule, ...], Field(min_length=1, max_length=MAX_APPROVERS)]


class EscalationLevel(Input):
    """Who is asked besides, when nobody has decided in time."""

    to: ApproverRule
    after: BusinessDuration | None = Field(
        default=None, description="Time from the opening of the step; its `due` where not given."
    )


Needs = Literal["one", "all"] | Annotated[int, Field(ge=1, le=MAX_APPROVERS)]


class StepTemplate(Input):
    """One gate of an approval: some people, of whom one, all or a number have to agree."""

    key: Key
    title: Title
    when: Expression | None = Field(
        default=None, description="A CEL expression over the facts: the step is needed where it is true."
    )
    when_in_words: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="The same for people, who read it on the request."
    )
    after: Annotated[tuple[Key, ...], Field(max_length=MAX_STEPS)] = Field(
        default=(), description="Steps that come first; without any it begins at once."
    )
    needs: Needs = Field(
        default="one", description="How many of the approvers have to agree: one, all, or a number."
    )
    approvers: Approvers
    due: BusinessDuration = Field(
        default="8bh", description="Time to decide, by the calendar of the approvers."
    )
    remind: Literal["half"] | Annotated[tuple[BusinessDuration, ...], Field(max_length=5)] = Field(
        default="half", description="When to remind: at half of `due`, or these times after the opening."
    )
    escalate: Annotated[tuple[EscalationLevel, ...], Field(max_length=5)] = Field(
        default=(), description="Who is asked besides when time has passed, level by level."
    )
    backup: Annotated[tuple[ApproverRule, ...], Field(max_length=5)] | None = Field(
        default=None, description="The last level: the first of these that names anybody."
    )

    @model_validator(mode="after")
    def _enough_people(self) -> Self:
        named = {each.person.lower() for each in self.approvers if each.person is not None}
        all_named = all(each.person is not None for each in self.approvers)
        if isinstance(self.needs, int) and all_named and self.needs > len(named):
            msg = f"{self.needs} have to agree, but only {len(named)} can be asked"
            raise ValueError(msg)
        return self

    @property
    def words(self) -> str:
        """The rule by which the step is needed, for people."""
        return self.when_in_words or self.when or "always"


FINAL_BACKUP = (ApproverRule(role=Role.SALES_DIRECTOR), ApproverRule(role=Role.ADMIN))
"""Who decides where neither a step nor its policy says who is the last to ask."""

Location = tuple[str | int, ...]


def step_problems(steps: Sequence[StepTemplate]) -> Iterator[tuple[Location, str]]:
    """What does not fit together in a list of steps, and where."""
    keys = [step.key for step in steps]
    for index, step in enumerate(steps):
        if step.key in keys[:index]:
            yield (index, "key"), f"another step has the key '{step.key}' already"
        if step.key == REQUESTER:
            yield (index, "key"), f"the key '{REQUESTER}' is kept for whoever asked"
        for place, before in enumerate(step.after):
            if before not in keys:
                yield (index, "after", place), f"there is no step '{before}'; there are {', '.join(keys)}"
    before_of = {step.key: {key for key in step.after if key in keys} for step in steps}
    for index, step in enumerate(steps):
        if step.key in _reached(step.key, before_of):
            yield (index, "after"), f"'{step.key}' would wait for itself"


def _reached(key: str, before_of: dict[str, set[str]]) -> set[str]:
    """The steps that come before this one, directly or not."""
    found: set[str] = set()
    waiting = [*before_of[key]]
    while waiting:
        before = waiting.pop()
        if before not in found:
            found.add(before)
            waiting.extend(before_of[before])
    return found


def _sound(steps: tuple[StepTemplate, ...]) -> tuple[StepTemplate, ...]:
    found = [
        InitErrorDetails(type=PydanticCustomError("policy", "{what}", {"what": what}), loc=at, input=None)
        for at, what in step_problems(steps)
    ]
    if found:
        raise ValidationError.from_exception_data("steps", found)
    return steps


Steps = Annotated[tuple[StepTemplate, ...], Field(max_length=MAX_STEPS), AfterValidator(_sound)]
"""The steps of a policy, which fit together: known keys, each once, and no step that waits for itself."""


class PolicyRef(Value):
    """A published version of a policy, as a request or a deal pins it."""

    key: Key
    version: Annotated[int, Field(ge=1)]

    def __str__(self) -> str:
        return f"{self.key} version {self.version}"
