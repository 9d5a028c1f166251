"""Decisions about the deal itself: its way through the stages, its facts, its end."""

from __future__ import annotations

from typing import Any

from domain.errors import (
    AlreadyOnDeal,
    AlreadySignedOff,
    AmountFromLines,
    DealClosed,
    DealNotLost,
    DealNotOnHold,
    Forbidden,
    InvalidInput,
    NoSuchStage,
    NotFound,
)
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.blockers import (
    agreement_ahead,
    discount_blockers,
    exit_of,
    gate_blockers,
    gate_is_open,
    open_tasks,
    waits_for_discounts,
)
from domain.opportunity.discounts import demand_as_signed
from domain.opportunity.draft import Draft
from domain.opportunity.guards import ahead, at_work, demand, later, not_closed, plausible_close, selling
from domain.opportunity.stages import closed_gate, enter, leave, tasks_for_partner, tasks_without_partner
from domain.opportunity.state import Opportunity, Status
from domain.opportunity.wording import listed
from domain.playbook import ExitBy, Stage
from domain.principal import Action, Side

MAX_PARTNERS = 10
"""Partners of one deal."""


def _manage(draft: Draft, what: str) -> None:
    demand(draft.by, Action.MANAGE_OPPORTUNITY, f"Only the vendor's sales people {what}.")


def add_partner(draft: Draft, command: ask.AddPartner) -> None:
    _manage(draft, "add partners")
    at_work(draft.deal)
    if draft.deal.partner(command.partner.id):
        raise AlreadyOnDeal(f"{command.partner.name} is on this deal already.")
    if len(draft.deal.partners) >= MAX_PARTNERS:
        raise InvalidInput(f"A deal has at most {MAX_PARTNERS} partners.")
    tasks = tasks_for_partner(draft.deal, command.partner, draft.now)
    draft.add(did.PartnerAdded(partner=command.partner, tasks=tasks))


def remove_partner(draft: Draft, command: ask.RemovePartner) -> None:
    """What it has done stays; what it has not, is the other partners' to do."""
    _manage(draft, "remove partners")
    at_work(draft.deal)
    partner = draft.deal.partner(command.partner_id)
    if partner is None:
        raise NotFound("This partner is not on the deal.")
    draft.add(did.PartnerRemoved(partner=partner, tasks=tasks_without_partner(draft, partner)))


def advance(draft: Draft, command: ask.Advance) -> None:
    demand(draft.by, Action.ADVANCE, "Your role does not move deals.")
    selling(draft.deal)
    if exit_of(draft.deal).by is ExitBy.SIGN_OFF:
        _sign_off(draft, command)
    elif draft.by.side is Side.PARTNER:
        raise Forbidden(f"The vendor moves the deal on from {draft.deal.stage_title}.")
    else:
        leave(draft)


def _sign_off(draft: Draft, command: ask.Advance) -> None:
    """Say once for one's side that the stage is finished; the deal moves on when both have."""
    deal, by = draft.deal, draft.by
    if missing := open_tasks(deal):
        raise closed_gate(deal, missing, f"{deal.stage_title} is not finished")
    side = by.side or Side.VENDOR
    if any(sign.side is side for sign in deal.stage.sign_offs):
        if gate_is_open(deal):
            return leave(draft)  # the last stage, agreed on by both: says what to do now
        if held := discount_blockers(deal, by):
            raise closed_gate(deal, held, f"Your side has agreed; {deal.stage_title} is not finished")
        other = next(other for other in Side if other is not side)
        raise AlreadySignedOff(f"Your side has agreed; the {other.value} has not yet.")
    draft.add(
        did.StageSignedOff(
            stage=deal.stage.key,
            title=deal.stage_title,
            side=side,
            partner_id=by.organisation_id if side is Side.PARTNER else None,
            note=command.note,
        )
    )
    return None


def _jumps_over_agreement(deal: Opportunity, to: int) -> Stage | None:
    """The first stage between here and there that is left only when both sides agree."""
    if not deal.partners:
        return None
    here = deal.playbook.position(deal.stage.key)
    ahead = deal.playbook.stages[here:to]
    return next((stage for stage in ahead if stage.exit.by is ExitBy.SIGN_OFF), None)


def move(draft: Draft, command: ask.Move) -> None:
    """Past the exit rule, with a reason; but never past an agreement that a partner has not given."""
    _manage(draft, "move deals past the playbook")
    selling(draft.deal)
    deal = draft.deal
    target = deal.playbook.stage(command.stage)
    if target is None:
        known = listed((stage.key for stage in deal.playbook.stages), "and")
        raise NoSuchStage(f"The playbook has no stage “{command.stage}”. It has {known}.")
    if target.key == deal.stage.key:
        raise NoSuchStage(f"The deal is in {target.title} already.")
    stage = _jumps_over_agreement(deal, deal.playbook.position(target.key))
    if stage is not None:
        missing = gate_blockers(deal) if stage.key == deal.stage.key else [agreement_ahead(deal, stage)]
        raise closed_gate(deal, missing, f"{stage.title} is left only when both sides agree")
    _not_past_discounts(deal, deal.playbook.position(target.key))
    enter(draft, target, command.reason.rstrip("."), stays=True)


