"""Entering and leaving stages: which tasks open, whom they are for, when they are due."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.calendar import Calendar, after
from domain.errors import Conflict, DiscountOutsideGrant, DiscountPending, NoSuchStage, StageGateClosed
from domain.opportunity.blockers import Blocker, exit_of, gate_blockers, gate_is_open, moves_by_itself
from domain.opportunity.draft import Draft
from domain.opportunity.events import StageEntered
from domain.opportunity.state import DealPartner, Opportunity, Status, Task, TaskState
from domain.playbook import HANDOFF, Exit, ExitBy, HandOffTemplate, Stage, TaskTemplate
from domain.principal import SYSTEM, Actor, Side


def due(deal: Opportunity, now: datetime, duration: str | None) -> datetime | None:
    """When so much time has passed by the deal's calendar (UTC)."""
    return after(calendar_of(deal), now, duration) if duration else None


def calendar_of(deal: Opportunity) -> Calendar:
    return deal.calendar or _OFFICE


_OFFICE = Calendar()


def suits(template: TaskTemplate, partner: DealPartner) -> bool:
    """Whether the partner is one that the task is for."""
    return template.side is Side.PARTNER and template.partner_role in (None, partner.role)


def new_task(deal: Opportunity, template: TaskTemplate, stage: str, now: datetime, key: str) -> Task:
    """The template's task, open from now on; nobody's yet."""
    return Task(
        key=key,
        template=template.key,
        stage=stage,
        title=template.title,
        help=template.help,
        side=template.side,
        partner_role=template.partner_role,
        required=template.required,
        answer=template.answer,
        waive_by=deal.playbook.waive_by if template.waive_by is None else template.waive_by,
        opened_at=now,
        due_at=due(deal, now, template.due),
    )


def free_key(deal: Opportunity, wanted: str) -> str:
    """`wanted`, or the first of `wanted.2`, `wanted.3` … that no task of the deal has."""
    key, number = wanted, 1
    while key in deal.tasks:
        number += 1
        key = f"{wanted}.{number}"
    return key


def tasks_for_partner(deal: Opportunity, partner: DealPartner, now: datetime) -> tuple[Task, ...]:
    """The partner's tasks in the current stage: those that waited for such a partner, or its own."""
    tasks = []
    for template in deal.playbook.tasks_of(deal.stage.key):
        if not suits(template, partner):
            continue
        siblings = [task for task in deal.stage_tasks() if task.template == template.key]
        waiting = [task for task in siblings if task.partner_id is None and task.is_open]
        own = [task for task in siblings if task.partner_id == partner.id and task.left_behind]
        if waiting:
            tasks.append(waiting[0].but(partner_id=partner.id))
        elif own:  # left behind when the partner left
            tasks.append(_reopened(deal, own[0], template, now))
        elif all(task.partner_id not in (None, partner.id) for task in siblings):
            task = new_task(deal, template, deal.stage.key, now, free_key(deal, template.key))
            tasks.append(task.but(partner_id=partner.id))
    return tuple(tasks)


def _others_have(deal: Opportunity, task: Task) -> bool:
    """Whether another partner of the deal has the same task in that stage."""
    return task.template is not None and any(
        (other.template, other.stage) == (task.template, task.stage)
        and other.partner_id != task.partner_id
        and deal.partner(other.partner_id) is not None
        for other in deal.tasks.values()
    )


def tasks_without_partner(draft: Draft, partner: DealPartner) -> tuple[Task, ...]:
    """What becomes of the open tasks of a partner that leaves.

    Where another partner of the deal has the same task, it is done by that one; else it waits for
    another partner.
    """
    tasks = []
    for task in draft.deal.stage_tasks():
        if task.partner_id != partner.id or not task.is_open:
            continue
        if _others_have(draft.deal, task):
            why = f"Left behind when {partner.name} left the deal"
            tasks.append(task.leave_behind(draft.now, draft.by.name, why))
        else:
            tasks.append(task.but(partner_id=None, assignee=None))
    return tuple(tasks)


def _again(deal: Opportunity, task: Task, template: TaskTemplate | None, now: datetime) -> Task:
    """A task of a stage that is entered once more: what was done stays done, the rest opens anew."""
    gone = task.partner_id is not None and deal.partner(task.partner_id) is None
    if not task.left_behind or (gone and _others_have(deal, task)):
        return task
    left = {"partner_id": None, "assignee": None} if gone else {}
    return _reopened(deal, task, template, now).but(**left)


def _reopened(deal: Opportunity, task: Task, template: TaskTemplate | None, now: datetime) -> Task:
    return task.but(
        state=TaskState.OPEN,
        opened_at=now,
        due_at=due(deal, now, template.due) if template else None,
        closed_at=None,
        closed_by=None,
        note=None,
        left_behind=False,
    )


