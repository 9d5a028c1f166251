"""Every command that a deal's page offers, in the order of its menu."""

from __future__ import annotations

from collections.abc import Sequence

from api import intake
from api.v1.handoff_shapes import AcceptBody, ReturnBody
from api.v1.opportunity_inputs import (
    AssignBody,
    HoldBody,
    LoseBody,
    MoveBody,
    NoteBody,
    OpportunityPatch,
    PartnerInput,
    ReasonBody,
    ReopenBody,
    TaskInput,
    WinBody,
)
from api.v1.timelines import NoteInput
from api.web import actions as offer
from api.web.actions import Action, Asked, Field
from api.web.choices import active_partners, currencies, people_of
from api.web.clock_forms import CLOCK_ACTIONS
from api.web.discounts import DISCOUNT_ACTIONS
from api.web.fields import day_at_nine, money_typed
from api.web.forms import Form, parse
from api.web.line_forms import LINE_ACTIONS
from api.web.trigger_forms import TRIGGER_ACTIONS
from domain.opportunity import commands as ask
from domain.opportunity.state import LoseReason
from domain.playbook import PartnerRole
from domain.principal import Side

ENDS = Field(
    "date", "contract_ends", "Contract ends", "The renewal opens by itself before that day.", required=False
)
NOTE = Field("area", "note", "Note", "Everybody on this deal sees it.", required=False)


def _fixed(*fields: Field) -> offer.Fields:
    async def answer(_: Asked) -> Sequence[Field]:
        return fields

    return answer


async def _advance(_: Asked, form: Form) -> ask.Command:
    return ask.Advance(note=parse(NoteBody, form.given("note")).note)


async def _win(_: Asked, form: Form) -> ask.Command:
    return ask.Win(**parse(WinBody, form.given("note", "contract_ends")).model_dump())


# The way of the deal ---------------------------------------------------------------------


def _advance_title(asked: Asked) -> str:
    deal = asked.deal
    if offer.signs_off(deal):
        return f"Agree that {deal.stage_title} is finished"
    following = deal.playbook.next_stage(deal.stage.key)
    return f"Move on to {following.title}" if following else "Move on"


def _advance_words(asked: Asked) -> str:
    return "Agree" if offer.signs_off(asked.deal) else "Move on"


def _advance_lede(asked: Asked) -> str:
    if offer.signs_off(asked.deal):
        return "Both sides say it once. When the other side agrees as well, the deal moves on."
    return "The stage is left by its exit rule, and the tasks of the next one open for both sides."


async def _stages(asked: Asked) -> Sequence[Field]:
    others = [stage for stage in asked.deal.playbook.stages if stage.key != asked.deal.stage.key]
    options = [(stage.key, stage.title) for stage in others]
    return (
        Field("choose", "stage", "Stage", options=options, blank="Choose a stage"),
        Field("area", "reason", "Why", "It stays on the timeline, for both sides to read.", maxlength=1000),
    )


async def _move(_: Asked, form: Form) -> ask.Command:
    body = parse(MoveBody, form.given("stage", "reason"))
    return ask.Move(stage=body.stage, reason=body.reason)


async def _hold(_: Asked, form: Form) -> ask.Command:
    typed = form.given("reason") | day_at_nine(form, "until")
    body = parse(HoldBody, typed)
    return ask.HoldDeal(reason=body.reason, until=body.until)


async def _resume(_: Asked, form: Form) -> ask.Command:
    del form
    return ask.Resume()


async def _lose(_: Asked, form: Form) -> ask.Command:
    body = parse(LoseBody, form.given("reason", "note"))
    return ask.Lose(reason=body.reason, note=body.note)


async def _reopen(_: Asked, form: Form) -> ask.Command:
    return ask.Reopen(reason=parse(ReopenBody, form.given("reason")).reason)


# Facts and people --------------------------------------------------------------------------


async def _edit_fields(asked: Asked) -> Sequence[Field]:
    owners = await people_of(asked.database, asked.principal, Side.VENDOR)
    amount = Field("money", "amount", "Amount", required=False, options=currencies(asked.deal.amount))
    return (
        Field("text", "title", "Title", maxlength=200),
        *(() if asked.deal.lines else (amount,)),  # else it is their sum
        Field("date", "expected_close", "Expected close", required=False),
        Field("choose", "owner_id", "Owner", required=False, options=owners, blank="Nobody"),
    )


def _edit_values(asked: Asked) -> dict[str, object]:
    deal = asked.deal
    return {
        "title": deal.title,
        "amount": deal.amount.amount if deal.amount else "",
        "currency": deal.amount.currency if deal.amount else "",
        "expected_close": deal.expected_close or "",
        "owner_id": deal.owner.id if deal.owner else "",
    }


