"""Deciding by a link in a mail: who holds the link is taken for the person whom it was sent to.

So it is looked at anew each time: is the link ours, unused and in time; is that person
still there; does the request still wait for exactly them? A link says nothing of
its own about what may be done: the request's own rules do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from api.approval_commands import ApprovalCommands
from api.services import Services
from db import approval as approvals
from db import mail_links
from db.mail_links import Addressee
from db.tables import MailLink
from domain.approval import commands as ask
from domain.approval.guards import seats_of, still_open
from domain.approval.state import Approval, Approver, Channel, Decision, Step
from domain.errors import Forbidden, NotFound, TandemError
from domain.principal import Principal
from runtime.mail_text import moment


class LinkUnknown(NotFound, code="link_unknown", title="This is not one of our links"):
    """No link of ours: cut off, changed, or made up."""


class LinkOver(TandemError, code="link_over", status=410, title="This link has had its time"):
    """The link was used, or has expired, or what it was sent for has passed."""


class LinkOfAnother(Forbidden, code="link_of_another", title="This link is not yours"):
    """The link was sent to somebody else than who is signed in, or to somebody who has left."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that may be used, and what it is about."""

    link: MailLink
    to: Addressee
    approval: Approval
    step: Step
    seat: Approver


async def open_link(services: Services, token: str, signed_in: Principal | None, now: datetime) -> Opened:
    """What a link leads to; reading changes nothing.

    Raises:
        TandemError: a sentence that says why it leads nowhere, and what to do instead.
    """
    link = await _find(services, token)
    if signed_in is not None and signed_in.id != link.user_id:
        raise LinkOfAnother(
            f"You are signed in as {signed_in.name}, and this link was sent to somebody else. "
            "What waits for you is in Tandem."
        )
    async with services.database.read() as session:
        to = await mail_links.addressee(session, link.user_id)
    if to is None:
        raise LinkOfAnother("The person whom this link was sent to no longer takes part in Tandem.")
    _demand_fresh(link, to, now)
    return await _on_request(services, link, to)


async def _find(services: Services, token: str) -> MailLink:
    named = services.links.read(token)
    if named is None:
        raise LinkUnknown(
            "Perhaps the mail program cut it off: copy all of it, or sign in and find the request in Tandem."
        )
    async with services.database.read() as session:
        link = await mail_links.find(session, named[0])
    if link is None:
        raise LinkOver("This link is too old. Sign in and see in Tandem how the request stands.")
    return link


def _demand_fresh(link: MailLink, to: Addressee, now: datetime) -> None:
    if link.used_at is not None:
        when = moment(link.used_at, to.time_zone)
        raise LinkOver(f"You have used this link on {when}, and it works once: {link.used_for}.")
    if link.expires_at <= now:
        raise LinkOver(
            f"This link expired on {moment(link.expires_at, to.time_zone)}. Sign in and decide in Tandem."
        )


async def _on_request(services: Services, link: MailLink, to: Addressee) -> Opened:
    """The request and the seat at it. Raises what the request's own rules refuse."""
    async with services.database.read() as session:
        await approvals.demand_visible(session, to.principal, link.approval_id)
        approval = await approvals.get_in_full(session, link.approval_id)
    still_open(approval)
    if link.round is not None and link.round != len(approval.rounds):
        raise LinkOver(
            f"The request for {approval.title} has been changed since this mail was sent. "
            "Decide by the newest mail about it, or in Tandem."
        )
    ((step, seat),) = seats_of(approval, to.principal.actor, link.step_key)
    return Opened(link, to, approval, step, seat)


async def decide(services: Services, opened: Opened, command: ask.Decide, version: int | None) -> Approval:
    """Give the command as the link's person, once; then the link has had its time.

    Raises:
        TandemError: the request refuses, or does not answer; then the link stays as it was.
    """
    update_id = f"mail-link:{opened.link.id}"
    commands = ApprovalCommands(services, opened.to.principal, update_id, Channel.MAIL)
    after = await commands.change(opened.approval.id, command, version)
    said = decided(after, opened)
    async with services.database.transaction() as session:
        await mail_links.use(session, opened.link.id, said, datetime.now(UTC))
    return after


def decided(approval: Approval, opened: Opened) -> str:
    """What the link's person said, as the request has it: of two clicks at once only one counts."""
    decision = _decision(approval, opened)
    words = {
        "approve": "you approved",
        "counter": "you offered less instead of",
        "reject": "you rejected",
        "return": "you returned",
    }
    what = words.get(decision.verdict.value, "you decided on") if decision else "you decided on"
    return f"{what} {opened.approval.title}"


def _decision(approval: Approval, opened: Opened) -> Decision | None:
    """The decision on the step in this round, which may be over by now."""
    number = len(opened.approval.rounds)
    steps = approval.steps if len(approval.rounds) == number else approval.rounds[number].steps
    step = next((each for each in steps if each.key == opened.step.key), None)
    return step.decision_of(opened.to.principal.id) if step else None
