"""The commands to a hand-off as small forms: what each asks for, and what it sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.handoff_commands import candidate
from api.v1.handoff_shapes import CloseBody, ContractBody, FollowUpBody, ReceiverBody
from api.web.actions import Field, SheetWords
from api.web.forms import Form, parse
from db import choices
from db.session import Database
from domain.dates import dated
from domain.handoff import commands as ask
from domain.handoff.state import EndReason, HandOffProcess, Health, Progress
from domain.principal import Action, Principal, Role


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that somebody is about to give: to which hand-off, about which follow-up."""

    process: HandOffProcess
    principal: Principal
    database: Database
    of: str = ""


@dataclass(frozen=True, slots=True)
class HandOffForm:
    """A command with its form. `done` is said on the next page."""

    name: str
    title: str
    words: str
    icon: str
    done: str
    fields: Callable[[Asked], Awaitable[Sequence[Field]]]
    command: Callable[[Asked, Form], Awaitable[ask.Command]]
    lede: str = ""
    danger: bool = False
    initial: Callable[[Asked], Mapping[str, Any]] = field(default=lambda _: {})

    def sheet(self) -> SheetWords:
        return SheetWords(self.title, self.words, self.lede, danger=self.danger)


async def _receivers(asked: Asked) -> Sequence[Field]:
    async with asked.database.connection() as reader:
        options = await choices.with_role(reader, Role.CUSTOMER_SUCCESS)
    return (
        Field(
            "choose",
            "user_id",
            "Receiver",
            "It is in their work, and they are told.",
            required=False,
            options=options,
            blank="Whoever takes it",
        ),
    )


async def _assign(asked: Asked, form: Form) -> ask.Command:
    body = parse(ReceiverBody, {"user_id": form.get("user_id")})
    return ask.Assign(to=await candidate(asked.database, asked.principal, body.user_id))


async def _follow_up_fields(asked: Asked) -> Sequence[Field]:
    planned = [(each.key, f"{each.title} ({dated(each.due_at)})") for each in _open(asked.process)]
    return (
        Field(
            "choose",
            "key",
            "Follow-up",
            required=False,
            options=planned,
            blank="One that was not planned",
        ),
        Field(
            "choose",
            "health",
            "How is the customer?",
            options=[(each.value, each.label) for each in Health],
            blank="Choose",
        ),
        Field("area", "note", "What did you hear?", "The vendor's people read it, partners do not."),
        Field("text", "next_step", "Next step", required=False, maxlength=200),
    )


def _open(process: HandOffProcess) -> list[Any]:
    return sorted(process.open_follow_ups(), key=lambda each: each.due_at)


async def _follow_up(_: Asked, form: Form) -> ask.Command:
    return parse(FollowUpBody, form.given("key", "health", "note", "next_step")).command()


async def _contract_fields(asked: Asked) -> Sequence[Field]:
    before = asked.process.plan.renewal.before
    hint = f"The renewal opens by itself {before} before. Empty: it is not known."
    return (Field("date", "contract_ends", "Contract ends", hint, required=False),)


async def _contract(_: Asked, form: Form) -> ask.Command:
    return parse(ContractBody, {"contract_ends": form.get("contract_ends")}).command()


async def _close_fields(_: Asked) -> Sequence[Field]:
    reasons = (EndReason.CONTRACT_ENDED, EndReason.CUSTOMER_LEFT, EndReason.OTHER)
    options = [(each.value, each.label) for each in reasons]
    return (
        Field("choose", "reason", "Reason", options=options, blank="Choose a reason"),
        Field("area", "note", "What happened", "The vendor's people read it, partners do not."),
    )


async def _close(_: Asked, form: Form) -> ask.Command:
    return parse(CloseBody, form.given("reason", "note")).command()


def _first(asked: Asked) -> Mapping[str, Any]:
    """The follow-up that was chosen, or that is awaited longest."""
    known = [each.key for each in _open(asked.process)]
    return {"key": asked.of if asked.of in known else next(iter(known), None)}


def _receiver(asked: Asked) -> Mapping[str, Any]:
    receiver = asked.process.receiver
    return {"user_id": str(receiver.id) if receiver else None}


def _ends(asked: Asked) -> Mapping[str, Any]:
    ends = asked.process.contract_ends
    return {"contract_ends": ends.isoformat() if ends else None}


FORMS = {
    form.name: form
    for form in (
        HandOffForm("follow-up", "Log a follow-up", "Log it", "message-square", "The follow-up is logged.",
                    _follow_up_fields, _follow_up, initial=_first),
        HandOffForm("assign", "Say who receives it", "Assign", "user-plus", "Assigned.",
                    _receivers, _assign, initial=_receiver),
        HandOffForm("contract", "Set the contract's end", "Save", "calendar", "Saved.",
                    _contract_fields, _contract, initial=_ends),
        HandOffForm("close", "Close the hand-off", "Close it", "circle-x", "The hand-off is closed.",
                    _close_fields, _close, danger=True,
                    lede="Nothing more is followed up, and no renewal opens."),
    )
}  # fmt: skip
"""Every command with a form, by its name in the address."""


def offered(process: HandOffProcess | None, principal: Principal) -> list[HandOffForm]:
    """What the principal may do now, the most likely first; a courtesy, as the rules decide."""
    if process is None or not process.is_open:
        return []
    works = principal.may(Action.ACCEPT_HANDOFF)
    sells = principal.may(Action.MANAGE_OPPORTUNITY)
    may = {
        "follow-up": works and process.is_accepted,
        "assign": works,
        "contract": (works or sells) and process.renewal is None,
        "close": works and process.is_accepted,
    }
    return [form for name, form in FORMS.items() if may[name]]


def may_take(process: HandOffProcess | None, principal: Principal) -> bool:
    """Whether the page offers to take it: nobody receives it, and the reader works in customer success."""
    return (
        process is not None
        and process.is_open
        and process.receiver is None
        and Role.CUSTOMER_SUCCESS in principal.roles
    )


def may_answer(process: HandOffProcess | None, principal: Principal) -> bool:
    """Whether the page offers to accept and return it."""
    answering = (Progress.PREPARING, Progress.WAITING, Progress.RETURNED)
    return process is not None and process.progress in answering and principal.may(Action.ACCEPT_HANDOFF)
