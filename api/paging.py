"""Lists: `limit` and `cursor` in, `items` and `next_cursor` out, with a Link header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from db.pages import Page, PageRequest

T = TypeVar("T")
U = TypeVar("U", bound=BaseModel)


class Listing(BaseModel, Generic[T]):
    """Some items of a list; `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None = None


async def page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="How many items at most.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="`next_cursor` of the page before.")
    ] = None,
) -> PageRequest:
    """Dependency: which page is wanted."""
    return PageRequest(limit, cursor)


PagingDep = Annotated[PageRequest, Depends(page_request)]


def listing(request: Request, response: Response, page: Page[T], show: Callable[[T], U]) -> Listing[U]:
    """The answer to a list, with the address of the next page in the Link header (RFC 8288)."""
    if page.next_cursor is not None:
        following = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return Listing(items=[show(item) for item in page.items], next_cursor=page.next_cursor)
