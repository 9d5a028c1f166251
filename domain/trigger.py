"""Stage triggers: what a playbook lets happen by itself when a stage is entered or left.

A trigger does exactly one thing, fires once for each time the stage is entered (or left), and may ask
a rule first. What follows from it on a deal is in `domain.opportunity.triggers`.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import Field, HttpUrl, field_serializer, model_validator

from domain.approval.policy import ApproverRule, Approvers, Expression
from domain.principal import Role, Side
from domain.span import BusinessDuration
from domain.task_template import Key, Part, TaskTemplate, Title

MAX_TRIGGERS = 20
"""Triggers of one stage for one moment."""

Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class Moment(StrEnum):
    """When a trigger fires."""

    ENTER = "enter"
    LEAVE = "leave"

    @property
    def label(self) -> str:
        """What the stage did then."""
        return "began" if self is Moment.ENTER else "ended"


class TriggerKind(StrEnum):
    """What a trigger does."""

    TASK = "task"
    NOTIFY = "notify"
    APPROVAL = "approval"
    CAMPAIGN = "campaign"
    WEBHOOK = "webhook"


class Audience(StrEnum):
    """Whom a trigger tells."""

    OWNER = "owner"
    """The deal's owner; the sales director where nobody owns it."""
    ASSIGNEES = "assignees"
    """Whoever an open task of the deal is given to; the owner where none is."""
    PARTNERS = "partners"
    """Everybody of the deal's partners who works on deals."""
    MANAGER = "manager"
    """The owner's manager; the sales director where nobody owns the deal."""
    ROLE = "role"
    """All of the vendor's people with `role`."""

    @property
    def label(self) -> str:
        return _AUDIENCES[self]


_AUDIENCES = {
    Audience.OWNER: "the deal's owner",
    Audience.ASSIGNEES: "whoever has an open task of the deal",
    Audience.PARTNERS: "the deal's partners",
    Audience.MANAGER: "the manager of the deal's owner",
    Audience.ROLE: "everybody with the role",
}


def _vendors(role: Role | None, instead: str) -> None:
    """Raises: ValueError, for a partner's role."""
    if role is not None and role.side is Side.PARTNER:
        msg = f"{role.value} is a partner's role; {instead}"
        raise ValueError(msg)


class NotifyTemplate(Part):
    """Somebody is told something."""

    to: Audience = Field(description="Who is told: owner, assignees, partners, manager, or role.")
    role: Role | None = Field(default=None, description="With to: role, whose people are told.")
    words: Sentence = Field(description="What they are told.")

    @model_validator(mode="after")
    def _role_goes_with_to(self) -> Self:
        if (self.to is Audience.ROLE) != (self.role is not None):
            msg = "role goes with to: role, and to: role needs a role"
            raise ValueError(msg)
        _vendors(self.role, "write to: partners to tell the partners of the deal")
        return self

    @property
    def audience(self) -> str:
        return self.to.label if self.role is None else f"everybody in the role {_spaced(self.role)}"


