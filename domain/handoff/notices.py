"""Whom a hand-off's events are told to, and as what.

A process need not know who somebody's manager is, or who works in customer success: a message
names them by that, and they are found when it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.handoff import events as did
from domain.handoff.draft import HandOffEntry, HandOffOutcome
from domain.handoff.news import HandOffNews
from domain.handoff.state import HandOffProcess, Progress
from domain.notice import LATE, Fact, Message, NoticeKind
from domain.opportunity.state import Person
from domain.playbook_handoff import HandOffTell
from domain.principal import Role

To = dict[str, Any]
"""Whom a message is for, by the fields that name them."""


def _receiver(process: HandOffProcess) -> To:
    if process.receiver is None:
        return {"roles": (Role.CUSTOMER_SUCCESS,)}
    return {"recipients": (process.receiver.id,)}


def _managers(process: HandOffProcess) -> To:
    if process.receiver is None:
        return {"roles": (Role.SALES_DIRECTOR,)}
    return {"managers_of": (process.receiver.id,)}


def _owner(process: HandOffProcess) -> To:
    if process.facts.owner is None:
        return {"roles": (Role.SALES_DIRECTOR,)}
    return {"recipients": (process.facts.owner.id,)}


_TELL: dict[HandOffTell, Callable[[HandOffProcess], To]] = {
    HandOffTell.RECEIVER: _receiver,
    HandOffTell.CUSTOMER_SUCCESS: lambda _: {"roles": (Role.CUSTOMER_SUCCESS,)},
    HandOffTell.OWNER: _owner,
    HandOffTell.MANAGER: _managers,
    HandOffTell.SALES_DIRECTOR: lambda _: {"roles": (Role.SALES_DIRECTOR,)},
}


def _sellers(process: HandOffProcess) -> To:
    """Everybody who sold it: the owner, and the partners."""
    return {**_owner(process), "partners": process.facts.partners}


Telling = tuple[NoticeKind, To, datetime | None]
"""What kind of notice, for whom, and when what it tells of fell due by itself."""


def _rung(event: did.Reminded, process: HandOffProcess) -> Iterator[Telling]:
    reminds = event.tell is HandOffTell.RECEIVER
    kind = NoticeKind.HANDOFF_OFFERED if reminds else NoticeKind.ESCALATED
    yield kind, _TELL[event.tell](process), event.rung_at


def _assigned(event: did.ReceiverAssigned, process: HandOffProcess) -> Iterator[Telling]:
    if event.receiver is not None:
        yield NoticeKind.HANDOFF_OFFERED, {"recipients": (event.receiver.id,)}, None
    elif process.progress is Progress.WAITING:
        yield NoticeKind.HANDOFF_OFFERED, _receiver(process), None


def _renewed(event: did.RenewalOpened, process: HandOffProcess) -> Iterator[Telling]:
    del event
    extra = {} if process.receiver is None else {"recipients": (process.receiver.id,)}
    to = _sellers(process)
    recipients = (*to.get("recipients", ()), *extra.get("recipients", ()))
    yield NoticeKind.RENEWAL_OPENED, {**to, "recipients": recipients}, None


_TOLD: dict[type, Callable[[Any, HandOffProcess], Iterator[Telling]]] = {
    did.ReceiverAssigned: _assigned,
    did.ReceiverLeft: lambda _, process: iter([(NoticeKind.HANDOFF_OFFERED, _receiver(process), None)]),
    did.Waits: lambda _, process: iter([(NoticeKind.HANDOFF_OFFERED, _receiver(process), None)]),
    did.Reminded: _rung,
    did.FollowUpDue: lambda event, process: iter(
        [(NoticeKind.FOLLOW_UP_DUE, _receiver(process), event.due_at)]
    ),
    did.FollowUpMissed: lambda event, process: iter(
        [(NoticeKind.FOLLOW_UP_DUE, _receiver(process), event.missed_at)]
    ),
    did.FollowUpEscalated: lambda event, process: iter(
        [(NoticeKind.ESCALATED, _managers(process), event.tell_at)]
    ),
    did.RenewalOpened: _renewed,
}


def messages(outcome: HandOffOutcome, heard: HandOffNews | None = None) -> list[Message]:
    """What to tell people of what happened; nothing to whoever did it.

    `heard` is the deal's news that led to it: what customer success answered is told to the sellers.
    """
    process = outcome.process
    told = [message for entry in outcome.entries for message in _of(entry, process)]
    if heard is not None and outcome.entries and (answer := _answer(heard, process)) is not None:
        told.append(answer)
    return told


def _answer(heard: HandOffNews, process: HandOffProcess) -> Message | None:
    """What customer success said to the sellers."""
    said = f" {heard.note}" if heard.note else ""
    match heard.progress:
        case Progress.RETURNED:
            kind, words = NoticeKind.HANDOFF_RETURNED, f"{heard.by.name} returned the hand-off:{said}"
        case Progress.ACCEPTED:
            kind, words = NoticeKind.HANDOFF_ACCEPTED, f"{heard.by.name} accepted the hand-off.{said}"
        case _:
            return None
    cause = f"{process.id}:deal:{heard.facts.version}"
    return _message(process, kind, _sellers(process), cause=cause, words=words, but=heard.by.id)


def _of(entry: HandOffEntry, process: HandOffProcess) -> Iterator[Message]:
    tell = _TOLD.get(type(entry.event))
    for kind, to, fell_due in tell(entry.event, process) if tell else ():
        message = _message(
            process,
            kind,
            to,
            cause=f"{process.id}:{entry.sequence}",
            words=entry.words,
            but=entry.by.id,
            due_at=getattr(entry.event, "due_at", None) or process.due_at,
            late=fell_due is not None and entry.at - fell_due > LATE,
        )
        if message is not None:
            yield message


def _message(
    process: HandOffProcess, kind: NoticeKind, to: To, *, but: UUID | None, **more: Any
) -> Message | None:
    """The message; None where it is only for whoever did it."""
    recipients = tuple(dict.fromkeys(each for each in to.get("recipients", ()) if each != but))
    to = {**to, "recipients": recipients}
    if not any(to.values()):
        return None
    return Message(
        kind=kind,
        title=process.facts.title,
        opportunity_id=process.facts.id,
        facts=tuple(_facts(process)),
        **to,
        **more,
    )


def _facts(process: HandOffProcess) -> Iterator[Fact]:
    """What everybody who is told may know."""
    yield Fact(name="Customer", value=process.facts.customer)
    yield Fact(name="Sold by", value=_name(process.facts.owner))
    yield Fact(name="Received by", value=_name(process.receiver))


def _name(person: Person | None) -> str:
    return person.name if person else "nobody yet"
