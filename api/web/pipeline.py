"""The pipeline: a board by stage of one playbook or by phase, and a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.fields import Search
from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web import choices
from api.web.choices import Meant
from api.web.forms import TYPED
from api.web.lists import Cursor
from api.web.rendering import page
from db import board, pipeline, playbooks
from db.pages import PageRequest
from db.pipeline import Filters
from db.session import Database
from domain.errors import NotFound
from domain.money import Money
from domain.playbook import HANDOFF, Phase
from domain.principal import Action, Principal, Side
from runtime import aio

router = APIRouter(include_in_schema=False)

STATUSES = {
    "open": "Open",
    "on_hold": "On hold",
    "won": "Won",
    "lost": "Lost",
    "handed_off": "Handed off",
    "all": "All",
}
CLOSED = {"lost", "handed_off", "all"}
"""Closed deals stand on no board."""
PER_PAGE = 50
VIEWS = ("board", "list")
NOBODY = UUID(int=0)
MOST_MISREAD = 5
LONGEST_ECHO = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as the address has them."""

    view: str
    q: str
    playbook: str
    owner: Meant
    partner: Meant
    status: str
    stage: str = ""

    def given(self, **changes: str) -> dict[str, str]:
        """The filters that are set, for an address."""
        known = {name: getattr(self, name) for name in self.__slots__}
        known |= {"owner": self.owner.value, "partner": self.partner.value}
        return {name: value for name, value in (known | changes).items() if value}

    def url(self, **changes: str) -> str:
        """The address of the pipeline with these filters, and some changed."""
        return "/pipeline?" + urlencode(self.given(**changes))

    @property
    def unfiltered_url(self) -> str:
        """The address of the same view without filters; a board keeps its playbook, whose stages it shows."""
        kept = {"view": self.view, "playbook": self.playbook if self.view == "board" else ""}
        return "/pipeline?" + urlencode({name: value for name, value in kept.items() if value})

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.owner.value, self.partner.value, self.status, self.stage)) or (
            self.view == "list" and bool(self.playbook)
        )

    @property
    def filters(self) -> Filters:
        """As the read model takes them."""
        return Filters(
            q=self.q or None,
            playbook=self.playbook or None,
            owner_id=_id(self.owner),
            partner_id=_id(self.partner),
            stage=self.stage if self.stage and self.stage not in list(Phase) else None,
            phase=self.stage if self.stage in list(Phase) else None,
            status=self.status if self.status in STATUSES and self.status != "all" else None,
            closed=None if self.status in STATUSES else False,
        )


KNOWN = {*Wanted.__slots__, f"owner{TYPED}", f"partner{TYPED}", "cursor"}


