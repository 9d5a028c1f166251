"""`tandem migrate` and `tandem setup`: a database that is ready for its first deal."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from db import partners, people
from db.migrate import upgrade
from db.session import Database
from db.tables import Organisation, OrganisationKind, User
from domain.errors import AlreadyExists
from domain.principal import Role
from ops.playbooks import publish_shipped
from ops.policies import publish_shipped as publish_shipped_policies
from runtime.ids import new_id
from runtime.passwords import hash_password


async def make_ready(url: str) -> None:
    """Bring the schema up to date, and give a database without playbooks and policies those that ship.

    Raises:
        Unavailable: the database does not answer.
    """
    await asyncio.to_thread(upgrade, url)
    database = Database(url, pool_size=1)
    try:
        await publish_shipped(database)
        await publish_shipped_policies(database)
    finally:
        await database.close()


async def setup(database: Database, *, vendor: str, email: str, name: str, password: str) -> None:
    """Make what a new installation needs before anybody can sign in.

    Raises:
        AlreadyExists: there is a vendor already, or somebody has the address.
    """
    hashed = await hash_password(password)
    async with database.transaction() as session:
        if there := await partners.vendor(session):
            raise AlreadyExists(f"This installation belongs to {there.name} already.")
        organisation = await partners.add(
            session,
            Organisation(
                id=new_id(), kind=OrganisationKind.VENDOR, name=vendor, domain=email.partition("@")[2]
            ),
        )
        admin = User(
            id=new_id(), organisation_id=organisation.id, email=email, name=name, roles=[Role.ADMIN.value]
        )
        await people.add(session, admin)
        await people.set_password(session, admin.id, hashed, datetime.now(UTC))
    await publish_shipped(database)
    await publish_shipped_policies(database)
