"""Decisions about time: check-ins, their cadence, and the calendar that a deal goes by."""

from __future__ import annotations

from domain.errors import InvalidInput
from domain.made import changed
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.draft import Draft
from domain.opportunity.guards import ahead, demand, not_closed, selling
from domain.opportunity.stages import check_in_every, due
from domain.opportunity.state import Opportunity
from domain.principal import Action, Side


def check_in(draft: Draft, command: ask.LogCheckIn) -> None:
    demand(draft.by, Action.NOTE, "Your role does not log check-ins.")
    selling(draft.deal)
    ahead(command.next_at, draft.now, "The next check-in", pointer="/next_at")
    deal = draft.deal
    draft.add(
        did.CheckedIn(
            note=command.note,
            mood=command.mood,
            attendees=command.attendees,
            next_step=command.next_step,
            next_check_in_at=command.next_at
            or due(deal, draft.now, check_in_every(deal, deal.stage_template)),
        )
    )


def set_cadence(draft: Draft, command: ask.SetCadence) -> None:
    """By either side: the next check-in is counted from now on."""
    demand(draft.by, Action.NOTE, "Your role does not plan check-ins.")
    selling(draft.deal)
    deal, who = draft.deal, command.who
    if who is not None and who.side is Side.PARTNER and deal.partner(who.partner_id) is None:
        raise InvalidInput("This person's partner is not on the deal.", pointer="/who_id")
    if (command.every, who) == (deal.cadence.every, deal.cadence.who):
        return
    every = command.every or check_in_every(_by_its_stage(deal), deal.stage_template)
    draft.add(did.CadenceSet(every=command.every, who=who, next_check_in_at=due(deal, draft.now, every)))


def _by_its_stage(deal: Opportunity) -> Opportunity:
    """The deal as if it had no cadence of its own."""
    return changed(deal, {"cadence": type(deal.cadence)()})


def refresh_calendar(draft: Draft, command: ask.RefreshCalendar) -> None:
    demand(draft.by, Action.MANAGE_OPPORTUNITY, "Only the vendor's sales people change a deal's calendar.")
    not_closed(draft.deal)
    if command.calendar != draft.deal.calendar:
        draft.add(did.CalendarRefreshed(calendar=command.calendar))
