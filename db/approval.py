"""Approvals in PostgreSQL: recorded by their workflow, read through the principal's scope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import AnyRow, Page, PageRequest
from db.recording import Child, First, Recorder, actor_columns, forget_abandoned, forget_other
from db.session import Reader
from db.tables import ApprovalRow, ApprovalSeatRow, OpportunityPartnerRow, User
from db.tables.base import Instant
from domain.approval.agenda import next_due
from domain.approval.draft import ApprovalEntry, ApprovalOutcome
from domain.approval.policy import FINAL_BACKUP
from domain.approval.state import Approval, ApprovalState
from domain.approval.view import VENDORS_STEP, as_seen
from domain.approval.work import seats, waits_for
from domain.errors import NotFound
from domain.principal import Principal, Role

_RECORDER = Recorder(ApprovalRow, "approval_id", Child(ApprovalSeatRow, ("step_key", "user_id")))
_NEVER = literal(datetime(9999, 12, 31, tzinfo=UTC), Instant)
_MISSING = "There is no such request."
_NAMES = "@.role == $roles[*] || @.manager == true || @.rule != null || @.person != null"
_MAY_NAME = " || ".join(
    f"exists({rules} ? ({_NAMES}))"
    for rules in (
        "$.templates[*].approvers[*]",
        "$.templates[*].escalate[*].to",
        "$.templates[*].backup[*]",
        "$.backup[*]",
    )
)
"""A JSON path over a request's state: whether one of its rules may name somebody with one of `$roles`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A request as lists show it. `seat_step` is the step on which the principal is waited for, if one."""

    id: UUID
    version: int
    state: ApprovalState
    kind: str
    opportunity_id: UUID | None
    partner_id: UUID | None
    requester_id: UUID | None
    requester: str
    title: str
    percent: Any
    waits_for: str | None
    due_at: datetime | None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    seat_step: str | None = None
    stands_in_for: str | None = None


async def record_new(session: Reader, outcome: ApprovalOutcome) -> bool:
    """`record` in a single statement, for what is new; False when something was there in its place."""
    approval = outcome.approval
    rows = {
        "timeline": [_timeline_row(entry) for entry in outcome.entries],
        "approval": [_row(approval)],
        "approval_seat": [{"approval_id": approval.id, **seat.model_dump()} for seat in seats(approval)],
    }
    return await _RECORDER.write(session, rows, [approval.subject.opportunity_id or approval.id])


async def record(session: AsyncSession, outcome: ApprovalOutcome) -> None:
    """Write the events and the read model that they led to; the same again changes nothing."""
    firsts = [First(entry.approval_id, entry.sequence, entry.at) for entry in outcome.entries[:1]]
    if not await record_new(session, outcome) and await forget_abandoned(session, firsts):
        await record_new(session, outcome)


def _timeline_row(entry: ApprovalEntry) -> dict[str, Any]:
    return {
        "stream_id": entry.approval_id,
        "opportunity_id": entry.opportunity_id,
        "sequence": entry.sequence,
        "at": entry.at,
        "type": entry.event.type,
        **actor_columns(entry.by),
        "internal": entry.internal,
        "partner_id": entry.partner_id,
        "words": entry.words,
        "data": entry.event.model_dump(mode="json", exclude={"type"}),
    }


def _row(approval: Approval) -> dict[str, Any]:
    subject, policy = approval.subject, approval.policy
    return {
        "id": approval.id,
        "version": approval.version,
        "state": approval.state,
        "open": approval.is_open,
        "kind": subject.kind,
        "opportunity_id": subject.opportunity_id,
        "discount_id": subject.discount_id,
        "partner_id": subject.partner_id,
        "internal": approval.is_internal,
        "requester_id": approval.requester.id,
        "requester": approval.requester.name,
        "asked_for_id": approval.asked_for.id if approval.asked_for else None,
        "title": approval.title,
        "percent": approval.percent,
        "policy_key": policy.key if policy else None,
        "policy_version": policy.version if policy else None,
        "waits_for": waits_for(approval),
        "due_at": approval.due_at,
        "expires_at": approval.expires_at,
        "next_due_at": next_due(approval),
        "state_json": approval.model_dump(mode="json"),
        "created_at": approval.created_at,
        "updated_at": approval.updated_at,
    }


