"""What the lists of a form offer: ids and names, and nothing else of the rows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, any_, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col

from db.partners import visible_partners
from db.people import visible_users
from db.session import Reader
from db.tables import Organisation, OrganisationKind, PlaybookVersion, User
from domain.principal import Principal, Role, Side

MOST = 200
"""A longer list is no choice; the search is."""
Choices = list[tuple[UUID, str]]

_PLAYBOOKS = (
    select(col(PlaybookVersion.key), col(PlaybookVersion.title))
    .ext(distinct_on(col(PlaybookVersion.key)))
    .order_by(col(PlaybookVersion.key), col(PlaybookVersion.version).desc())
    .limit(MOST)
)


async def published_playbooks(reader: Reader) -> list[tuple[str, str]]:
    """The playbooks a deal can start with: keys and titles, by key."""
    return [(row.key, row.title) for row in await reader.execute(_PLAYBOOKS)]


async def people_of(
    reader: Reader, principal: Principal, side: Side, organisation_id: UUID | None = None
) -> Choices:
    """The active people of a side whom the principal sees, by name, or of one organisation of it."""
    statement = (
        select(col(User.id), col(User.name))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(visible_users(principal), col(User.active), col(Organisation.kind) == _KINDS[side].value)
        .order_by(col(User.name), col(User.id))
        .limit(MOST)
    )
    if organisation_id is not None:
        statement = statement.where(col(User.organisation_id) == organisation_id)
    return [(row.id, row.name) for row in await reader.execute(statement)]


async def with_role(reader: Reader, role: Role) -> Choices:
    """The vendor's active people with this role, by name."""
    statement = (
        select(col(User.id), col(User.name))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(
            col(User.active),
            col(Organisation.kind) == OrganisationKind.VENDOR.value,
            literal(role.value) == any_(col(User.roles)),
        )
        .order_by(col(User.name), col(User.id))
        .limit(MOST)
    )
    return [(row.id, row.name) for row in await reader.execute(statement)]


async def active_partners(reader: Reader, principal: Principal) -> Choices:
    """The partners that may join a deal, by name."""
    statement = (
        select(col(Organisation.id), col(Organisation.name))
        .where(visible_partners(principal), col(Organisation.status) == "active")
        .order_by(col(Organisation.name), col(Organisation.id))
        .limit(MOST)
    )
    return [(row.id, row.name) for row in await reader.execute(statement)]


async def called(reader: Reader, principal: Principal, words: str) -> UUID | None:
    """The active person with this e-mail address, or the active partner of this name, as the principal sees.

    Capitals do not count. None where nobody is called that, or several are.
    """
    if "@" not in words:
        return await partner_called(reader, principal, words)
    statement = select(col(User.id)).where(
        visible_users(principal), col(User.active), func.lower(col(User.email)) == words.lower()
    )
    return (await reader.execute(statement)).scalar_one_or_none()


async def partner_called(
    reader: Reader, principal: Principal, name: str, *, also_gone: bool = False
) -> UUID | None:
    """The active partner of this name that the principal sees; else, where wanted, one that was active.

    Capitals do not count. None where nobody is called that, or several are.
    """
    statement = select(col(Organisation.id), (col(Organisation.status) == "active").label("active")).where(
        visible_partners(principal), func.lower(col(Organisation.name)) == name.lower()
    )
    found = (await reader.execute(statement)).all()
    active = [row.id for row in found if row.active]
    fit = active or ([row.id for row in found] if also_gone else [])
    return fit[0] if len(fit) == 1 else None


async def partner_named(reader: Reader, principal: Principal, partner_id: UUID) -> str | None:
    """What a partner is called that the principal sees, also one that is not active."""
    statement = select(col(Organisation.name)).where(
        visible_partners(principal), col(Organisation.id) == partner_id
    )
    return (await reader.execute(statement)).scalar_one_or_none()


def _owners(principal: Principal) -> Select[UUID, str]:
    """Who has or had deals, as the principal sees: the vendor's people, also those who have left."""
    return (
        select(col(User.id), col(User.name))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(visible_users(principal), col(Organisation.kind) == OrganisationKind.VENDOR.value)
    )


async def owner_called(reader: Reader, principal: Principal, address: str) -> UUID | None:
    """Who has or had deals, by e-mail address; capitals do not count."""
    statement = _owners(principal).where(func.lower(col(User.email)) == address.lower())
    return (await reader.execute(statement)).scalar_one_or_none()


async def owner_named(reader: Reader, principal: Principal, user_id: UUID) -> str | None:
    """What somebody is called who has or had deals."""
    row = (await reader.execute(_owners(principal).where(col(User.id) == user_id))).one_or_none()
    return row.name if row is not None else None


_KINDS = {Side.VENDOR: OrganisationKind.VENDOR, Side.PARTNER: OrganisationKind.PARTNER}
