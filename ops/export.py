"""`tandem export`: every opportunity as CSV or JSON lines, for a spreadsheet or another system."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, TextIO

from db import people, pipeline
from db.pages import PageRequest
from db.pipeline import Filters, Summary
from db.session import Database
from domain.errors import InvalidInput, NotFound
from domain.principal import Principal

Format = Literal["csv", "jsonl"]
PAGE = 200


def writable(file: Path | None) -> AbstractContextManager[TextIO]:
    """The file, opened to be written anew in UTF-8; standard output where none is named.

    Raises:
        InvalidInput: it cannot be written.
    """
    if file is None:
        return nullcontext(sys.stdout)
    try:
        return file.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written ({error.strerror}): name another file.") from error


def _plain(deal: Summary) -> dict[str, Any]:
    """A deal as one flat row."""
    return {
        "id": str(deal.id),
        "version": deal.version,
        "title": deal.title,
        "status": deal.status,
        "customer": deal.customer.name,
        "customer_domain": deal.customer.domain,
        "customer_country": deal.customer.country,
        "customer_industry": deal.customer.industry,
        "amount": str(deal.amount.amount) if deal.amount else None,
        "currency": deal.amount.currency if deal.amount else None,
        "expected_close": deal.expected_close.isoformat() if deal.expected_close else None,
        "owner": deal.owner.name if deal.owner else None,
        "playbook": deal.playbook_key,
        "playbook_version": deal.playbook_version,
        "stage": deal.stage_key,
        "phase": deal.phase,
        "probability": deal.probability,
        "partners": "; ".join(f"{partner.name} ({partner.role.label})" for partner in deal.partners),
        "turn": deal.turn,
        "waits_for": deal.waits_for,
        "next_step": deal.next_step,
        "created_at": deal.created_at.isoformat(),
        "updated_at": deal.updated_at.isoformat(),
    }


async def _all(database: Database, principal: Principal) -> AsyncIterator[Summary]:
    """Every deal in the principal's scope, the oldest first."""
    wanted = PageRequest(limit=PAGE)
    while True:
        async with database.read() as session:
            page = await pipeline.page(session, principal, Filters(), wanted, sort="created_at")
        for deal in page.items:
            yield deal
        if page.next_cursor is None:
            return
        wanted = PageRequest(limit=PAGE, cursor=page.next_cursor)


async def export_as(database: Database, email: str, out: TextIO, kind: Format) -> int:
    """Write what the person with this address may see; answers how many deals.

    Raises:
        NotFound: nobody active has this address.
    """
    async with database.read() as session:
        principal = await people.principal_by_email(session, email)
    if principal is None:
        raise NotFound(f"Nobody active has the address {email}.")
    return await export(database, principal, out, kind)


async def export(database: Database, principal: Principal, out: TextIO, kind: Format) -> int:
    """Write every deal that the principal may see; answers how many."""
    count = 0
    table: csv.DictWriter[str] | None = None
    async for deal in _all(database, principal):
        row = _plain(deal)
        count += 1
        if kind == "jsonl":
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            continue
        if table is None:
            table = csv.DictWriter(out, fieldnames=list(row))
            table.writeheader()
        table.writerow({name: _harmless(value) for name, value in row.items()})
    return count


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is quoted (OWASP, CSV injection)."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