async def _edit(asked: Asked, form: Form) -> ask.Command:
    """What differs from the deal as the person saw it: an untouched field is not sent."""
    body = parse(
        OpportunityPatch,
        {
            "title": form.get("title"),
            "amount": money_typed(form),
            "expected_close": form.get("expected_close"),
            "owner_id": form.get("owner_id"),
        },
    )
    deal = asked.deal
    changes: dict[str, object] = {}
    if body.title != deal.title:
        changes["title"] = body.title
    if body.amount != deal.amount and not deal.lines:
        changes["amount"] = body.amount
    if body.expected_close != deal.expected_close:
        changes["expected_close"] = body.expected_close
    if body.owner_id != (deal.owner.id if deal.owner else None):
        changes["owner"] = await intake.owner(asked.database, asked.principal, body.owner_id)
    return ask.Change.model_validate(changes)


async def _note(_: Asked, form: Form) -> ask.Command:
    return ask.AddNote(text=parse(NoteInput, {"text": form.get("text") or ""}).text)


async def _partner_fields(asked: Asked) -> Sequence[Field]:
    taken = {partner.id for partner in asked.deal.partners}
    free = [pair for pair in await active_partners(asked.database, asked.principal) if pair[0] not in taken]
    wanted = asked.deal.playbook.partner_roles
    roles = sorted(PartnerRole, key=lambda role: (role not in wanted, role.value))
    return (
        Field("choose", "partner_id", "Partner", options=free, blank="Choose a partner"),
        Field(
            "choose",
            "partner_role",
            "Role",
            options=[(role.value, role.label.capitalize()) for role in roles],
        ),
    )


async def _add_partner(asked: Asked, form: Form) -> ask.Command:
    typed = {"partner_id": form.get("partner_id"), "role": form.get("partner_role")}
    body = parse(PartnerInput, {name: value for name, value in typed.items() if value})
    return ask.AddPartner(partner=await intake.deal_partner(asked.database, asked.principal, body))


def _partner_name(asked: Asked) -> str:
    partner = asked.deal.partner(asked.of_id)
    return partner.name if partner else "this partner"


async def _remove_partner(asked: Asked, form: Form) -> ask.Command:
    del form
    return ask.RemovePartner(partner_id=asked.of_id)


# Tasks -------------------------------------------------------------------------------------


async def _task_fields(asked: Asked) -> Sequence[Field]:
    vendor, *partners = [("vendor", "Vendor")] + [
        (str(partner.id), partner.name)
        for partner in asked.deal.partners
        if asked.principal.partner_id in (None, partner.id)
    ]
    sides = [*partners, vendor] if asked.principal.side is Side.PARTNER else [vendor, *partners]
    return (
        Field("text", "title", "What is to be done", maxlength=200),
        Field("choose", "whose", "Who does it", options=sides),
        Field("date", "due_at", "Due", required=False),
        Field(
            "choose",
            "required",
            "Does the stage wait for it?",
            options=[("", "No, it is optional"), ("yes", "Yes, it is required")],
            required=False,
        ),
        Field("area", "help", "How to do it well", required=False),
    )


async def _add_task(_: Asked, form: Form) -> ask.Command:
    whose = form.get("whose") or "vendor"
    typed: dict[str, object] = {**form.given("title", "help"), **day_at_nine(form, "due_at")}
    typed["side"] = Side.VENDOR if whose == "vendor" else Side.PARTNER
    typed["partner_id"] = None if whose == "vendor" else whose
    typed["required"] = form.get("required") == "yes"
    body = parse(TaskInput, typed)
    return ask.AddTask(**body.model_dump(exclude={"assignee_id"}))


async def _answer(asked: Asked) -> Sequence[Field]:
    task = asked.deal.tasks.get(asked.of)
    if task is None or not task.answer:
        return (NOTE,)
    return (Field("area", "note", "Answer", task.help or "It is handed over to customer success."),)


async def _complete(asked: Asked, form: Form) -> ask.Command:
    return ask.CompleteTask(key=asked.of, note=parse(NoteBody, form.given("note")).note)


async def _reopen_task(asked: Asked, form: Form) -> ask.Command:
    del form
    return ask.ReopenTask(key=asked.of)


async def _waive(asked: Asked, form: Form) -> ask.Command:
    return ask.WaiveTask(key=asked.of, reason=parse(ReasonBody, form.given("reason")).reason)


async def _assignees(asked: Asked) -> Sequence[Field]:
    task = asked.deal.tasks.get(asked.of)
    partner_id = task.partner_id if task else None
    side = Side.PARTNER if partner_id else Side.VENDOR
    options = await people_of(asked.database, asked.principal, side, partner_id)
    return (
        Field(
            "choose", "user_id", "Who does it", options=options, blank="Nobody in particular", required=False
        ),
    )


async def _assign(asked: Asked, form: Form) -> ask.Command:
    body = parse(AssignBody, {"user_id": form.get("user_id")})
    assignee = await intake.assignee(asked.database, asked.principal, body.user_id, "/user_id")
    return ask.AssignTask(key=asked.of, assignee=assignee)


# The hand-off ------------------------------------------------------------------------------


