"""Decisions about tasks: complete, reopen, waive, assign, add."""

from __future__ import annotations

from domain.errors import Forbidden, InvalidInput, NotFound, TaskClosed, TaskOpen
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.draft import Draft
from domain.opportunity.guards import ahead, at_work, current_task, demand, demand_task
from domain.opportunity.stages import free_key
from domain.opportunity.state import Opportunity, Task
from domain.principal import Action, Side

MAX_TASKS = 200
"""Tasks of one deal, all stages together: more is a project, not a deal."""


def _open(task: Task) -> None:
    if not task.is_open:
        when = f" at {task.closed_at:%H:%M UTC on %-d %B %Y}" if task.closed_at else ""
        raise TaskClosed(
            f"“{task.title}” is {task.state.value} already: {task.closed_by or 'somebody'}{when}.",
            task=task.key,
        )


def complete(draft: Draft, command: ask.CompleteTask) -> None:
    at_work(draft.deal)
    task = current_task(draft.deal, command.key)
    demand_task(draft.by, draft.deal, task)
    _open(task)
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
        who = " or ".join(role.value.replace("_", " ") for role in task.waive_by) or "nobody"
        raise Forbidden(f"“{task.title}” can be waived by: {who}.")
    _open(task)
    draft.add(did.TaskWaived(key=task.key, title=task.title, reason=command.reason))


def assign(draft: Draft, command: ask.AssignTask) -> None:
    at_work(draft.deal)
    task = current_task(draft.deal, command.key)
    demand_task(draft.by, draft.deal, task)
    _open(task)
    if command.assignee is not None:
        vendor_stands_in = task.partner_id is None and command.assignee_side is Side.VENDOR
        if command.assignee_side is not task.side and not vendor_stands_in:
            raise InvalidInput(
                f"“{task.title}” is a task of the {task.side.value}'s side; "
                f"{command.assignee.name} is on the other.",
                pointer="/user_id",
            )
        if task.partner_id is not None and command.assignee_partner_id != task.partner_id:
            raise InvalidInput(f"{command.assignee.name} is not with this partner.", pointer="/user_id")
        if command.assignee_side is Side.PARTNER and draft.deal.partner(command.assignee_partner_id) is None:
            raise InvalidInput(f"{command.assignee.name}'s company is not on the deal.", pointer="/user_id")
    draft.add(did.TaskAssigned(key=task.key, title=task.title, assignee=command.assignee))


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


def ad_hoc_key(deal: Opportunity) -> str:
    """`task-1`, `task-2` …: ad-hoc tasks are numbered as they come."""
    number = 1 + sum(task.template is None for task in deal.tasks.values())
    return free_key(deal, f"task-{number}")


def add(draft: Draft, command: ask.AddTask) -> None:
    at_work(draft.deal)
    demand(draft.by, Action.WORK_TASKS, "Your role does not work on tasks.")
    side = _whose(draft, command)
    if len(draft.deal.tasks) >= MAX_TASKS:
        raise InvalidInput(f"A deal has at most {MAX_TASKS} tasks.")
    ahead(command.due_at, draft.now, "The due time", pointer="/due_at")
    draft.add(
        did.TaskAdded(
            task=Task(
                key=ad_hoc_key(draft.deal),
                template=None,
                stage=draft.deal.stage.key,
                title=command.title,
                help=command.help,
                side=side,
                partner_id=command.partner_id,
                required=command.required,
                waive_by=draft.deal.playbook.waive_by,
                opened_at=draft.now,
                due_at=command.due_at,
                assignee=command.assignee,
            )
        )
    )
