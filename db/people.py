"""People: who they are, whom a principal sees, and their passwords."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.edits import updated
from db.pages import AnyRow, Page, PageRequest
from db.session import violated
from db.tables import Credential, Organisation, OrganisationKind, User
from domain.errors import AlreadyExists, NotFound
from domain.principal import Principal, Role, Side

PRINCIPAL_COLUMNS: tuple[Any, ...] = (
    col(User.id),
    col(User.name),
    col(User.email),
    col(User.roles),
    col(Organisation.id).label("organisation_id"),
    col(Organisation.name).label("organisation"),
    col(Organisation.kind).label("kind"),
)
"""What a query must select so that `principal_of` can make a principal of its rows."""


_SETTLING = 0x7461_7065  # "tape"


def is_active() -> ColumnElement[bool]:
    """The person and the organisation both still take part."""
    return and_(col(User.active), col(Organisation.status) == "active")


def principal_of(row: AnyRow) -> Principal:
    """The principal in a row that selected `PRINCIPAL_COLUMNS`."""
    return Principal(
        id=row.id,
        name=row.name,
        email=row.email,
        side=Side.VENDOR if row.kind == OrganisationKind.VENDOR else Side.PARTNER,
        organisation_id=row.organisation_id,
        organisation=row.organisation,
        roles=frozenset(Role(role) for role in row.roles),
    )


async def principal_by_email(session: AsyncSession, email: str) -> Principal | None:
    """The active person with this address; for the command line and the demo, never for a request."""
    found = await credentials(session, email)
    return found[0] if found else None


async def credentials(session: AsyncSession, email: str) -> tuple[Principal, str | None] | None:
    """The active person with this address and the password's hash, if one is set."""
    statement = (
        select(*PRINCIPAL_COLUMNS, col(Credential.password_hash))
        .select_from(User)
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .outerjoin(Credential, col(Credential.user_id) == col(User.id))
        .where(func.lower(col(User.email)) == email.lower(), is_active())
    )
    row = (await session.execute(statement)).one_or_none()
    return (principal_of(row), row.password_hash) if row is not None else None


async def set_password(session: AsyncSession, user_id: UUID, password_hash: str, now: datetime) -> None:
    """Set or replace a person's password."""
    statement = insert(Credential).values(user_id=user_id, password_hash=password_hash, changed_at=now)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[col(Credential.user_id)],
            set_={"password_hash": password_hash, "changed_at": now},
        )
    )


def visible_users(principal: Principal) -> ColumnElement[bool]:
    """The vendor's people see everybody; a partner's people see their own colleagues."""
    if principal.side is Side.VENDOR:
        return true()
    return col(User.organisation_id) == principal.organisation_id


async def page(
    session: AsyncSession,
    principal: Principal,
    wanted: PageRequest,
    *,
    q: str | None = None,
    organisation_id: UUID | None = None,
    active: bool | None = None,
    sort: str = "name",
) -> Page[tuple[User, Organisation]]:
    """The people that the principal may see, by name where `sort` says nothing else."""
    statement = (
        select(User, Organisation)
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(visible_users(principal))
        .order_by(*pages.ordering(sort, col(User.name), col(User.id)))
    )
    if q:
        statement = statement.where(
            or_(col(User.name).icontains(q, autoescape=True), col(User.email).icontains(q, autoescape=True))
        )
    if organisation_id is not None:
        statement = statement.where(col(User.organisation_id) == organisation_id)
    if active is not None:
        statement = statement.where(col(User.active) == active)
    found = await pages.fetch(session, statement, wanted, order=f"users:{sort}")
    return found.map(lambda row: (row[0], row[1]))


async def get(session: AsyncSession, principal: Principal, user_id: UUID) -> tuple[User, Organisation]:
    """One person. Raises `NotFound`, also for people whom the principal does not see."""
    statement = (
        select(User, Organisation)
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(visible_users(principal), col(User.id) == user_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("There is no such person.")
    return row[0], row[1]


async def add(session: AsyncSession, user: User) -> None:
    """Keep a new person. The same id again (a repeated request) changes nothing.

    Raises `AlreadyExists` when somebody has the address or the external id.
    """
    statement = insert(User).values(**user.model_dump()).on_conflict_do_nothing(index_elements=[col(User.id)])
    try:
        await session.execute(statement)
    except IntegrityError as error:
        raise _taken(error) from error


async def change(session: AsyncSession, user: User, changes: dict[str, Any], now: datetime) -> User:
    """Change a person that was read before. Raises `StaleVersion` and `AlreadyExists`."""
    try:
        return await updated(session, user, changes, now)
    except IntegrityError as error:
        raise _taken(error) from error


async def settle_one_at_a_time(session: AsyncSession) -> None:
    """Wait for whoever else says just now who manages whom or who stands in for whom, until this commits.

    Two people who each hand over to the other in the same moment would make a ring.
    """
    await session.execute(select(func.pg_advisory_xact_lock(_SETTLING)))


def _taken(error: IntegrityError) -> Exception:
    match violated(error):
        case "uq_user_email":
            return AlreadyExists("This e-mail address cannot be used; somebody may have it already.")
        case "uq_user_external":
            return AlreadyExists("Somebody with this external id is there already.")
        case _:
            return error
