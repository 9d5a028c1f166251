"""Forms: what somebody typed, checked by the same models as the JSON API, and refused in words.

A form that is sent twice is one change: its hidden `_key`, with what was typed, becomes
the id of the update that reaches the deal. The same key with other words (a form sent
again from the browser's history) is another change, as the person meant it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from api import validation
from api.etag import Precondition
from api.idempotency import Minted
from api.principal import authenticate
from api.services import services_of
from api.web.filters import new_key
from api.web.rendering import page
from db import choices, idempotency
from db.session import Database
from db.tables import IdempotentRequest
from domain.errors import InvalidInput, TandemError, Unavailable
from domain.principal import Principal
from runtime.ids import new_id

T = TypeVar("T", bound=BaseModel)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
MOST_FIELDS = 100
TYPED = "-typed"
"""The end of a field's name in which one types what the list before it has too much of."""
_NAMES = {
    "amount_amount": "amount",
    "list_price_amount": "amount",
    "list_price_currency": "amount",
    "cost_amount": "cost",
    "amount_currency": "amount",
    "competing_price": "amount",
    "competing_price_amount": "amount",
    "competing_price_currency": "amount",
    "partners_0_partner_id": "partner_id",
    "partners_0_role": "partner_role",
    "partners": "partner_id",
    "role": "partner_role",
}
"""Where a JSON pointer leads in a form whose field is called otherwise."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed. A field left empty is None."""

    values: Mapping[str, str]
    fingerprint: str

    def get(self, name: str) -> str | None:
        """What the field holds, trimmed; None where there is nothing."""
        return self.values.get(name, "").strip() or None

    def given(self, *names: str) -> dict[str, str]:
        """These fields, without the empty ones."""
        return {name: value for name in names if (value := self.get(name)) is not None}

    @property
    def precondition(self) -> Precondition | None:
        """The version that the person saw, where the form carries one."""
        version = self.get("_version")
        return Precondition(frozenset({version})) if version else None

    def back(self, otherwise: str) -> str:
        """Where to go afterwards: an address of ours, or `otherwise`."""
        return safe_path(self.get("back"), otherwise)


def safe_path(path: str | None, otherwise: str) -> str:
    """The path if it stays on this site; else `otherwise`."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return otherwise
    parts = urlsplit(path)
    return otherwise if parts.scheme or parts.netloc else path


async def read_form(request: Request) -> Form:
    """Dependency: the form that was sent. Files are not taken."""
    body = await request.body()  # before the form, which is parsed from what the request then keeps
    fields = await request.form(max_fields=MOST_FIELDS, max_files=0)
    values = {name: value for name, value in fields.multi_items() if isinstance(value, str)}
    digest = hashlib.sha256(request.url.path.encode() + b"\0" + body).hexdigest()
    values |= await _found_by_words(request, values)
    return Form(values, f"{values.get('_key', '')[:64]}:{digest[:32]}")


async def _found_by_words(request: Request, values: Mapping[str, str]) -> dict[str, str]:
    """What was typed instead of chosen, as ids; what nobody is called stays, to be refused in its place."""
    typed = {name: words.strip() for name, words in values.items() if name.endswith(TYPED) and words.strip()}
    if not typed:
        return {}
    principal = await authenticate(request)
    async with services_of(request).database.connection() as reader:
        return {
            name.removesuffix(TYPED): str(await choices.called(reader, principal, words) or words)
            for name, words in typed.items()
        }


FormDep = Annotated[Form, Depends(read_form)]


class WebRoute(APIRoute):
    """A page's route. A POST is one change however often it is sent."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        if "POST" not in (self.methods or set()):
            return handler

        async def once(request: Request) -> Response:
            principal = await authenticate(request)
            form = await read_form(request)
            the_id = new_id()
            known = form.get("_key") is not None
            update_id = f"{principal.id}:{form.fingerprint}" if known else str(the_id)
            request.state.minted = Minted(the_id, update_id)
            return await handler(request)

        return once


async def claimed(database: Database, principal: Principal, form: Form) -> Minted:
    """The ids of what a form makes: the same each time it is sent with these words."""
    wanted = IdempotentRequest(
        principal_id=principal.id,
        key=f"page:{form.fingerprint}",
        fingerprint=hashlib.sha256(form.fingerprint.encode()).digest(),
        resource_id=new_id(),
    )
    async with database.transaction() as session:
        found = await idempotency.claim(session, wanted)
    return Minted(found.resource_id, f"{principal.id}:page:{form.fingerprint}")


def parse(model: type[T], typed: Mapping[str, Any]) -> T:
    """What was typed as the API's own input.

    Raises:
        InvalidInput: with a sentence for each field that is not right.
    """
    try:
        return model.model_validate(typed)
    except ValidationError as wrong:
        found = [_in_a_form(each) for each in validation.explained(wrong.errors())]
        what = "One thing here is" if len(found) == 1 else f"{len(found)} things here are"
        raise InvalidInput(f"{what} not right yet; see below.", errors=found) from wrong


def _in_a_form(finding: dict[str, str]) -> dict[str, str]:
    """Nobody types an id: they choose, or type what something is called."""
    if finding["detail"] != validation.NO_ID:
        return finding
    return finding | {"detail": "Nobody and nothing is called that here; see how it is written."}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was not taken, for the page that shows it again."""

    title: str
    detail: str
    status: int
    blockers: list[Any] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: TandemError) -> Refusal:
        """The refusal in an error of ours; its pointers become names of fields."""
        errors: dict[str, str] = {}
        for each in error.extra.get("errors") or []:
            name = str(each["pointer"]).strip("/").replace("/", "_")
            errors.setdefault(_NAMES.get(name, name), str(each["detail"]))
        detail = error.detail
        if isinstance(error, Unavailable):
            detail = "No answer came in time. Send the form again: however often, it is done once."
        return cls(error.title, detail, error.status, list(error.extra.get("blockers") or []), errors)

    def key(self, values: Mapping[str, Any]) -> str:
        """The key of the form that is shown again: the same where its change may be under way."""
        return str(values.get("_key") or new_key()) if self.status == Unavailable.status else new_key()


def form_page(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    refusal: Refusal | None = None,
    **context: Any,
) -> Response:
    """The page with a form: what was typed in it, and why it was not taken, if it was not."""
    return page(
        request,
        template,
        status=refusal.status if refusal else 200,
        values=values,
        errors=refusal.errors if refusal else {},
        error=refusal,
        key=refusal.key(values) if refusal else new_key(),
        **context,
    )
