"""Playbooks: how each kind of deal is worked, in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web.rendering import page
from db import playbooks
from db.pages import PageRequest
from domain.playbook import Advance, ExitBy, Stage
from domain.trigger import Moment, Trigger

router = APIRouter(prefix="/playbooks", include_in_schema=False)
MOST = 100


@router.get("")
async def read_all(request: Request, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """The newest version of each."""
    async with database.read() as session:
        found = await playbooks.page(session, PageRequest(MOST))
    return page(
        request,
        "playbooks/index.html",
        principal=principal,
        section="playbooks",
        playbooks=[playbooks.of_row(row) for row in found.items],
    )


@router.get("/{key}")
async def read(
    key: str,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """One playbook: its stages, both sides' tasks, and when a stage is finished."""
    async with database.read() as session:
        book = (
            await playbooks.latest(session, key)
            if version is None
            else await playbooks.pinned(session, key, version)
        )
        versions = await playbooks.versions(session, key, PageRequest(MOST))
    book = book.as_read_by(principal.side)
    return page(
        request,
        "playbooks/page.html",
        principal=principal,
        section="playbooks",
        playbook=book,
        versions=[row.version for row in versions.items],
        exits={stage.key: exit_in_words(stage) for stage in book.stages},
        triggers={stage.key: triggers_in_words(stage) for stage in book.stages},
    )


def triggers_in_words(stage: Stage) -> list[tuple[str, str]]:
    """What happens by itself in a stage: when, and what, as people say it."""
    moments = {Moment.ENTER: "When this stage begins", Moment.LEAVE: "When this stage ends"}
    return [
        (when, _sentence(trigger)) for moment, when in moments.items() for trigger in stage.triggers(moment)
    ]


def _sentence(trigger: Trigger) -> str:
    """What a trigger does, and if what: with one full stop, also where it ends with somebody's words."""
    if trigger.condition is None:
        return trigger.what if trigger.what.endswith((".”", "!”", "?”")) else f"{trigger.what}."
    condition = trigger.condition.rstrip(".")
    if trigger.when_in_words and not condition[:2].isupper():
        condition = condition[0].lower() + condition[1:]
    return f"{trigger.what}, if {condition}."


def exit_in_words(stage: Stage) -> str:
    """When and how a stage is left, as people say it."""
    leave = stage.exit
    if leave.by is ExitBy.SIGN_OFF:
        return "Left when all required tasks are done and both sides agree that it is finished."
    if leave.by is ExitBy.RULE:
        when = f"its required tasks are done and its rule is met: {leave.asks}"
    else:
        when = "all required tasks are done"
    if leave.advance is Advance.AUTOMATIC:
        return f"Moves on by itself when {when}."
    return f"Somebody moves it on when {when}."
