"""Playbooks: how each kind of deal is worked, in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web.playbook_words import (
    after_winning_in_words,
    exit_in_words,
    ladders_in_words,
    triggers_in_words,
)
from api.web.rendering import page
from db import playbooks
from db.pages import PageRequest
from domain.principal import Side

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
        ladders=ladders_in_words(book.ladders, book.clock),
        after_winning=after_winning_in_words(book.handoff) if principal.side is Side.VENDOR else [],
    )
