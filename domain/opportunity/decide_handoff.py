"""Decisions about the hand-off to customer success: accept it, or return it with what is missing."""

from __future__ import annotations

from domain.errors import HandOffNotReady, NoHandOff
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.blockers import open_tasks
from domain.opportunity.decide_tasks import ad_hoc
from domain.opportunity.draft import Draft
from domain.opportunity.guards import demand, not_closed
from domain.opportunity.stages import due
from domain.opportunity.state import HandOffState, Opportunity
from domain.opportunity.wording import shortened
from domain.principal import SYSTEM, Action, Side

ASKED_FOR = 120
"""Characters of what customer success asks for, in the title of its task; the help has all of it."""


def accept_handoff(draft: Draft, command: ask.AcceptHandOff) -> None:
    demand(draft.by, Action.ACCEPT_HANDOFF, "Customer success accepts hand-offs.")
    _handing_off(draft.deal)
    if missing := open_tasks(draft.deal):
        told = "; ".join(blocker.what for blocker in missing)
        raise HandOffNotReady(
            f"The hand-off is not complete: {told}.",
            blockers=[blocker.model_dump(mode="json") for blocker in missing],
        )
    draft.add(did.HandOffAccepted(comment=command.comment))


def return_handoff(draft: Draft, command: ask.ReturnHandOff) -> None:
    """What customer success asks for is a task of the vendor, with a clock, before it is offered again."""
    demand(draft.by, Action.ACCEPT_HANDOFF, "Customer success returns hand-offs.")
    _handing_off(draft.deal)
    title = f"Supply what customer success asks for: {shortened(command.comment, ASKED_FOR)}"
    within = draft.deal.playbook.handoff.answer_within if command.clocked else None
    until = due(draft.deal, draft.now, within)
    task = ad_hoc(draft, title=title, help=command.comment, side=Side.VENDOR, required=True, due_at=until)
    draft.add(did.HandOffReturned(comment=command.comment, task=task))


def offer_again(draft: Draft) -> None:
    """A hand-off that was returned is customer success's turn again when all that is required is there."""
    handoff = draft.deal.handoff
    if handoff is not None and handoff.state is HandOffState.RETURNED and not open_tasks(draft.deal):
        draft.add(did.HandOffOffered(), by=SYSTEM)


def _handing_off(deal: Opportunity) -> None:
    not_closed(deal)
    if deal.handoff is None:
        raise NoHandOff(f"“{deal.title}” is {deal.status.value.replace('_', ' ')}: win it first.")
