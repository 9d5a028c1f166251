"""People: the vendor's, and each partner's own."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.couriers import wake
from api.etag import Precondition, PreconditionDep, answer_new, answer_version
from api.fields import CountryCode, Email, Input, Name, Password, Search, ShortText, Sort, changes, unset
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.people_changed import GAINING, SETTLING, people_changed
from api.principal import PrincipalDep, credential_of, require
from api.route import TandemRoute
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.schemas import (
    ORGANISATION,
    PARTNER_ID,
    USER_ID,
    WHEN,
    External,
    OrganisationRef,
    example,
    example_input,
    external_of,
    with_external,
)
from api.working_time import OWN, check_place, kept
from db import (
    calendar_feeds,
    deliveries,
    directory,
    keys,
    notification_preferences,
    partners,
    people,
    sessions,
)
from db.tables import Organisation, OrganisationKind, User
from domain.approval.management import check_manager
from domain.calendar import UTC_ZONE, WeekHours, Zone
from domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from domain.principal import Action, Principal, Role, Side
from runtime import tokens
from runtime.passwords import hash_password

router = APIRouter(prefix="/users", tags=["users"], route_class=TandemRoute)

Manager = Annotated[Principal, require(Action.MANAGE_USERS, Action.MANAGE_OWN_TEAM)]
Roles = Annotated[set[Role], Field(min_length=1)]

_EXAMPLE: dict[str, Any] = {
    "email": "seller@aster.example",
    "name": "Sam Seller",
    "roles": ["partner_seller"],
}
_WORKING_TIME: dict[str, Any] = {
    "manager_id": None,
    "time_zone": "Europe/Berlin",
    "country": "DE",
    "region": "BY",
    "working_hours": {"mon": ["09:00-12:30", "13:30-17:00"], "fri": ["09:00-13:00"]},
}
_WHERE = "The country whose public holidays are free. Without it, weekends alone are."
_PART = "The part of the country, where it has holidays of its own."
_HOURS = "When work is done, by the clock of the time zone; null for Monday to Friday, 09:00-17:00."


class UserCreate(Input):
    """A person. Without a password she cannot sign in to the pages yet."""

    model_config = example_input({**_EXAMPLE, "organisation_id": PARTNER_ID})

    email: Email
    name: Name
    roles: Roles
    organisation_id: UUID | None = Field(default=None, description="Your own organisation where not given.")
    password: Password | None = None
    manager_id: UUID | None = None
    time_zone: Zone = UTC_ZONE
    country: CountryCode | None = Field(default=None, description=_WHERE)
    region: ShortText | None = Field(default=None, description=_PART)
    working_hours: WeekHours | None = Field(default=None, description=_HOURS)
    external: External | None = None


class UserUpdate(Input):
    """What is to change; what is left out stays. A new password signs the person out everywhere."""

    model_config = example_input({"roles": ["partner_seller", "partner_admin"], "time_zone": "Europe/Berlin"})

    name: Name = unset()
    roles: Roles = unset()
    active: bool = unset()
    password: Password = unset()
    manager_id: UUID | None = None
    time_zone: Zone = unset()
    country: CountryCode | None = Field(default=None, description=_WHERE)
    region: ShortText | None = Field(default=None, description=_PART)
    working_hours: WeekHours | None = Field(default=None, description=_HOURS)
    external: External | None = None


class UserPublic(BaseModel):
    """A person."""

    model_config = example(
        {
            "id": USER_ID,
            "version": 1,
            **_EXAMPLE,
            "side": "partner",
            "organisation": ORGANISATION,
            "active": True,
            **_WORKING_TIME,
            "external": None,
            "created_at": WHEN,
            "updated_at": WHEN,
        }
    )

    id: UUID
    version: int
    email: str
    name: str
    side: Side
    organisation: OrganisationRef
    roles: list[Role]
    active: bool
    manager_id: UUID | None
    time_zone: str
    country: str | None
    region: str | None
    working_hours: dict[str, list[str]] | None
    external: External | None
    created_at: datetime
    updated_at: datetime


@router.get("")
async def list_users(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    q: Search = "",
    organisation_id: UUID | None = None,
    active: bool | None = None,
    sort: Sort = "name",
) -> Listing[UserPublic]:
    """The people that you may see: everybody for the vendor, colleagues for a partner."""
    async with database.read() as session:
        found = await people.page(
            session, principal, paging, q=q, organisation_id=organisation_id, active=active, sort=sort
        )
    return listing(request, response, found, lambda row: show(*row))


@router.post("", status_code=201)
async def create_user(
    body: UserCreate,
    request: Request,
    response: Response,
    principal: Manager,
    minted: MintedDep,
    services: ServicesDep,
) -> UserPublic:
    """Add a person, to your own organisation or (as the vendor's administrator) to any."""
    password_hash = await hash_password(body.password) if body.password is not None else None
    values = {**kept(dict(body)), "id": minted.resource_id}
    del values["password"]
    check_place(body.country, body.region)
    async with services.database.transaction() as session:
        organisation = await _organisation(session, principal, body.organisation_id)
        _check_roles(body.roles, organisation)
        _check_address(principal, body.email, organisation)
        values["organisation_id"] = organisation.id
        await _check_manager(session, minted.resource_id, body.manager_id, organisation)
        await people.add(session, User(**with_external(values)))
        if password_hash is not None:
            await people.set_password(session, minted.resource_id, password_hash, datetime.now(UTC))
        user, organisation = await people.get(session, principal, minted.resource_id)
    await people_changed(services, [], gained=_roles_of_vendor(user, organisation))
    answer_new(request, response, user.version, "read_user", user_id=user.id)
    return show(user, organisation)


@router.get("/{user_id}")
async def read_user(
    user_id: UUID, response: Response, principal: PrincipalDep, database: DatabaseDep
) -> UserPublic:
    """One person."""
    async with database.read() as session:
        user, organisation = await people.get(session, principal, user_id)
    answer_version(response, user.version)
    return show(user, organisation)


@router.patch("/{user_id}")
async def update_user(
    user_id: UUID,
    body: UserUpdate,
    request: Request,
    response: Response,
    principal: PrincipalDep,
    precondition: PreconditionDep,
    services: ServicesDep,
) -> UserPublic:
    """Change what is known of a person, set a password, or let somebody go (`active`: false).

    Administrators change everything of their people; everybody changes the own working time
    (`time_zone`, `country`, `region`, `working_hours`). A password that is set for somebody, and
    letting somebody go, ends this person's sessions and revokes the API keys. One's own new
    password ends one's other sessions; keys stay.
    """
    user, organisation = await change_user(request, services, principal, user_id, body, precondition)
    answer_version(response, user.version)
    return show(user, organisation)


async def change_user(
    request: Request,
    services: Services,
    principal: Principal,
    user_id: UUID,
    body: UserUpdate,
    precondition: Precondition,
) -> tuple[User, Organisation]:
    """Change a person, if the principal may, and tell who waits for her. Raises errors of ours."""
    values = with_external(kept(changes(body)))
    _check_may_change(principal, user_id, values.keys())
    password = values.pop("password", None)
    password_hash = await hash_password(password) if password is not None else None
    now = datetime.now(UTC)
    async with services.database.transaction() as session:
        user, organisation = await people.get(session, principal, user_id)
        _check_team(principal, organisation)
        precondition.check(user.version)
        if "roles" in values:
            _check_roles(set(values["roles"]), organisation)
        if values.keys() & {"country", "region"}:
            check_place(values.get("country", user.country), values.get("region", user.region))
        await _check_manager(session, user.id, values.get("manager_id"), organisation)
        _check_oneself(principal, user, values)
        zone = user.time_zone
        user = await people.change(session, user, values, now)
        if password_hash is not None:
            await people.set_password(session, user.id, password_hash, now)
        if password_hash is not None or not user.active:
            await _end_access(session, request, principal, user, now)
        waits = user.time_zone != zone and await _notices_go_by_the_new_clock(session, user, now)
    if waits:
        await wake(services, user.id)
    if values.keys() & SETTLING:
        gains = user.active and values.keys() & GAINING
        await people_changed(
            services,
            [user.id],
            gained=_roles_of_vendor(user, organisation) if gains else (),
            left=None if user.active else user.id,
        )
    return user, organisation


async def _notices_go_by_the_new_clock(session: AsyncSession, user: User, now: datetime) -> bool:
    """What waits for a morning or for the end of quiet hours waits for those of the new time zone.

    Answers whether something waits.
    """
    wanted = (await notification_preferences.of(session, [user.id]))[user.id]
    await deliveries.plan_anew(session, user.id, wanted.preferences, now)
    return bool(await deliveries.expecting(session, [user.id]))


def _roles_of_vendor(user: User, organisation: Organisation) -> tuple[Role, ...]:
    """The roles by which somebody may be asked to decide: those of the vendor's people."""
    return tuple(Role(role) for role in user.roles) if _side(organisation) is Side.VENDOR else ()


def _check_may_change(principal: Principal, user_id: UUID, fields: AbstractSet[str]) -> None:
    """Administrators change people; everybody changes the own working time."""
    if principal.may(Action.MANAGE_USERS) or principal.may(Action.MANAGE_OWN_TEAM):
        return
    if user_id != principal.id:
        raise Forbidden("Your roles do not include this; ask an administrator of your organisation.")
    if others := sorted(fields - OWN):
        raise Forbidden(
            f"You change your own working time ({', '.join(sorted(OWN))}); "
            f"for {', '.join(others)}, ask an administrator of your organisation."
        )


async def _end_access(
    session: AsyncSession, request: Request, principal: Principal, user: User, now: datetime
) -> None:
    """What was opened with the old password, or by somebody who is let go, is closed."""
    if user.id == principal.id:
        await sessions.remove_all(session, user.id, but=tokens.digest(credential_of(request)))
        return
    await sessions.remove_all(session, user.id)
    await keys.revoke_all(session, user.id, now)
    await calendar_feeds.revoke_all(session, user.id, now)


async def _organisation(
    session: AsyncSession, principal: Principal, organisation_id: UUID | None
) -> Organisation:
    """The organisation that a new person belongs to. Raises `NotFound` where the principal may not say so."""
    wanted = organisation_id or principal.organisation_id
    if wanted == principal.organisation_id or principal.may(Action.MANAGE_USERS):
        found = await partners.organisation(session, wanted)
        if found is not None:
            return found
    raise NotFound("There is no such organisation.")


async def _check_manager(
    session: AsyncSession, user_id: UUID, manager_id: UUID | None, organisation: Organisation
) -> None:
    """The manager is of the organisation, and not below the person; nobody else changes that meanwhile."""
    if manager_id is not None:
        await people.settle_one_at_a_time(session)
        known = await directory.read(session, organisation_ids=[organisation.id])
        check_manager(user_id, manager_id, known)


def _check_team(principal: Principal, organisation: Organisation) -> None:
    if not principal.may(Action.MANAGE_USERS) and organisation.id != principal.organisation_id:
        raise Forbidden("You may change the people of your own organisation only.")


def _check_roles(roles: set[Role], organisation: Organisation) -> None:
    """Roles are those of the organisation's side."""
    side = _side(organisation)
    if wrong := sorted(role for role in roles if role.side is not side):
        fitting = ", ".join(role for role in Role if role.side is side)
        raise InvalidInput(
            f"{', '.join(wrong)} is no role of this organisation; take {fitting}.", pointer="/roles"
        )


def _check_address(principal: Principal, email: str, organisation: Organisation) -> None:
    """A partner's administrator adds addresses of its own domain only.

    An address is taken or free in all of Tandem, and a refusal would say which:
    so nobody can ask about addresses of other organisations.
    """
    if principal.may(Action.MANAGE_USERS):
        return
    if organisation.domain is None:
        raise Forbidden("Ask the vendor to note your organisation's domain; then you can add colleagues.")
    if not email.lower().endswith(f"@{organisation.domain}"):
        raise InvalidInput(f"You can add people with an address at {organisation.domain}.", pointer="/email")


def _check_oneself(principal: Principal, user: User, values: dict[str, Any]) -> None:
    """Nobody locks herself out by mistake, least of all the last administrator."""
    if user.id != principal.id:
        return
    if values.get("active") is False:
        raise Conflict("You cannot deactivate yourself; ask another administrator.")
    if "roles" in values and not principal.roles.issubset(values["roles"]):
        raise Conflict("You cannot take roles from yourself; ask another administrator.")


def _side(organisation: Organisation) -> Side:
    return Side.VENDOR if organisation.kind == OrganisationKind.VENDOR else Side.PARTNER


def show(user: User, organisation: Organisation) -> UserPublic:
    """A person as the API answers it."""
    return UserPublic(
        **user.model_dump(include=set(UserPublic.model_fields) - {"external", "organisation"}),
        side=_side(organisation),
        organisation=OrganisationRef(id=organisation.id, name=organisation.name),
        external=external_of(user),
    )
