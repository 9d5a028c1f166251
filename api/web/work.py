"""My work: what waits for me, most urgent first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web.filters import plural, urgency
from api.web.rendering import page
from db import work
from db.pages import PageRequest
from db.work import Waiting
from domain.opportunity.work import WorkKind
from domain.principal import Principal, Side

router = APIRouter(include_in_schema=False)

GROUPS = {"overdue": "Overdue", "today": "Today", "week": "This week", "later": "Later"}
_SHEETS = {WorkKind.SIGN_OFF: "advance", WorkKind.CHECK_IN: "check-in"}
_ICONS = {
    WorkKind.SIGN_OFF: "shield-check",
    WorkKind.ADVANCE: "milestone",
    WorkKind.CHECK_IN: "radio",
    WorkKind.HANDOFF: "package-check",
    WorkKind.APPROVAL: "list-checks",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to do, as the page shows it. `sheet` names the command's form, for what is no task."""

    waiting: Waiting
    sheet: str | None
    icon: str | None

    @property
    def id(self) -> str:
        item = self.waiting.item
        return f"work-{self.waiting.opportunity_id}-{item.kind.value}-{item.key}"

    @property
    def deal(self) -> str:
        return f"/opportunities/{self.waiting.opportunity_id}"

    @property
    def page(self) -> str:
        """Where the thing is done: on its request's page, or the deal's."""
        item = self.waiting.item
        return f"/approvals/{item.key}" if item.kind is WorkKind.APPROVAL else self.deal


@dataclass(slots=True)
class Group:
    """The rows of one urgency."""

    key: str
    title: str
    rows: list[Row] = field(default_factory=list)


@router.get("/")
async def my_work(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    scope: Literal["mine", "team"] = "mine",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """The home page."""
    async with database.read() as session:
        found = await work.page(session, principal, PageRequest(100, cursor), team=scope == "team")
    groups = grouped(found.items)
    more = request.url.include_query_params(cursor=found.next_cursor) if found.next_cursor else None
    return page(
        request,
        "work/index.html",
        principal=principal,
        section="work",
        groups=groups,
        summary=summary(groups, scope),
        scope=scope,
        scopes=(("mine", "For me"), ("team", _team(principal))),
        more_url=f"{more.path}?{more.query}" if more else None,
    )


def _team(principal: Principal) -> str:
    return "The whole vendor" if principal.side is Side.VENDOR else f"All of {principal.organisation}"


def grouped(items: list[Waiting], now: datetime | None = None) -> list[Group]:
    """By urgency; a group without rows is left out."""
    groups = {key: Group(key, title) for key, title in GROUPS.items()}
    for waiting in items:
        item = waiting.item
        sheet = _SHEETS.get(item.kind)
        if item.kind is WorkKind.HANDOFF and item.key == "accept":
            sheet = "accept-handoff"
        groups[urgency(item.due_at, now)].rows.append(Row(waiting, sheet, _ICONS.get(item.kind)))
    return [group for group in groups.values() if group.rows]


def summary(groups: list[Group], scope: str) -> str:
    """How it stands, in a sentence."""
    counts = {group.key: len(group.rows) for group in groups}
    if not counts:
        return "All clear."
    parts = []
    if overdue := counts.get("overdue"):
        parts.append(f"{plural(overdue, 'thing is', 'things are')} overdue")
    if today := counts.get("today"):
        parts.append(f"{today} due today" if parts else f"{plural(today, 'thing')} due today")
    if week := counts.get("week"):
        parts.append(f"{week} more this week" if parts else f"{plural(week, 'thing')} due this week")
    if not parts:
        who = "you" if scope == "mine" else "your side"
        return f"{plural(counts['later'], 'thing waits', 'things wait')} for {who}, none of it soon."
    return f"{', '.join(parts)}."
