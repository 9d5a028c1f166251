"""Giving a command to a deal: one small form for each, as a page of its own or in a sheet over the deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.commands import CommandsDep
from api.etag import Precondition
from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web import deal_view
from api.web.action_forms import ACTIONS
from api.web.actions import Action, Asked, SheetWords, offers_move, said
from api.web.filters import new_key
from api.web.forms import FormDep, Refusal, WebRoute, safe_path
from api.web.rendering import go, page
from domain.errors import InvalidInput, NotFound, TandemError
from domain.opportunity import commands as ask

router = APIRouter(prefix="/opportunities/{opportunity_id}", include_in_schema=False, route_class=WebRoute)

About = Annotated[str, Query(max_length=120, description="What it is about: a task's key, a partner's id.")]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A command's form, ready to be shown."""

    action: Action
    asked: Asked
    back: str

    @property
    def href(self) -> str:
        query = urlencode({"of": self.asked.of} if self.asked.of else {})
        return f"/opportunities/{self.asked.deal.id}/actions/{self.action.name}" + (
            f"?{query}" if query else ""
        )

    async def answer(
        self,
        request: Request,
        values: Mapping[str, Any] | None = None,
        refusal: Refusal | None = None,
        lede: str = "",
    ) -> Response:
        """The form as a page; after a refusal with the reason and what was typed."""
        action, asked = self.action, self.asked
        return page(
            request,
            "opportunities/action.html",
            status=refusal.status if refusal else 200,
            principal=asked.principal,
            section="pipeline",
            key=refusal.key(values or {}) if refusal else new_key(),
            sheet=SheetWords(
                said(action.title, asked),
                said(action.words, asked),
                lede or said(action.lede, asked),
                danger=action.danger,
            ),
            href=self.href,
            back=self.back,
            subject=asked.deal.title,
            version=asked.deal.version if action.guarded else None,
            fields=await action.fields(asked),
            values=action.initial(asked) if values is None else values,
            errors=refusal.errors if refusal else {},
            error=refusal,
        )


def _action(name: str) -> Action:
    action = ACTIONS.get(name)
    if action is None:
        raise NotFound("A deal knows no such command.")
    return action


@router.get("/actions/{name}")
async def ask_for(
    opportunity_id: UUID,
    name: str,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    commands: CommandsDep,
    of: About = "",
    back: Annotated[str, Query(max_length=500)] = "",
    stage: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """The form of a command."""
    deal = await commands.read(opportunity_id)
    sheet = Sheet(_action(name), Asked(deal, principal, database, of), safe_path(back, _page(opportunity_id)))
    return await sheet.answer(request, {"stage": stage} if stage else None)


@router.post("/actions/{name}")
async def give(
    opportunity_id: UUID,
    name: str,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    commands: CommandsDep,
    form: FormDep,
    of: About = "",
) -> Response:
    """Give the command; a refusal shows the form again, or is said on the page that sent it (`quick`)."""
    deal = await commands.read(opportunity_id)
    asked = Asked(deal, principal, database, of)
    sheet = Sheet(_action(name), asked, form.back(_page(opportunity_id)))
    try:
        after = await commands.change(deal.id, await sheet.action.command(asked, form), form.precondition)
    except TandemError as error:
        if form.get("quick") and not isinstance(
            error, InvalidInput
        ):  # else the form asks for what is missing
            return go(request, sheet.back, error.detail, "error")
        return await sheet.answer(request, form.values, Refusal.of(error))
    words = [said(sheet.action.done, asked), deal_view.moved(deal, after)]
    return go(
        request,
        sheet.back,
        " ".join(dict.fromkeys(word for word in words if word not in ("", "Done."))) or "Done.",
    )


@router.get("/place")
async def to_the_board() -> Response:
    """Nothing to see here: a reload of a refused move leads back to the board."""
    return RedirectResponse("/pipeline", status_code=303)


@router.post("/place")
async def place(
    opportunity_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    commands: CommandsDep,
    form: FormDep,
) -> Response:
    """Put a deal into another column of the board.

    To the next stage it goes through the exit rule. Any other way, and where the rule
    says no, is a move with a reason: the form asks for it, and says what is missing.
    """
    deal = await commands.read(opportunity_id)
    asked = Asked(deal, principal, database)
    stage = form.get("stage") or ""
    following = deal.playbook.next_stage(deal.stage.key)
    refusal = None
    if following is not None and following.key == stage:
        try:
            # As it was when the column was chosen: somebody else may be moving it at this moment, too.
            seen = Precondition(frozenset({str(deal.version)}))
            after = await commands.change(deal.id, ask.Advance(), seen)
        except TandemError as error:
            refusal = Refusal.of(error)
        else:
            said_after = (
                deal_view.moved(deal, after) or "You agreed for your side; the other side has not yet."
            )
            return go(request, form.back("/pipeline"), said_after)
    if not offers_move(deal, principal):
        why = refusal.detail if refusal else "Only the vendor's sales people move deals between stages."
        return go(request, form.back("/pipeline"), why, "error")
    sheet = Sheet(ACTIONS["move"], asked, form.back("/pipeline"))
    lede = "Move it all the same? Say why; it stays on the timeline." if refusal else ""
    return await sheet.answer(request, {"stage": stage}, refusal, lede)


def _page(opportunity_id: UUID) -> str:
    return f"/opportunities/{opportunity_id}"
