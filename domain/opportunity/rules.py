"""What follows from a command: the one door through which a deal changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.errors import InvalidInput, NoSuchStage, NotFound
from domain.opportunity import commands as ask
from domain.opportunity import commands_discount as ask_discounts
from domain.opportunity import commands_lines as ask_lines
from domain.opportunity import decide_clock as clock_rules
from domain.opportunity import decide_deal as deal_rules
from domain.opportunity import decide_discount as discount_rules
from domain.opportunity import decide_handoff as handoff_rules
from domain.opportunity import decide_lines as line_rules
from domain.opportunity import decide_tasks as task_rules
from domain.opportunity import events as did
from domain.opportunity import stage_approvals
from domain.opportunity.blockers import exit_of
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.guards import demand, plausible_close, room_for_text
from domain.opportunity.stages import enter, settle
from domain.opportunity.state import Opportunity, StageState, Status
from domain.opportunity.triggers import pass_over
from domain.playbook import ExitBy, Stage
from domain.principal import SYSTEM, Action, Actor, Side
from domain.timeline import demand_current

_DECISIONS: dict[type, Callable[[Draft, Any], None]] = {
    ask.CompleteTask: task_rules.complete,
    ask.ReopenTask: task_rules.reopen,
    ask.WaiveTask: task_rules.waive,
    ask.AssignTask: task_rules.assign,
    ask.AddTask: task_rules.add,
    ask.AddPartner: deal_rules.add_partner,
    ask.RemovePartner: deal_rules.remove_partner,
    ask_lines.AddLine: line_rules.add,
    ask_lines.ChangeLine: line_rules.change,
    ask_lines.RemoveLine: line_rules.remove,
    ask_discounts.RequestDiscount: discount_rules.request,
    ask_discounts.DropDiscount: discount_rules.drop,
    ask.Advance: deal_rules.advance,
    ask.Move: deal_rules.move,
    ask.HoldDeal: deal_rules.hold,
    ask.Resume: deal_rules.resume,
    ask.Change: deal_rules.change,
    ask.AskStageApproval: stage_approvals.ask_again,
    ask.AddNote: deal_rules.note,
    ask.LogCheckIn: clock_rules.check_in,
    ask.SetCadence: clock_rules.set_cadence,
    ask.RefreshCalendar: clock_rules.refresh_calendar,
    ask.Win: deal_rules.win,
    ask.Lose: deal_rules.lose,
    ask.Reopen: deal_rules.reopen,
    ask.AcceptHandOff: handoff_rules.accept_handoff,
    ask.ReturnHandOff: handoff_rules.return_handoff,
}


def decide(deal: Opportunity, request: ask.Request, now: datetime) -> Outcome:
    """The deal after the request and what happened on the way; `deal` itself stays as it is.

    Raises:
        StaleVersion: the request had another version in mind.
        TandemError: the rule that refuses, by its class.
    """
    by = request.by
    if by.side is Side.PARTNER and deal.partner(by.organisation_id) is None:
        raise NotFound("There is no such opportunity.")
    demand_current(deal, request.if_version)
    draft = Draft(deal, now, by)
    _DECISIONS[type(request.command)](draft, request.command)
    discount_rules.follow(draft)
    stage_approvals.follow(draft)
    settle(draft)
    handoff_rules.offer_again(draft)
    room_for_text(deal, draft.deal)
    return draft.outcome()


def rule_to_judge(deal: Opportunity) -> str | None:
    """The CEL rule whose answer decides on the current stage; None where there is none to ask."""
    gate = exit_of(deal)
    return gate.rule if deal.status is Status.OPEN and gate.by is ExitBy.RULE else None


def judged(deal: Opportunity, *, met: bool, now: datetime) -> Outcome:
    """What the answer of the stage's rule leads to; nothing, when it is the same as before.

    Before the first answer a rule counts as not met, so that a first "no" is no news: unless
    somebody moved the deal here, since then the "no" ends its stay.
    """
    draft = Draft(deal, now, SYSTEM)
    rule = rule_to_judge(deal)
    known = deal.stage.rule_met if deal.stage.stays else bool(deal.stage.rule_met)
    if rule is not None and known is not met:
        draft.add(did.RuleJudged(stage=deal.stage.key, rule=rule, asks=exit_of(deal).asks, met=met))
        settle(draft)
    return draft.outcome()


def _check_dates(command: ask.Open, now: datetime) -> None:
    plausible_close(command.expected_close)
    began = command.opened_at or now
    ended = command.closing.at if command.closing else now
    if not began <= ended <= now:
        raise InvalidInput("A deal is opened before it is closed, and both before now.", pointer="/opened_at")


def _check_partners(command: ask.Open, by: Actor) -> None:
    ids = [partner.id for partner in command.partners]
    if by.side is Side.PARTNER and by.organisation_id not in ids:
        raise InvalidInput("A partner opens deals that it takes part in: name it.", pointer="/partners")
    if len(set(ids)) != len(ids):
        raise InvalidInput("A partner is named twice.", pointer="/partners")
    if len(ids) > deal_rules.MAX_PARTNERS:
        raise InvalidInput(f"A deal has at most {deal_rules.MAX_PARTNERS} partners.", pointer="/partners")


def open_deal(command: ask.Open, now: datetime, by: Actor) -> Outcome:
    """A new deal in its first stage, or one taken over from elsewhere as it stood there.

    Raises:
        Forbidden: the role does not open deals.
        InvalidInput: partners named twice or too many, a partner that leaves itself out, dates
            that cannot be.
        NoSuchStage: the playbook has no such stage.
    """
    demand(by, Action.OPEN_OPPORTUNITY, "Your role does not open opportunities.")
    _check_partners(command, by)
    _check_dates(command, now)
    book = command.playbook
    stage = book.stages[0] if command.stage is None else book.stage(command.stage)
    if stage is None:
        raise NoSuchStage(f"The playbook {book.key} has no stage “{command.stage}”.")
    began = command.opened_at or now
    deal = _before_it_began(command, stage, began)
    draft = Draft(deal, now, by)
    draft.add(_opened(command), at=began)
    if command.closing is None:
        taken_over = command.opened_at is not None
        enter(draft, stage, "taken over here" if taken_over else "the deal was opened", fires=not taken_over)
        settle(draft)
        if taken_over:  # its stages began elsewhere
            pass_over(draft)
    else:
        draft.add(_closed(command.closing), at=command.closing.at)
    return draft.outcome()


def _before_it_began(command: ask.Open, stage: Stage, began: datetime) -> Opportunity:
    """The deal that the first event happens to."""
    return Opportunity(
        id=command.id,
        title=command.title,
        customer=command.customer,
        account_id=command.account_id,
        amount=command.amount,
        expected_close=command.expected_close,
        owner=command.owner,
        playbook=command.playbook,
        policy=command.policy,
        calendar=command.calendar,
        stage=StageState(key=stage.key, entered_at=began, began=False),
        partners=command.partners,
        custom=command.custom,
        external=command.external,
        parent_id=command.parent_id,
        created_at=began,
        updated_at=began,
    )


def _opened(command: ask.Open) -> did.Opened:
    return did.Opened(
        title=command.title,
        customer=command.customer,
        amount=command.amount,
        expected_close=command.expected_close,
        owner=command.owner,
        playbook=command.playbook.key,
        playbook_version=command.playbook.version,
        partners=command.partners,
        parent_id=command.parent_id,
    )


def _closed(closing: ask.Closing) -> did.Won | did.DealLost:
    if closing.status is Status.WON:
        return did.Won(note=closing.note, handoff=False)
    return did.DealLost(reason=closing.reason, note=closing.note)
