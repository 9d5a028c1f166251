"""What lists of organisations share: where the next page is, and how it goes with somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request

from api.web.filters import compact_money
from db.totals import Standing

PER_PAGE = 50
Cursor = Annotated[str | None, Query(max_length=2000)]
"""Where a page of a list begins: what the page before said of itself."""


@dataclass(frozen=True, slots=True)
class Stat:
    """A number and what it counts."""

    words: str
    value: str


def stats(standing: Standing) -> list[Stat]:
    """How it goes with somebody, in four numbers."""
    worth = ", ".join(compact_money(value) for value in standing.sums) or "—"
    rate = standing.win_rate
    return [
        Stat("Open deals", f"{standing.open_count:,}"),
        Stat("Open value", worth),
        Stat("Won", f"{standing.won_count:,}"),
        Stat("Win rate", f"{rate} %" if rate is not None else "—"),
    ]


def more_url(request: Request, cursor: str | None) -> str | None:
    """The address of the page that goes on after this one; None on the last."""
    if cursor is None:
        return None
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"
