"""The commands to a request as small forms: what each asks for, and what it sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from api.approval_commands import colleague
from api.fields import Day, Input
from api.v1.approval_inputs import (
    AcceptBody,
    ApproveBody,
    CounterBody,
    DelegateBody,
    RecallBody,
    RejectBody,
    ResubmitBody,
    ReturnBody,
)
from api.web import choices
from api.web.actions import Field, SheetWords
from api.web.fields import number_typed
from api.web.forms import Form, parse
from db import people
from db.session import Database
from domain.approval import commands as ask
from domain.approval.state import Approval
from domain.approval.verbs import Verb
from domain.errors import InvalidInput
from domain.percent import shown
from domain.principal import Principal, Side

LONGEST = 5000


@dataclass(frozen=True, slots=True)
class AskedOf:
    """A command that somebody is about to give to a request."""

    approval: Approval
    principal: Principal
    database: Database


@dataclass(frozen=True, slots=True)
class VerbForm:
    """A command with its form. `key` is the key that opens it."""

    verb: Verb
    title: str
    words: str
    icon: str
    key: str
    fields: Callable[[AskedOf], Awaitable[Sequence[Field]]]
    command: Callable[[AskedOf, Form], Awaitable[ask.Command]]
    lede: str = ""
    danger: bool = False
    hasty: bool = False
    initial: Callable[[Approval], Mapping[str, Any]] = lambda _: {}

    def sheet(self, approval: Approval) -> SheetWords:
        return SheetWords(
            f"{self.title}: {approval.title}", self.words, self.lede, danger=self.danger, hasty=self.hasty
        )


def _comment(words: str = "Comment", hint: str = "The requester reads it.", *, required: bool) -> Field:
    return Field("area", "comment", words, hint, required=required, maxlength=LONGEST)


def _fields(*fields: Field) -> Callable[[AskedOf], Awaitable[Sequence[Field]]]:
    async def same(_: AskedOf) -> Sequence[Field]:
        return fields

    return same


def _as(model: type[BaseModel]) -> Callable[[AskedOf, Form], Awaitable[ask.Command]]:
    """What was typed as the API's own body, and that as its command."""

    async def made(_: AskedOf, form: Form) -> ask.Command:
        typed = form.given("comment", "reason") | number_typed(form, "percent")
        body: Any = parse(model, typed)
        command: ask.Command = body.command()
        return command

    return made


async def _delegate_fields(asked: AskedOf) -> Sequence[Field]:
    known = {each.id for step in asked.approval.open_steps() for each in step.approvers}
    colleagues = await choices.people_of(asked.database, asked.principal, Side.VENDOR)
    free = [(key, name) for key, name in colleagues if key not in {*asked.approval.askers, *known}]
    return (
        Field("choose", "to", "To", options=free, blank="Choose a colleague"),
        Field(
            "date", "until", "Until", "The last day; then it is yours again. Empty: for good.", required=False
        ),
    )


class _Until(Input):
    until: Day | None = None


async def _delegate(asked: AskedOf, form: Form) -> ask.Command:
    typed: dict[str, Any] = form.given("to")
    last = parse(_Until, form.given("until")).until
    if last is not None:
        zone = ZoneInfo(await _zone(asked))
        typed["until"] = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC).isoformat()
    if "to" not in typed:
        raise InvalidInput("Choose who decides instead of you.", pointer="/to")
    body = parse(DelegateBody, typed)
    return ask.DelegateSeat(to=await colleague(asked.database, asked.principal, body.to), until=body.until)


async def _zone(asked: AskedOf) -> str:
    async with asked.database.read() as session:
        user, _ = await people.get(session, asked.principal, asked.principal.id)
    return user.time_zone


def _as_asked(approval: Approval) -> Mapping[str, Any]:
    return {
        "percent": shown(approval.percent) if approval.percent is not None else "",
        "reason": approval.reason or "",
    }


_PERCENT = "In percent off the list price: the total."

FORMS: dict[Verb, VerbForm] = {
    each.verb: each
    for each in (
        VerbForm(Verb.APPROVE, "Approve", "Approve", "check", "a", _fields(_comment(required=False)),
                 _as(ApproveBody), hasty=True),
        VerbForm(Verb.COUNTER, "Counter-offer", "Offer this", "arrow-right-left", "o",
                 _fields(Field("text", "percent", "You would grant",
                               "In percent; less than what is asked for.", maxlength=20),
                         _comment(required=False)),
                 _as(CounterBody), lede="The requester takes it, or not."),
        VerbForm(Verb.RETURN, "Return for changes", "Return it", "undo-2", "b",
                 _fields(_comment("What is missing?", required=True)), _as(ReturnBody),
                 lede="The requester amends the request and submits it again."),
        VerbForm(Verb.REJECT, "Reject", "Reject it", "x", "x",
                 _fields(_comment("Why not?", required=True)), _as(RejectBody), danger=True,
                 lede="The request ends. A new one can be made."),
        VerbForm(Verb.DELEGATE, "Hand to a colleague", "Hand it over", "user-plus", "h", _delegate_fields,
                 _delegate, lede="On this request only. While you are away, use Out of office instead."),
        VerbForm(Verb.ACCEPT, "Take the offer", "Take it", "check", "a", _fields(_comment(required=False)),
                 _as(AcceptBody), hasty=True),
        VerbForm(Verb.RESUBMIT, "Submit again", "Submit it", "rotate-ccw", "s",
                 _fields(Field("text", "percent", "Discount", _PERCENT, maxlength=20),
                         Field("area", "reason", "Why", maxlength=1000),
                         _comment("What is different now", "Those who decide read it.", required=False)),
                 _as(ResubmitBody), lede="Everybody decides anew.", initial=_as_asked),
        VerbForm(Verb.RECALL, "Take back", "Take it back", "ban", "x", _fields(_comment(required=False)),
                 _as(RecallBody), danger=True, hasty=True, lede="The request ends. You can ask anew."),
    )
}  # fmt: skip
