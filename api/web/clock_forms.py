"""The commands about time, as small forms: a check-in, how often, and the calendar that a deal goes by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api import intake
from api.v1.agenda import CadenceInput
from api.v1.timelines import CheckInInput
from api.web import actions as offer
from api.web.actions import Action, Asked, Field
from api.web.choices import people_of
from api.web.fields import moment_typed
from api.web.forms import Form, parse
from api.zones import zone_of
from domain.dates import dated
from domain.opportunity import commands as ask
from domain.opportunity.state import Mood, Opportunity
from domain.principal import Action as Right
from domain.principal import Principal, Side
from domain.span import parse_business

_MOODS = {Mood.GOOD: "Good", Mood.NEUTRAL: "Neutral", Mood.BAD: "Bad"}
_OFTEN = ("1bd", "2bd", "1w", "2w", "30d")
"""The cadences that are offered; others come by the API."""


async def _check_in_fields(asked: Asked) -> Sequence[Field]:
    zone = await zone_of(asked.database, asked.principal)
    every = asked.deal.cadence.every
    often = f"in {parse_business(every)}" if every else "as the playbook says"
    hint = f"By your clock ({zone.key}). Empty: {often}."
    moods = [(mood.value, words) for mood, words in _MOODS.items()]
    return (
        Field("area", "note", "What did you agree?", "Both sides read it."),
        Field("choose", "mood", "How did it feel?", options=moods, blank="Not said", required=False),
        Field("text", "attendees", "Who was there?", "Names, with commas.", required=False, maxlength=2000),
        Field("text", "next_step", "Next step", "It shows on the board.", required=False, maxlength=200),
        Field("datetime-local", "next_at", "Next check-in", hint, required=False),
    )


async def _check_in(asked: Asked, form: Form) -> ask.Command:
    zone = await zone_of(asked.database, asked.principal)
    typed: dict[str, Any] = form.given("note", "mood", "next_step") | moment_typed(form, "next_at", zone)
    names = (name.strip() for name in (form.get("attendees") or "").split(","))
    typed["attendees"] = [name for name in names if name]
    return ask.LogCheckIn.model_validate(parse(CheckInInput, typed).model_dump())


async def _cadence_fields(asked: Asked) -> Sequence[Field]:
    current = asked.deal.cadence.every
    often = [*_OFTEN, *([current] if current and current not in _OFTEN else [])]
    return (
        Field(
            "choose",
            "every",
            "How often",
            options=[(each, f"Every {parse_business(each)}") for each in often],
            blank="As the stages say",
            required=False,
        ),
        Field(
            "choose",
            "who_id",
            "Who looks after it",
            "Only that person is reminded.",
            options=await _people(asked),
            blank="Both sides",
            required=False,
        ),
    )


async def _people(asked: Asked) -> list[tuple[Any, str]]:
    """The vendor's people, and those of the deal's partners, as far as the reader sees them."""
    found: list[tuple[Any, str]] = []
    if asked.principal.side is Side.VENDOR:
        found += await people_of(asked.database, asked.principal, Side.VENDOR)
    for partner in asked.deal.partners:
        if asked.principal.partner_id in (None, partner.id):
            theirs = await people_of(asked.database, asked.principal, Side.PARTNER, partner.id)
            found += [(value, f"{words}, {partner.name}") for value, words in theirs]
    who = asked.deal.cadence.who
    if who is not None and who.person.id not in {value for value, _ in found}:
        found.insert(0, (who.person.id, who.person.name))
    return found


def _cadence_values(asked: Asked) -> dict[str, object]:
    held = asked.deal.cadence
    return {"every": held.every or "", "who_id": held.who.person.id if held.who else ""}


async def _cadence(asked: Asked, form: Form) -> ask.Command:
    body = parse(CadenceInput, {"every": form.get("every"), "who_id": form.get("who_id")})
    who = asked.deal.cadence.who
    if who is None or body.who_id != who.person.id:  # else it stays who it was, seen or not
        who = await intake.looked_after_by(asked.database, asked.principal, body.who_id, "/who_id")
    return ask.SetCadence(every=body.every, who=who)


async def _no_fields(_: Asked) -> Sequence[Field]:
    return ()


async def _refresh(asked: Asked, form: Form) -> ask.Command:
    del form
    return await intake.refreshed_calendar(asked.database, asked.deal)


def _refresh_lede(asked: Asked) -> str:
    held = asked.deal.calendar
    known = f" Now it goes by {held.zone}" if held else " Now it goes by office hours in UTC"
    until = f", with holidays known until {dated(held.known_until)}" if held and held.known_until else ""
    return (
        "The deal's business time follows its owner's calendar as it was when the deal was opened."
        f"{known}{until}. Deadlines that are set already stay where they are."
    )


def offers_refresh(deal: Opportunity, principal: Principal) -> bool:
    """A deal goes by its owner's calendar, so it needs one."""
    return principal.may(Right.MANAGE_OPPORTUNITY) and not deal.is_closed and deal.owner is not None


CLOCK_ACTIONS = (
    Action("check-in", "Log a check-in", "Log it", "radio", _check_in_fields, _check_in,
           done="The check-in is on the timeline.", offered=offer.offers_check_in),
    Action("cadence", "Plan the check-ins", "Save", "calendar-clock", _cadence_fields, _cadence,
           done="The check-ins are planned.", offered=offer.offers_check_in, initial=_cadence_values,
           lede="The next one is counted from now on. Both sides may change this."),
    Action("refresh-calendar", "Refresh the deal's calendar", "Refresh", "calendar", _no_fields, _refresh,
           done="The deal goes by its owner's calendar of today.", lede=_refresh_lede,
           offered=offers_refresh),
)  # fmt: skip