def _id(meant: Meant) -> UUID | None:
    """Whom to filter by; words that name nobody filter by nobody."""
    return (choices.as_id(meant.value) or NOBODY) if meant.value else None


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column as the board shows it."""

    key: str
    title: str
    phase: str
    movable: bool
    count: int
    sums: list[Money]
    cards: list[board.Card]
    more_url: str | None


@dataclass(slots=True)
class Head:
    """What a column is: its key, its title, its phase."""

    key: str
    title: str
    phase: str
    movable: bool = field(default=True)


@router.get("/pipeline")
async def read(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    view: Annotated[str, Query(max_length=20)] = "board",
    q: Search = "",
    playbook: Annotated[str, Query(max_length=60)] = "",
    owner: Search = "",
    partner: Search = "",
    typed_owner: Annotated[Search, Query(alias=f"owner{TYPED}")] = "",
    typed_partner: Annotated[Search, Query(alias=f"partner{TYPED}")] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    stage: Annotated[str, Query(max_length=60)] = "",
    cursor: Cursor = None,
) -> Response:
    """The board or the list; every filter is in the address."""
    as_list = view == "list" or status in CLOSED or stage
    owned_by = await choices.meant(database, principal, choices.OWNER, owner, typed_owner)
    done_with = await choices.meant(database, principal, choices.PARTNER, partner, typed_partner)
    wanted = Wanted("list" if as_list else "board", q, playbook, owned_by, done_with, status, stage)
    reading = _list(database, principal, wanted, cursor) if as_list else _board(database, principal, wanted)
    shown, options = await aio.together(reading, _options(database, principal, wanted))
    return page(
        request,
        "pipeline/index.html",
        principal=principal,
        section="pipeline",
        filters=wanted,
        filtered=wanted.is_filtered,
        misread=list(_misread(request.query_params, wanted, options, principal)),
        options=options,
        view_urls={"board": wanted.url(view="", stage=""), "list": wanted.url(view="list")},
        may_move=principal.may(Action.ADVANCE),
        **shown,
    )


async def _options(database: Database, principal: Principal, wanted: Wanted) -> dict[str, list[Any]]:
    """What the filters offer, with what is chosen already."""
    found = await choices.for_deals(database, principal)
    for name, lookup, meant in (
        ("owners", choices.OWNER, wanted.owner),
        ("partners", choices.PARTNER, wanted.partner),
    ):
        found[name] = await choices.with_chosen(database, principal, lookup, found[name], meant.value)
    return found | {"statuses": list(STATUSES.items())}


def _misread(
    asked: Mapping[str, str], wanted: Wanted, options: Mapping[str, list[Any]], principal: Principal
) -> Iterator[str]:
    """What the address says and the pipeline does not understand, in words."""
    for name in [name for name in asked if name not in KNOWN][:MOST_MISREAD]:
        yield f"There is no filter “{_echo(name)}”; it changes nothing."
    if (view := asked.get("view")) and view not in VIEWS:
        yield f"“{view}” is no view; there are {' and '.join(VIEWS)}."
    if (status := asked.get("status")) and status not in STATUSES:
        yield f"“{status}” is no status; you see the deals in progress."
    if wanted.playbook and wanted.playbook not in {key for key, _ in options["playbooks"]}:
        yield f"There is no playbook “{wanted.playbook}”, so no deal fits."
    yield from _unknown(wanted.owner, "owner", "the e-mail address of no owner", options["owners"], principal)
    yield from _unknown(
        wanted.partner, "partner", "the name of no partner, or of several", options["partners"], principal
    )


def _unknown(
    meant: Meant, who: str, what: str, listed: Sequence[tuple[UUID, str]], principal: Principal
) -> Iterator[str]:
    """What is to be said of a filter that names nobody."""
    chosen = choices.as_id(meant.value)
    if meant.typed:
        so = "; it changes nothing" if chosen else ", so no deal fits"
        yield f"“{_echo(meant.typed)}” is {what}{so}."
    if chosen and principal.side is Side.VENDOR and chosen not in {each for each, _ in listed}:
        yield f"No {who} has the id “{chosen}”, so no deal fits."


def _echo(words: str) -> str:
    return words if len(words) <= LONGEST_ECHO else f"{words[:LONGEST_ECHO]}…"


async def _list(
    database: Database, principal: Principal, wanted: Wanted, cursor: str | None
) -> dict[str, Any]:
    async with database.read() as session:
        found = await pipeline.page(session, principal, wanted.filters, PageRequest(PER_PAGE, cursor))
    more = f"{wanted.url()}&{urlencode({'cursor': found.next_cursor})}" if found.next_cursor else None
    return {"deals": found.items, "more_url": more, "columns": [], "total_count": 0}


async def _board(database: Database, principal: Principal, wanted: Wanted) -> dict[str, Any]:
    async with database.read() as session:
        heads = await _heads(session, wanted.playbook)
    by = "stage" if wanted.playbook and heads else "phase"
    heads = heads or [Head(phase.value, phase.label, phase.value) for phase in Phase]
    columns = await board.board(database, principal, wanted.filters, by=by, keys=[head.key for head in heads])
    shown = [_column(head, column, wanted) for head, column in zip(heads, columns, strict=True)]
    return {
        "by": by,
        "columns": shown,
        "total_count": sum(column.count for column in columns),
        "total_sums": _money(_added(column.value for column in columns)),
    }


async def _heads(session: AsyncSession, playbook: str) -> list[Head]:
    """The stages of a playbook, the hand-off last; none of an unknown one."""
    if not playbook:
        return []
    try:
        book = await playbooks.latest(session, playbook)
    except NotFound:
        return []
    stages = [Head(stage.key, stage.title, stage.phase.value) for stage in book.stages]
    return [*stages, Head(HANDOFF, book.handoff.title, Phase.LAUNCHED.value, movable=False)]


def _column(head: Head, column: board.Column, wanted: Wanted) -> ColumnView:
    more = column.count > len(column.cards)
    return ColumnView(
        key=head.key,
        title=head.title,
        phase=head.phase,
        movable=head.movable,
        count=column.count,
        sums=_money(column.value),
        cards=column.cards,
        more_url=wanted.url(view="list", stage=head.key) if more else None,
    )


def _added(values: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for value in values:
        for currency, amount in value.items():
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sums


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of many deals: it may be larger than the largest deal, which `Money` may not."""

    amount: Decimal
    currency: str


def _money(value: Mapping[str, Decimal]) -> list[Any]:
    """The sums, the largest first."""
    return [Sum(amount, currency) for currency, amount in sorted(value.items(), key=lambda it: -it[1])]
