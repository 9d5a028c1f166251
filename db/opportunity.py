"""Opportunities in PostgreSQL: recorded by their workflow, read through the principal's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import accounts, playbooks, policies
from db.recording import Child, First, Recorder, actor_columns, forget_abandoned, forget_other
from db.session import Reader
from db.tables import (
    AgendaItemRow,
    ApprovalRow,
    OpportunityPartnerRow,
    OpportunityRow,
    Organisation,
    WorkItemRow,
)
from domain.approval.state import ApprovalState
from domain.discount.state import Discount
from domain.errors import NotFound
from domain.opportunity.agenda import DueItem, agenda
from domain.opportunity.blockers import blockers, turn_of
from domain.opportunity.discounts import bounding, giver
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.planned import next_deadline, planned
from domain.opportunity.state import Opportunity
from domain.opportunity.work import work_items
from domain.principal import Principal


@dataclass(frozen=True, slots=True)
class Standing:
    """What a command needs to know before it is sent."""

    version: int
    closed: bool


_LISTED = {
    "discount_pending": "A discount is not decided yet",
    "discount_outside_grant": "What is given off is not covered by what was granted",
}
"""What lists say of discounts, to every partner of the deal: not how much one of them gives."""
_RECORDER = Recorder(
    OpportunityRow,
    "opportunity_id",
    Child(OpportunityPartnerRow, ("partner_id",)),
    Child(WorkItemRow, ("kind", "key")),
    Child(AgendaItemRow, ("kind", "key")),
)


def opens(outcome: Outcome) -> bool:
    """Whether a deal begins here; its customer's account may be new with it."""
    return bool(outcome.entries) and outcome.entries[0].sequence == 1


async def record(session: AsyncSession, outcome: Outcome) -> None:
    """Write the events and the read model that they led to; the same again changes nothing."""
    deal = outcome.opportunity
    if opens(outcome) and deal.account_id is not None:
        began = outcome.entries[0]
        await accounts.keep_customer(session, deal.account_id, deal.customer, began.by, began.at)
    await record_many(session, [outcome])


async def record_many(session: AsyncSession, outcomes: Sequence[Outcome]) -> None:
    """Write many deals in one transaction: `record`, for an import."""
    firsts = [
        First(entry.opportunity_id, entry.sequence, entry.at)
        for entry in (outcome.entries[0] for outcome in outcomes if outcome.entries)
    ]
    if not await record_new(session, outcomes) and await forget_abandoned(session, firsts):
        await record_new(session, outcomes)


async def record_new(session: Reader, outcomes: Sequence[Outcome]) -> bool:
    """`record_many` in a single statement, for what is new; False when something was there in its place.

    That is the same, recorded before, or what `record_many` takes back first.
    """
    deals = [outcome.opportunity for outcome in outcomes]
    due = {deal.id: agenda(deal) for deal in deals}
    rows = {
        "timeline": [_timeline_row(entry) for outcome in outcomes for entry in outcome.entries],
        "opportunity": [_row(deal, due[deal.id]) for deal in deals],
        "opportunity_partner": [row for deal in deals for row in _partner_rows(deal)],
        "work_item": [row for deal in deals for row in _work_rows(deal)],
        "agenda_item": [row for deal in deals for row in _agenda_rows(deal, due[deal.id])],
    }
    return await _RECORDER.write(session, rows, [deal.id for deal in deals])


def _timeline_row(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "stream_id": entry.opportunity_id,
        "opportunity_id": entry.opportunity_id,
        "sequence": entry.sequence,
        "at": entry.at,
        "type": entry.event.type,
        **actor_columns(entry.by),
        "internal": entry.event.internal,
        "partner_id": entry.event.only_for,
        "words": entry.words,
        "data": entry.event.model_dump(mode="json", exclude={"type"}),
    }