class StageApprovalTemplate(Part):
    """Somebody has to approve before the stage can be left."""

    title: Title = Field(description="What is to be approved, such as Solution review.")
    approvers: Approvers | None = Field(
        default=None, description="Who may approve, each in one of four ways; one of them has to."
    )
    role: Role | None = Field(default=None, description="Instead of approvers: everybody with this role.")
    due: BusinessDuration = Field(
        default="2bd", description="Time to decide, by the calendar of the approvers."
    )
    words: Sentence | None = Field(default=None, description="What approvers should look at.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.approvers is None) == (self.role is None):
            msg = "write either approvers or a role"
            raise ValueError(msg)
        _vendors(self.role, "the vendor's people approve")
        return self

    @property
    def rules(self) -> tuple[ApproverRule, ...]:
        return self.approvers or (ApproverRule(role=self.role),)

    @property
    def asked(self) -> str:
        """Who is asked, in words that name nobody: a partner reads them."""
        told = [_spaced(each.role) for each in self.rules if each.role is not None]
        told += ["the owner's manager" for each in self.rules if each.manager][:1]
        return " or ".join(dict.fromkeys(told)) or "the approvers"


class CampaignTemplate(Part):
    """A step of a campaign begins: it stands in the feed, for whatever runs campaigns to follow."""

    key: Key = Field(description="The campaign.")
    step: Key = Field(description="Its step that begins.")
    words: Sentence | None = Field(default=None, description="What the step is about.")


class WebhookTemplate(Part):
    """A program elsewhere is called, signed by the rules of Standard Webhooks."""

    url: HttpUrl = Field(description="Where it listens: https, reachable from the internet.")
    event: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*([.-][a-z0-9_]+)*$", max_length=100)] = Field(
        description="What it is told to have happened, such as deal.demo_began."
    )

    @field_serializer("url")
    def _url(self, url: HttpUrl) -> str:
        return str(url)

    @property
    def host(self) -> str:
        """Where it listens, without the path, which may be a secret."""
        return self.url.host or ""

    @property
    def unreachable(self) -> str | None:
        """Why nobody should be called there, as a sentence; None where nothing speaks against it.

        This is what can be seen in the address. Where a name leads is looked at when it is called.
        """
        host = self.host.rstrip(".").lower()
        if self.url.scheme != "https":
            return "a webhook is called over https: http could be read and changed on the way"
        if self.url.username or self.url.password:
            return "an address with a name or a password in it is not called; the signature says who calls"
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            inside = host.rpartition(".")[2] in _INSIDE or "." not in host
            return f"{host} is a name for machines inside a network; give a public one" if inside else None
        return None if address.is_global else f"{host} is an address inside a network; give a public one"


_INSIDE = frozenset({"localhost", "local", "internal", "intranet", "lan", "home", "localdomain"})


def _spaced(role: Role) -> str:
    return role.value.replace("_", " ")


class Trigger(Part):
    """One thing that happens by itself, if its rule holds."""

    when: Expression | None = Field(
        default=None,
        description="A CEL expression over the deal's facts as the stage begins: it fires if true.",
    )
    when_in_words: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="The same for people."
    )
    task: TaskTemplate | None = Field(
        default=None, description="A task that is created in the stage that is entered."
    )
    notify: NotifyTemplate | None = Field(default=None, description="Somebody is told.")
    approval: StageApprovalTemplate | None = Field(
        default=None, description="An approval without which the stage that is entered is not left."
    )
    campaign: CampaignTemplate | None = Field(default=None, description="A step of a campaign begins.")
    webhook: WebhookTemplate | None = Field(default=None, description="A program elsewhere is called.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if len([kind for kind in TriggerKind if getattr(self, kind.value) is not None]) != 1:
            msg = "write one of task, notify, approval, campaign and webhook"
            raise ValueError(msg)
        if self.when is None and self.when_in_words is not None:
            msg = "when_in_words goes with a rule in when"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> TriggerKind:
        return next(kind for kind in TriggerKind if getattr(self, kind.value) is not None)

    @property
    def what(self) -> str:
        """What it does, as people say it."""
        if self.task is not None:
            return f"the task “{self.task.title}” opens for the {self.task.side.value}"
        if self.notify is not None:
            verb = "are" if self.notify.to is Audience.PARTNERS else "is"
            return f"{self.notify.audience} {verb} told: “{self.notify.words}”"
        if self.approval is not None:
            return f"“{self.approval.title}” is asked for, of {self.approval.asked}"
        if self.campaign is not None:
            return f"the step {self.campaign.step} of the campaign {self.campaign.key} begins"
        return f"{self.webhook.host} is told of {self.webhook.event}" if self.webhook else ""

    @property
    def condition(self) -> str | None:
        """When it fires, for people; None: always."""
        return self.when_in_words or self.when

    @property
    def is_for_partners(self) -> bool:
        """Whether a partner may read of it; the rest is how the vendor works inside."""
        return self.task is not None or (self.notify is not None and self.notify.to is Audience.PARTNERS)


Triggers = Annotated[tuple[Trigger, ...], Field(max_length=MAX_TRIGGERS)]
