"""Decisions about tasks: complete, reopen, waive, assign, add."""

from __future__ import annotations

from typing import Any

from domain.dates import dated
from domain.errors import Forbidden, InvalidInput, NotFound, TaskClosed, TaskOpen
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.draft import Draft
from domain.opportunity.guards import ahead, at_work, current_task, demand, demand_task, is_for
from domain.opportunity.stages import free_key
from domain.opportunity.state import Opportunity, Person, Task
from domain.opportunity.wording import listed, possessive
from domain.principal import Action, Side

MAX_TASKS = 200
"""Tasks of one deal, all stages together: more is a project, not a deal."""


def _open(task: Task) -> None:
    if not task.is_open:
        when = f" at {task.closed_at:%H:%M} UTC on {dated(task.closed_at)}" if task.closed_at else ""
        raise TaskClosed(
            f"“{task.title}” is {task.state.value} already: {task.closed_by or 'somebody'}{when}.",
            task=task.key,
        )


def complete(draft: Draft, command: ask.CompleteTask) -> None:
    at_work(draft.deal)
    task = current_task(draft.deal, command.key)
    demand_task(draft.by, draft.deal, task)
    _open(task)
    if task.answer and command.note is None:
        raise InvalidInput(
            f"“{task.title}” asks for an answer: write it down, it is handed over.", pointer="/note"
        )
    draft.add(did.TaskCompleted(key=task.key, title=task.title, note=command.note))


def reopen(draft: Draft, command: ask.ReopenTask) -> None:
    at_work(draft.deal)
    task = current_task(draft.deal, command.key)
    demand_task(draft.by, draft.deal, task)
    if task.is_open:
        raise TaskOpen(f"“{task.title}” is open.")
    draft.add(did.TaskReopened(key=task.key, title=task.title))


def waive(draft: Draft, command: ask.WaiveTask) -> None:
    """The roles that the playbook names may waive, on either side: the reason stays on the timeline."""
    at_work(draft.deal)
    task = current_task(draft.deal, command.key)
    demand(draft.by, Action.WORK_TASKS, "Your role does not work on tasks.")
    if not draft.by.is_system and not set(draft.by.roles) & set(task.waive_by):
        who = listed(role.value.replace("_", " ") for role in task.waive_by) or "nobody"
        raise Forbidden(f"“{task.title}” can be waived by: {who}.")
    _open(task)
    draft.add(did.TaskWaived(key=task.key, title=task.title, reason=command.reason))


def assign(draft: Draft, command: ask.AssignTask) -> None:
    at_work(draft.deal)
    task = current_task(draft.deal, command.key)
    demand_task(draft.by, draft.deal, task)
    _open(task)
    assignee = _assignee(draft.deal, task, command.assignee, "/user_id")
    draft.add(did.TaskAssigned(key=task.key, title=task.title, assignee=assignee))


def _assignee(deal: Opportunity, task: Task, to: ask.Assignee | None, pointer: str) -> Person | None:
    """Who shall do the task: somebody whom it is for, or nobody in particular.

    Raises: InvalidInput, at the pointer.
    """
    if to is None or is_for(deal, task, to.side, to.partner_id):
        return to.person if to else None
    owner = deal.partner(task.partner_id)
    if to.side is not task.side:
        why = f"“{task.title}” is a task of the {task.side.value}'s side; {to.name} is on the other."
    elif deal.partner(to.partner_id) is None:
        why = f"{possessive(to.name)} company is not on the deal."
    elif owner is not None:
        why = f"“{task.title}” is {possessive(owner.name)} task; {to.name} is with another partner."
    else:
        role = task.partner_role.label if task.partner_role else "another"
        why = f"“{task.title}” is for a partner as {role}; {possessive(to.name)} company has another role."
    raise InvalidInput(why, pointer=pointer)


def _whose(draft: Draft, command: ask.AddTask) -> Side:
    """The side that the new task is for; a partner asks its own side, or the vendor."""
    deal, by = draft.deal, draft.by
    if command.side is Side.PARTNER:
        if command.partner_id is None:
            raise InvalidInput("Say which partner the task is for.", pointer="/partner_id")
        if deal.partner(command.partner_id) is None:
            raise NotFound("This partner is not on the deal.")
        if by.side is Side.PARTNER and command.partner_id != by.organisation_id:
            raise Forbidden("You can add tasks for your own side and for the vendor.")
    elif command.partner_id is not None:
        raise InvalidInput("A task of the vendor has no partner.", pointer="/partner_id")
    return command.side


def ad_hoc(draft: Draft, **wanted: Any) -> Task:
    """A task that the playbook does not know, in the current stage: `task-1`, `task-2` … as they come.

    Raises: InvalidInput, when the deal has no room for it.
    """
    deal = draft.deal
    if len(deal.tasks) >= MAX_TASKS:
        raise InvalidInput(f"A deal has at most {MAX_TASKS} tasks.")
    number = 1 + sum(task.template is None for task in deal.tasks.values())
    return Task(
        key=free_key(deal, f"task-{number}"),
        template=None,
        stage=deal.stage.key,
        waive_by=deal.playbook.waive_by,
        opened_at=draft.now,
        **wanted,
    )


def add(draft: Draft, command: ask.AddTask) -> None:
    at_work(draft.deal)
    demand(draft.by, Action.WORK_TASKS, "Your role does not work on tasks.")
    side = _whose(draft, command)
    ahead(command.due_at, draft.now, "The due time", pointer="/due_at")
    task = ad_hoc(
        draft,
        title=command.title,
        help=command.help,
        side=side,
        partner_id=command.partner_id,
        required=command.required,
        due_at=command.due_at,
    )
    assignee = _assignee(draft.deal, task, command.assignee, "/assignee_id")
    draft.add(did.TaskAdded(task=task.but(assignee=assignee)))