async def _accept(_: Asked, form: Form) -> ask.Command:
    return ask.AcceptHandOff(comment=parse(AcceptBody, form.given("comment")).comment)


async def _return(_: Asked, form: Form) -> ask.Command:
    return ask.ReturnHandOff(comment=parse(ReturnBody, form.given("comment")).comment, clocked=True)


_REASONS = [(reason.value, reason.label) for reason in LoseReason]

_ALL = (
    Action("advance", _advance_title, _advance_words, "shield-check", _fixed(NOTE), _advance,
           done="You agreed for your side.", lede=_advance_lede, offered=offer.offers_advance),
    Action("win", "Mark as won", "The customer has signed", "trophy", _fixed(NOTE, ENDS), _win,
           lede="The hand-off to customer success begins.", offered=offer.offers_win),
    Action("accept-handoff", "Accept the hand-off", "Accept", "package-check",
           _fixed(Field("area", "comment", "Comment", required=False)), _accept,
           lede="Customer success takes over, and the deal is done.", offered=offer.offers_handoff),
    Action("resume", "Resume the deal", "Resume", "circle-play", _fixed(), _resume,
           lede="Every deadline keeps the time that it had left.", offered=offer.offers_resume),
    Action("reopen", "Reopen the deal", "Reopen", "rotate-ccw",
           _fixed(Field("area", "reason", "Why now", required=False, maxlength=1000)), _reopen,
           lede="It goes on in the stage where it was lost.", offered=offer.offers_reopen),
    Action("edit", "Edit the deal", "Save", "pencil", _edit_fields, _edit, done="Saved.",
           offered=offer.offers_edit, initial=_edit_values, guarded=True),
    Action("move", "Move to a stage", "Move", "move-right", _stages, _move,
           lede="Back or forward, past the exit rule, with a reason.", offered=offer.offers_move),
    Action("add-task", "Add a task", "Add the task", "plus", _task_fields, _add_task, done="It is added.",
           offered=offer.offers_work),
    Action("add-partner", "Add a partner", "Add", "handshake", _partner_fields, _add_partner,
           done="The partner is on the deal.", offered=offer.offers_move,
           lede="It sees the deal from now on; the tasks for its role become its own."),
    Action("return-handoff", "Return the hand-off", "Return", "undo-2",
           _fixed(Field("area", "comment", "What is missing?", "The seller reads it.")), _return,
           done="Returned to the seller.", offered=offer.offers_handoff),
    Action("hold", "Put on hold", "Put on hold", "circle-pause",
           _fixed(Field("area", "reason", "Why", maxlength=1000),
                  Field("date", "until", "Until", "Empty: until somebody resumes it.", required=False)),
           _hold, lede="Clocks stop: no deadline passes while it is on hold.", offered=offer.offers_hold),
    Action("lose", "Mark as lost", "Mark as lost", "circle-x",
           _fixed(Field("choose", "reason", "Reason", options=_REASONS, blank="Choose a reason"),
                  Field("area", "note", "What happened", "Both sides read it.", required=False)),
           _lose, lede="The deal closes and its clocks stop. It can be reopened later.",
           offered=offer.offers_lose, danger=True),
    Action("note", "Write a note", "Add note", "message-square",
           _fixed(Field("area", "text", "Note", "Everybody on this deal sees it.")), _note, done="Noted."),
    Action("remove-partner", lambda asked: f"Remove {_partner_name(asked)}", "Remove", "x", _fixed(),
           _remove_partner, done="The partner is off the deal.", danger=True,
           lede="It no longer sees this deal. Its open tasks wait for another partner; what it did stays."),
    Action("complete", lambda asked: f"Complete: {asked.task_title}", "Complete", "check", _answer,
           _complete, done=lambda asked: f"Done: “{asked.task_title}”."),
    Action("reopen-task", lambda asked: f"Reopen: {asked.task_title}", "Reopen", "rotate-ccw", _fixed(),
           _reopen_task, done="The task is open again."),
    Action("waive", lambda asked: f"Waive: {asked.task_title}", "Waive", "ban",
           _fixed(Field("area", "reason", "Why is it not needed here?", maxlength=1000)), _waive,
           done="The task is waived."),
    Action("assign", lambda asked: f"Assign: {asked.task_title}", "Assign", "user-plus", _assignees, _assign,
           done="Assigned."),
    *CLOCK_ACTIONS,
    *LINE_ACTIONS,
    *DISCOUNT_ACTIONS,
    *TRIGGER_ACTIONS,
)  # fmt: skip

ACTIONS = {action.name: action for action in _ALL}
"""Every command with a form, by its name in the address."""

MENU = (
    "advance", "win", "accept-handoff", "resume", "reopen",
    "edit", "move", "add-task", "check-in", "cadence", "add-partner", "return-handoff",
    "hold", "refresh-calendar", "lose",
)  # fmt: skip
"""What the deal's own menu may offer; the rest stands beside what it is about."""
NEXT_STEPS = frozenset({"advance", "win", "accept-handoff", "resume", "reopen"})