def _not_past_discounts(deal: Opportunity, to: int) -> None:
    """Raises: DiscountPending, DiscountOutsideGrant, on the way past a stage that waits for discounts."""
    ahead = deal.playbook.stages[deal.playbook.position(deal.stage.key) : to]
    stage = next((stage for stage in ahead if waits_for_discounts(deal, stage)), None)
    if stage is not None and (held := discount_blockers(deal)):
        raise closed_gate(deal, held, f"{stage.title} is left only when its discounts are settled")


def hold(draft: Draft, command: ask.HoldDeal) -> None:
    _manage(draft, "put deals on hold")
    selling(draft.deal)
    ahead(command.until, draft.now, "The end of the hold", pointer="/until")
    draft.add(did.Held(reason=command.reason, until=command.until))


def resume(draft: Draft, command: ask.Resume) -> None:  # noqa: ARG001 -- every decision takes its command
    _manage(draft, "resume deals")
    not_closed(draft.deal)
    if draft.deal.hold is None:
        raise DealNotOnHold(f"“{draft.deal.title}” is not on hold.")
    draft.add(did.Resumed(held_since=draft.deal.hold.since))


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return ", ".join(f"{key}: {text}" for key, text in value.items()) or None
    return str(getattr(value, "name", value))


def change(draft: Draft, command: ask.Change) -> None:
    """Only what is given and different; a field given as null is cleared, except the title."""
    _manage(draft, "change the facts of a deal")
    not_closed(draft.deal)
    deal = draft.deal
    values = {field: getattr(command, field) for field in command.model_fields_set - {"kind"}}
    if "title" in values and values["title"] is None:
        raise InvalidInput("A deal needs a title.", pointer="/title")
    if "custom" in values:
        values["custom"] = values["custom"] or {}
    plausible_close(command.expected_close)
    different = {field: value for field, value in sorted(values.items()) if getattr(deal, field) != value}
    if not different:
        return
    if "amount" in different and deal.lines:
        raise AmountFromLines(
            f"The amount of “{deal.title}” is the sum of its lines: change the lines, and it follows.",
            errors=[{"pointer": "/amount", "detail": "The sum of the lines; change those."}],
        )
    if "amount" in different and deal.status is Status.WON:
        demand_as_signed(deal, command.amount, draft.now)
    told = tuple(
        did.FieldChange(field=field, before=_as_text(getattr(deal, field)), after=_as_text(value))
        for field, value in different.items()
    )
    draft.add(did.Changed(changes=told, values=different))


def note(draft: Draft, command: ask.AddNote) -> None:
    demand(draft.by, Action.NOTE, "Your role does not write notes.")
    not_closed(draft.deal)
    draft.add(did.Noted(text=command.text))


def win(draft: Draft, command: ask.Win) -> None:
    """The customer signed: the last stage's gate must be open; the hand-off begins."""
    _manage(draft, "win deals")
    selling(draft.deal)
    deal = draft.deal
    if deal.playbook.next_stage(deal.stage.key) is not None:
        last = deal.playbook.stages[-1].title
        missing = gate_blockers(deal)
        raise closed_gate(deal, missing, f"The deal is in {deal.stage_title}; it is won from {last}")
    if missing := gate_blockers(deal):
        raise closed_gate(deal, missing, f"{deal.stage_title} is not finished")
    later(command.contract_ends, draft.now, "The contract", pointer="/contract_ends")
    draft.add(did.Won(note=command.note, contract_ends=command.contract_ends))
    enter(draft, deal.playbook.handoff, "the deal is won")


def lose(draft: Draft, command: ask.Lose) -> None:
    _manage(draft, "lose deals")
    not_closed(draft.deal)
    if draft.deal.status is Status.WON:
        raise DealClosed(f"“{draft.deal.title}” is won and being handed off.")
    draft.add(did.DealLost(reason=command.reason, note=command.note))


def reopen(draft: Draft, command: ask.Reopen) -> None:
    """A lost deal, or one that was closed before Tandem knew it."""
    _manage(draft, "reopen deals")
    deal = draft.deal
    if not deal.is_closed or deal.status is Status.HANDED_OFF:
        raise DealNotLost(f"“{deal.title}” is {deal.status.value.replace('_', ' ')}, not lost.")
    draft.add(did.Reopened(reason=command.reason))
    if not deal.stage.began:  # taken over as history: its stage begins now
        enter(draft, deal.stage_template, "the deal goes on here")
