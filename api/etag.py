"""Versions as entity tags (RFC 9110, 8.8.3): `ETag` on what is answered, `If-Match` on what changes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from starlette.responses import Response

from domain.errors import InvalidInput, StaleVersion

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')
_NOT_MODIFIED_HEADERS = ("etag", "cache-control", "vary")


def tag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def answer_version(response: Response, version: int) -> None:
    """Say which version the answer shows."""
    response.headers["ETag"] = tag(version)


def answer_new(request: Request, response: Response, version: int, route: str, /, **place: Any) -> None:
    """Say where what was just made is read from now on (`Location`), and in which version."""
    response.headers["Location"] = request.url_for(route, **place).path
    answer_version(response, version)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What the caller has read: a change of anything newer would be lost on them.

    `tags` is None without `If-Match`, and with `If-Match: *`: then any version will do.
    """

    tags: frozenset[str] | None = None

    def check(self, version: int) -> None:
        """Raise `StaleVersion` when the current version is not among those that the caller has read."""
        if self.tags is not None and str(version) not in self.tags:
            raise StaleVersion(
                f"This is version {version} now; read it again and repeat your change.", version=version
            )

    def of(self, version: int) -> int | None:
        """The version that a change must find: the current one, if the caller has read it; None for any.

        Else 0, which nothing ever is: whoever makes the change refuses it.
        """
        if self.tags is None:
            return None
        return version if str(version) in self.tags else 0


async def if_match(
    value: Annotated[
        str | None,
        Header(alias="If-Match", description='The version that you have read, such as "7".'),
    ] = None,
) -> Precondition:
    """Dependency: the caller's precondition.

    Weak tags are taken as well: proxies that compress weaken them, and a version says it all.
    """
    return Precondition(_tags(value, "If-Match") if value is not None else None)


PreconditionDep = Annotated[Precondition, Depends(if_match)]


def unless_known(request: Request, response: Response) -> Response:
    """A 304 instead of an answer that the caller has already (`If-None-Match`)."""
    known = request.headers.get("if-none-match")
    current = response.headers.get("etag")
    if known is None or current is None or response.status_code != 200:  # noqa: PLR2004 - OK
        return response
    tags = _tags(known, "If-None-Match")
    if tags is not None and _opaque(current) not in tags:
        return response
    kept = {name: response.headers[name] for name in _NOT_MODIFIED_HEADERS if name in response.headers}
    return Response(status_code=304, headers=kept)


def _opaque(entity_tag: str) -> str:
    return entity_tag.removeprefix("W/").strip('"')


def _tags(value: str, header: str) -> frozenset[str] | None:
    """The tags of a list; None for `*`. Raises `InvalidInput` for what is no list of tags."""
    if value.strip() == "*":
        return None
    found = [_TAG.fullmatch(part.strip()) for part in value.split(",")]
    if not all(found):
        raise InvalidInput(f'{header} takes the ETag that you have read, in its quotes, such as "7".')
    return frozenset(match.group(1) for match in found if match)