def visible(principal: Principal) -> ColumnElement[bool]:
    """The vendor's people see every request; a partner's see their own, on deals that they are on."""
    if principal.partner_id is None:
        return true()
    return and_(
        ~col(ApprovalRow.internal),
        col(ApprovalRow.partner_id) == principal.partner_id,
        exists().where(
            col(OpportunityPartnerRow.opportunity_id) == col(ApprovalRow.opportunity_id),
            col(OpportunityPartnerRow.partner_id) == principal.partner_id,
        ),
    )


# Made once: every command begins and ends with them.
_THIS = col(ApprovalRow.id) == bindparam("approval_id")
_ID = select(col(ApprovalRow.id)).where(_THIS)
_STATE = select(col(ApprovalRow.state_json)).where(_THIS)


async def get(reader: Reader, principal: Principal, approval_id: UUID) -> Approval:
    """A request as the principal may see it, as it was last recorded.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    return as_seen(await _read(reader, approval_id, _within(_STATE, principal)), principal)


async def get_in_full(reader: Reader, approval_id: UUID) -> Approval:
    """A request with all that its process knows; for deciding on a command, never for showing.

    Raises: NotFound.
    """
    return await _read(reader, approval_id, _STATE)


def _within(statement: Select[Any], principal: Principal) -> Select[Any]:
    return statement if principal.partner_id is None else statement.where(visible(principal))


async def _read(reader: Reader, approval_id: UUID, statement: Select[Any]) -> Approval:
    state = (await reader.execute(statement, {"approval_id": approval_id})).scalar_one_or_none()
    if state is None:
        raise NotFound(_MISSING)
    return Approval.model_validate(state)


async def demand_visible(reader: Reader, principal: Principal, approval_id: UUID) -> None:
    """Raise `NotFound` unless the principal may see this request."""
    seen = await reader.execute(_within(_ID, principal), {"approval_id": approval_id})
    if seen.scalar_one_or_none() is None:
        raise NotFound(_MISSING)


_COLUMNS: tuple[Any, ...] = (
    col(ApprovalRow.id),
    col(ApprovalRow.version),
    col(ApprovalRow.state),
    col(ApprovalRow.kind),
    col(ApprovalRow.opportunity_id),
    col(ApprovalRow.partner_id),
    col(ApprovalRow.requester_id),
    col(ApprovalRow.requester),
    col(ApprovalRow.title),
    col(ApprovalRow.percent),
    col(ApprovalRow.waits_for),
    col(ApprovalRow.expires_at),
    col(ApprovalRow.created_at),
    col(ApprovalRow.updated_at),
)


def _listed(row: AnyRow) -> Listed:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
    return Listed(**{**values, "state": ApprovalState(values["state"])})


def _told_to_partner(listed: Listed) -> Listed:
    """Which steps the vendor takes is not told: it would tell costs and margins."""
    held = listed.state is ApprovalState.PENDING and listed.waits_for is not None
    return replace(listed, waits_for=VENDORS_STEP) if held else listed


async def page(
    session: AsyncSession,
    principal: Principal,
    request: PageRequest,
    *,
    states: Sequence[ApprovalState] = (),
    opportunity_id: UUID | None = None,
    requester_id: UUID | None = None,
) -> Page[Listed]:
    """The requests that the principal may see, the latest change first."""
    statement = select(*_COLUMNS, col(ApprovalRow.due_at)).where(visible(principal))
    if states:
        statement = statement.where(col(ApprovalRow.state).in_([each.value for each in states]))
    if opportunity_id is not None:
        statement = statement.where(col(ApprovalRow.opportunity_id) == opportunity_id)
    if requester_id is not None:
        asked = (col(ApprovalRow.requester_id), col(ApprovalRow.asked_for_id))
        statement = statement.where(or_(*(each == requester_id for each in asked)))
    ordered = statement.order_by(col(ApprovalRow.updated_at).desc(), col(ApprovalRow.id).desc())
    order = f"approvals:{','.join(states)}:{opportunity_id}:{requester_id}"
    found = (await pages.fetch(session, ordered, request, order=order)).map(_listed)
    return found if principal.partner_id is None else found.map(_told_to_partner)


def _mine(principal: Principal) -> ColumnElement[bool]:
    return and_(col(ApprovalSeatRow.user_id) == principal.id, visible(principal))


def _inbox(principal: Principal, states: Sequence[ApprovalState]) -> Select[*tuple[Any, ...]]:
    wanted = col(ApprovalRow.state).in_([each.value for each in states or tuple(ApprovalState)])
    due = func.coalesce(col(ApprovalSeatRow.due_at), _NEVER, type_=Instant)
    return (
        select(
            *_COLUMNS,
            col(ApprovalSeatRow.due_at),
            col(ApprovalSeatRow.step).label("seat_step"),
            col(ApprovalSeatRow.stands_in_for),
        )
        .join(ApprovalSeatRow, col(ApprovalSeatRow.approval_id) == col(ApprovalRow.id))
        .where(_mine(principal), wanted)
        .order_by(due, col(ApprovalRow.id), col(ApprovalSeatRow.step_key))
    )


async def inbox(
    session: AsyncSession,
    principal: Principal,
    request: PageRequest,
    *,
    states: Sequence[ApprovalState] = (),
) -> Page[Listed]:
    """What waits for the principal, the least time left first: decisions, and own requests that came back."""
    order = f"inbox:{','.join(states)}:{principal.id}"
    found = await pages.fetch(session, _inbox(principal, states), request, order=order)
    return found.map(_listed)


async def inbox_count(session: AsyncSession, principal: Principal) -> int:
    """How many requests wait for the principal."""
    statement = (
        select(func.count(func.distinct(col(ApprovalSeatRow.approval_id))))
        .join(ApprovalRow, col(ApprovalSeatRow.approval_id) == col(ApprovalRow.id))
        .where(_mine(principal))
    )
    return (await session.execute(statement)).scalar_one()


def waiting_by_session() -> ScalarSelect[int]:
    """How many requests wait for a person, within a statement over `User`.

    Seats are kept only of open requests, and a partner's people only sit at their own.
    """
    seat = ApprovalSeatRow
    return (
        select(func.count(func.distinct(col(seat.approval_id))))
        .where(col(seat.user_id) == col(User.id))
        .correlate(User)
        .scalar_subquery()
    )


async def open_with(session: AsyncSession, person_ids: Sequence[UUID]) -> list[UUID]:
    """The open requests on which one of these people sits or is stood in for."""
    seat = ApprovalSeatRow
    statement = (
        select(col(seat.approval_id))
        .where(or_(col(seat.user_id).in_(person_ids), col(seat.stands_in_for_id).in_(person_ids)))
        .distinct()
    )
    return list((await session.execute(statement)).scalars())


async def open_that_may_ask(session: AsyncSession, roles: Collection[Role]) -> list[UUID]:
    """The pending requests whose policy may name somebody with one of these roles, at any level.

    By role; and every request that asks by manager, rule or name, of which only its process knows whom.
    """
    pending = col(ApprovalRow.state) == ApprovalState.PENDING.value
    statement = select(col(ApprovalRow.id)).where(pending)
    if not any(rule.role in roles for rule in FINAL_BACKUP):
        known = literal({"roles": sorted(roles)}, JSONB)
        path = cast(_MAY_NAME, JSONPATH)
        statement = statement.where(func.jsonb_path_match(col(ApprovalRow.state_json), path, known))
    return list((await session.execute(statement)).scalars())


async def open_ids(session: AsyncSession) -> set[UUID]:
    """The requests that are open by their rows: each of them has a running workflow."""
    return set((await session.execute(select(col(ApprovalRow.id)).where(col(ApprovalRow.open)))).scalars())


async def restore(session: AsyncSession, outcome: ApprovalOutcome) -> None:
    """Make a request's rows what its workflow says; events that are missing or others in their place, too."""
    await session.execute(delete(ApprovalRow).where(col(ApprovalRow.id) == outcome.approval.id))
    for entry in outcome.entries:
        await forget_other(session, First(entry.approval_id, entry.sequence, entry.at))
    await record(session, outcome)