def _row(deal: Opportunity, due: Sequence[DueItem]) -> dict[str, Any]:
    waits = blockers(deal)
    state = _state(deal)
    return {
        "id": deal.id,
        "version": deal.version,
        "status": deal.status,
        "closed": deal.is_closed,
        "title": deal.title,
        "customer": deal.customer.name,
        "search": f"{deal.title} {deal.customer.name} {deal.customer.domain or ''}".lower(),
        "account_id": deal.account_id,
        "amount": deal.amount.amount if deal.amount else None,
        "currency": deal.amount.currency if deal.amount else None,
        "expected_close": deal.expected_close,
        "owner_id": deal.owner.id if deal.owner else None,
        "owner": deal.owner.name if deal.owner else None,
        "playbook_key": deal.playbook.key,
        "playbook_version": deal.playbook.version,
        "stage_key": deal.stage.key,
        "stage": deal.stage_title,
        "phase": deal.phase,
        "probability": deal.probability,
        "turn": turn_of(waits),
        "waits_for": _LISTED.get(waits[0].code, waits[0].what) if waits else None,
        "next_step": deal.next_step,
        "next_due_at": next_deadline(deal, due),
        "discounts": len(deal.discounts),
        "external_source": deal.external.source if deal.external else None,
        "external_id": deal.external.id if deal.external else None,
        "card": {name: state[name] for name in ("customer", "stage", "partners")},
        "state": state,
        "created_at": deal.created_at,
        "updated_at": deal.updated_at,
    }


def _state(deal: Opportunity) -> dict[str, Any]:
    """The deal as it is kept. Its tasks are a list there: JSONB keeps no order of names."""
    state = deal.model_dump(mode="json", exclude={"playbook"})
    return {**state, "tasks": list(state["tasks"].values())}


def _partner_rows(deal: Opportunity) -> list[dict[str, Any]]:
    own = {
        "opportunity_id": deal.id,
        "status": deal.status,
        "closed": deal.is_closed,
        "amount": deal.amount.amount if deal.amount else None,
        "currency": deal.amount.currency if deal.amount else None,
        "playbook_key": deal.playbook.key,
        "stage_key": deal.stage.key,
        "phase": deal.phase,
    }
    return [
        {**own, "partner_id": partner.id, "name": partner.name, "role": partner.role}
        for partner in deal.partners
    ]


def _work_rows(deal: Opportunity) -> list[dict[str, Any]]:
    owner = deal.owner.id if deal.owner else None
    return [{"opportunity_id": deal.id, "owner_id": owner, **item.model_dump()} for item in work_items(deal)]


def _agenda_rows(deal: Opportunity, due: Sequence[DueItem]) -> list[dict[str, Any]]:
    owner = deal.owner.id if deal.owner else None
    items = planned(deal, due)
    return [{"opportunity_id": deal.id, "owner_id": owner, **item.model_dump()} for item in items]


def visible(principal: Principal) -> ColumnElement[bool]:
    """The vendor sees every deal; a partner sees those that it takes part in."""
    if principal.partner_id is None:
        return true()
    return exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(OpportunityRow.id),
        col(OpportunityPartnerRow.partner_id) == principal.partner_id,
    )


# Made once: every command ends with it.
_TIERS = (
    select(func.jsonb_object_agg(col(Organisation.id), col(Organisation.tier)))
    .join(OpportunityPartnerRow, col(OpportunityPartnerRow.partner_id) == col(Organisation.id))
    .where(col(OpportunityPartnerRow.opportunity_id) == col(OpportunityRow.id))
    .scalar_subquery()
    .label("tiers")
)
# Who holds the request on it moves on with the request's steps, and is no event of the deal.
_HELD = (
    select(
        func.jsonb_build_object(
            "approval_id",
            col(ApprovalRow.id),
            "waits_for",
            col(ApprovalRow.waits_for),
            "due_at",
            col(ApprovalRow.due_at),
        )
    )
    .where(
        col(ApprovalRow.opportunity_id) == col(OpportunityRow.id),
        col(ApprovalRow.state) == ApprovalState.PENDING.value,
    )
    .order_by(col(ApprovalRow.id).desc())
    .limit(1)
    .scalar_subquery()
    .label("held")
)
_GET = select(
    col(OpportunityRow.state),
    col(OpportunityRow.playbook_key),
    col(OpportunityRow.playbook_version),
    col(OpportunityRow.next_due_at),
    _TIERS,
    _HELD,
).where(col(OpportunityRow.id) == bindparam("opportunity_id"))


async def get(reader: Reader, principal: Principal, opportunity_id: UUID) -> Opportunity:
    """A deal in full, as it was last recorded.

    Raises:
        NotFound: there is none, or the principal does not take part in it.
    """
    statement = _GET if principal.partner_id is None else _GET.where(visible(principal))
    row = (await reader.execute(statement, {"opportunity_id": opportunity_id})).one_or_none()
    if row is None:
        raise NotFound("There is no such opportunity.")
    deal = await _of_row(reader, row)
    deal.next_due_at = row.next_due_at
    if principal.partner_id is not None:
        _hide_other_partners(deal, principal.partner_id)
        deal.next_due_at = next_deadline(deal, agenda(deal))
    if row.held is not None:
        deal.discounts = tuple(_held(each, row.held) for each in deal.discounts)
    if principal.partner_id is not None:
        deal.discounts = tuple(_told_to_partner(each) for each in deal.discounts)
    deal.standard_percent = await _standard_percent(reader, deal, principal, row.tiers or {})
    return deal


