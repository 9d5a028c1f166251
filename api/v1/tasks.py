"""The tasks of an opportunity: both sides' work, stage by stage."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response, status

from api import intake
from api.commands import CommandsDep
from api.etag import answer_version
from api.paging import Listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import ChangeDep
from api.v1.opportunity_inputs import AssignBody, NoBody, NoteBody, ReasonBody, TaskInput
from api.v1.opportunity_shapes import OpportunityOut, TaskOut
from domain.opportunity import commands as ask

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/tasks", tags=["opportunities"], route_class=TandemRoute
)

TaskKey = Annotated[str, Path(max_length=80, description="The task's key.")]


@router.get("")
async def list_tasks(opportunity_id: UUID, response: Response, commands: CommandsDep) -> Listing[TaskOut]:
    """All tasks of the deal, of every stage it has been in."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    return Listing[TaskOut](items=[TaskOut.of(task) for task in deal.tasks.values()])


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_task(
    body: TaskInput, principal: PrincipalDep, database: DatabaseDep, change: ChangeDep
) -> OpportunityOut:
    """Add a task that the playbook does not know, to the current stage."""
    assignee = await intake.assignee(database, principal, body.assignee_id, "/assignee_id")
    command = ask.AddTask(assignee=assignee, **body.model_dump(exclude={"assignee_id"}))
    return await change(command)


@router.post("/{key}/complete")
async def complete_task(key: TaskKey, change: ChangeDep, body: NoteBody | None = None) -> OpportunityOut:
    """The task is done. The deal may move on by itself, if its playbook says so."""
    command = ask.CompleteTask(key=key, note=body.note if body else None)
    return await change(command)


@router.post("/{key}/reopen")
async def reopen_task(key: TaskKey, change: ChangeDep, _body: NoBody | None = None) -> OpportunityOut:
    """The task is not done after all."""
    return await change(ask.ReopenTask(key=key))


@router.post("/{key}/waive")
async def waive_task(key: TaskKey, body: ReasonBody, change: ChangeDep) -> OpportunityOut:
    """The task is not needed here, for the reason given; the playbook says who may waive it."""
    command = ask.WaiveTask(key=key, reason=body.reason)
    return await change(command)


@router.post("/{key}/assign")
async def assign_task(
    key: TaskKey, body: AssignBody, principal: PrincipalDep, database: DatabaseDep, change: ChangeDep
) -> OpportunityOut:
    """Give the task to somebody of its side, or to nobody."""
    assignee = await intake.assignee(database, principal, body.user_id, "/user_id")
    command = ask.AssignTask(key=key, assignee=assignee)
    return await change(command)