def partners_for(deal: Opportunity, template: TaskTemplate) -> list[UUID | None]:
    """For whom the task opens: nobody in particular on the vendor's side, or while no partner suits."""
    return [partner.id for partner in deal.partners if suits(template, partner)] or [None]


def tasks_of_stage(deal: Opportunity, stage: str, now: datetime) -> tuple[Task, ...]:
    """The tasks of the stage as it is entered now: new ones, and those from an earlier visit."""
    templates = {template.key: template for template in deal.playbook.tasks_of(stage)}
    triggered = deal.playbook.triggered_tasks() | templates
    before = [task for task in deal.tasks.values() if task.stage == stage]
    then = deal.copy_to_change()
    tasks = {task.key: _again(deal, task, triggered.get(task.template or ""), now) for task in before}
    for template in templates.values():
        siblings = [task for task in tasks.values() if task.template == template.key]
        waiting = [task for task in siblings if task.partner_id is None and task.is_open]
        known = {task.partner_id for task in siblings}
        if None in known and not waiting:  # done before, when no partner suited
            continue
        for partner_id in partners_for(deal, template):
            if partner_id in known or (partner_id is None and siblings):
                continue
            task = waiting.pop(0) if waiting else None
            task = task or new_task(deal, template, stage, now, free_key(then, template.key))
            tasks[task.key] = task.but(partner_id=partner_id)
            then.put(tasks[task.key])
    return tuple(tasks.values())


def check_in_every(deal: Opportunity, stage: Stage | HandOffTemplate) -> str | None:
    """How often both sides check in: as the deal says, else as the stage does; never after the signature."""
    if not isinstance(stage, Stage):
        return None
    return deal.cadence.every or stage.check_in


def enter(
    draft: Draft,
    stage: Stage | HandOffTemplate,
    why: str,
    *,
    by: Actor | None = None,
    stays: bool = False,
    fires: bool = True,
) -> None:
    """Begin the stage; what was open in the one before is left behind, and triggers are about to fire."""
    deal = draft.deal
    key = stage.key if isinstance(stage, Stage) else HANDOFF
    first = not deal.stage.began
    check_in = check_in_every(deal, stage)
    draft.add(
        StageEntered(
            stage=key,
            title=stage.title,
            from_stage=None if first else deal.stage.key,
            from_title=None if first else deal.stage_title,
            why=why,
            due_at=due(deal, draft.now, stage.target),
            next_check_in_at=due(deal, draft.now, check_in),
            tasks=tasks_of_stage(deal, key, draft.now),
            left_behind=tuple(task.key for task in deal.stage_tasks() if task.is_open),
            stays=stays,
            fires=fires,
        ),
        by=by,
    )


_BY_DISCOUNT: dict[str, type[Conflict]] = {
    "discount_pending": DiscountPending,
    "discount_outside_grant": DiscountOutsideGrant,
}


def closed_gate(deal: Opportunity, missing: list[Blocker], what: str) -> Conflict:
    """The refusal that says what is missing; where that is a discount alone, by that one's code."""
    told = "; ".join(blocker.what for blocker in missing)
    codes = {blocker.code for blocker in missing}
    alone = bool(codes) and codes <= _BY_DISCOUNT.keys()
    refusal = _BY_DISCOUNT[missing[0].code] if alone else StageGateClosed
    return refusal(
        f"{what}. Still missing: {told}." if told else f"{what}.",
        blockers=[blocker.model_dump(mode="json") for blocker in missing],
        version=deal.version,
    )


def _rule_that_fired(gate: Exit) -> str:
    match gate.by:
        case ExitBy.RULE:
            return f"the rule is met ({gate.asks})"
        case ExitBy.SIGN_OFF:
            return "both sides agreed"
        case _:
            return "all required tasks are closed"


def leave(draft: Draft) -> None:
    """Go to the next stage through the open gate."""
    deal = draft.deal
    following = deal.playbook.next_stage(deal.stage.key)
    if following is None:
        raise NoSuchStage(f"{deal.stage_title} is the last stage: win the deal, or lose it.")
    if missing := gate_blockers(deal):
        raise closed_gate(deal, missing, f"{deal.stage_title} is not finished")
    enter(draft, following, _rule_that_fired(exit_of(deal)))


def settle(draft: Draft) -> None:
    """Move on by itself, where the playbook says so, the gate is open and no trigger is about to fire."""
    deal = draft.deal
    while (
        deal.status is Status.OPEN
        and not deal.firing
        and moves_by_itself(deal)
        and (following := deal.playbook.next_stage(deal.stage.key)) is not None
        and gate_is_open(deal)
    ):
        enter(draft, following, _rule_that_fired(exit_of(deal)), by=SYSTEM)