def _hide_other_partners(deal: Opportunity, partner_id: UUID) -> None:
    """What other partners give is theirs; of what is not covered the others learn only that it is so."""
    own = (None, partner_id)
    if deal.discount_outside is not None:
        deal.discount_outside = deal.discount_outside.read_by(partner_id)
    deal.discounts = tuple(each for each in deal.discounts if each.partner_id in own)


def _told_to_partner(discount: Discount) -> Discount:
    return discount.but(waits_for=discount.held_by(told_to_vendor=False))


def _held(discount: Discount, held: dict[str, str | None]) -> Discount:
    """The discount, with whom its request waits for by now."""
    if str(discount.approval_id) != held["approval_id"]:
        return discount
    due = held["due_at"]
    due_at = datetime.fromisoformat(due) if due is not None else None
    return discount.but(waits_for=held["waits_for"], due_at=due_at)


async def _standard_percent(
    reader: Reader, deal: Opportunity, principal: Principal, tiers: dict[str, str | None]
) -> Decimal | None:
    """What its partner may give without asking; None where no policy says anything."""
    ref = deal.policy or await policies.newest(reader, deal.playbook.discount_policy)
    if ref is None:
        return None
    by = principal.actor
    selling = (tiers.get(str(each)) for each in bounding(deal, giver(deal, None, by), by))
    return (await policies.pinned(reader, ref)).standard.least(selling)


async def as_recorded(reader: Reader, opportunity_id: UUID) -> Opportunity | None:
    """A deal in full, whoever asks; for processes, never for a request."""
    row = (await reader.execute(_GET, {"opportunity_id": opportunity_id})).one_or_none()
    return await _of_row(reader, row) if row is not None else None


async def _of_row(reader: Reader, row: Any) -> Opportunity:
    book = await playbooks.pinned(reader, row.playbook_key, row.playbook_version)
    tasks = {task["key"]: task for task in row.state["tasks"]}
    return Opportunity.model_validate({**row.state, "tasks": tasks, "playbook": book})


async def recorded_version(session: AsyncSession, opportunity_id: UUID) -> int | None:
    """The version that the rows show; for checks, never for a request."""
    statement = select(col(OpportunityRow.version)).where(col(OpportunityRow.id) == opportunity_id)
    return (await session.execute(statement)).scalar_one_or_none()


_OWNER = select(col(OpportunityRow.owner_id)).where(col(OpportunityRow.id) == bindparam("opportunity_id"))


async def owner_of(reader: Reader, opportunity_id: UUID) -> UUID | None:
    """Who owns a deal by its record; None where nobody does."""
    return (await reader.execute(_OWNER, {"opportunity_id": opportunity_id})).scalar_one_or_none()


async def standing(session: AsyncSession, principal: Principal, opportunity_id: UUID) -> Standing:
    """How a deal stands, at little cost. Raises `NotFound` unless the principal takes part in it."""
    statement = select(col(OpportunityRow.version), col(OpportunityRow.closed)).where(
        col(OpportunityRow.id) == opportunity_id, visible(principal)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("There is no such opportunity.")
    return Standing(row.version, closed=row.closed)


async def demand_visible(session: AsyncSession, principal: Principal, opportunity_id: UUID) -> None:
    """Raise `NotFound` unless the principal takes part in this deal."""
    statement = select(col(OpportunityRow.id)).where(
        col(OpportunityRow.id) == opportunity_id, visible(principal)
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        raise NotFound("There is no such opportunity.")


async def restore(session: AsyncSession, outcome: Outcome) -> None:
    """Make a deal's rows what its workflow says; events that are missing, or others in their place, too."""
    await session.execute(delete(OpportunityRow).where(col(OpportunityRow.id) == outcome.opportunity.id))
    for entry in outcome.entries:
        await forget_other(session, First(entry.opportunity_id, entry.sequence, entry.at))
    await record(session, outcome)


async def open_ids(session: AsyncSession) -> set[UUID]:
    """The deals that are not closed by their rows: each of them has a running workflow."""
    return set(
        (await session.execute(select(col(OpportunityRow.id)).where(~col(OpportunityRow.closed)))).scalars()
    )
