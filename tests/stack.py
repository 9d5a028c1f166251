"""The running stack that tests talk to, and the people in it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.serve import KEEP_ALIVE
from db import keys, partners, people
from db.session import Database
from db.tables import ApiKey, Organisation, OrganisationKind, User
from domain.principal import Principal, Role
from runtime import tokens
from runtime.ids import new_id
from tests.patience import PATIENCE

ClientFor = Callable[[str], Awaitable[httpx.AsyncClient]]
"""Asks for the client of the person with an e-mail address."""

PASSWORD = "correct horse battery staple"

QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
"""A hash carries its cost: to sign in with one of these takes no 0.2 s."""

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP: a client that loads the authorities of the whole world takes 60 ms to make."""


def calling(address: str, **options: Any) -> httpx.AsyncClient:
    """A client of a server of ours."""
    return httpx.AsyncClient(base_url=address, verify=NO_CERTIFICATES, timeout=PATIENCE, **options)


@contextlib.asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The application on a socket of its own, in this event loop; the address it answers at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=2, timeout_keep_alive=KEEP_ALIVE
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await task


@dataclass
class Person:
    """Somebody with an API key."""

    id: UUID
    email: str
    name: str
    organisation_id: UUID
    token: str
    principal: Principal

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class People:
    """The vendor, two partners, and people of every role in them, made when first asked for."""

    database: Database
    vendor: Organisation
    aster: Organisation
    borealis: Organisation
    known: dict[str, Person] = field(default_factory=dict)

    async def of(self, email: str) -> Person:
        """The person with this address, such as "rep@vendor.example" (see `ROLES`)."""
        if email not in self.known:
            self.known[email] = await self.add(email, *ROLES[email])
        return self.known[email]

    async def add(self, email: str, *roles: Role, password: str | None = None) -> Person:
        """A new person of the organisation that the address belongs to, with an API key."""
        organisation = getattr(self, email.partition("@")[2].partition(".")[0])
        now = datetime.now(UTC)
        user = User(
            id=new_id(),
            organisation_id=organisation.id,
            email=email,
            name=email.partition("@")[0].capitalize(),
            roles=sorted(roles),
        )
        async with self.database.transaction() as session:
            await people.add(session, user)
            if password is not None:
                await people.set_password(session, user.id, QUICK.hash(password), now)
        return await self.key_for(email)

    async def key_for(self, email: str) -> Person:
        """A new API key for somebody who is there already."""
        token = tokens.new_api_key()
        async with self.database.transaction() as session:
            principal = await people.principal_by_email(session, email)
            assert principal is not None
            key = ApiKey(
                id=new_id(),
                user_id=principal.id,
                name="tests",
                token_hash=tokens.digest(token),
                hint=tokens.hint(token),
            )
            await keys.add(session, key)
        return Person(principal.id, email, principal.name, principal.organisation_id, token, principal)

    async def partner(self, name: str) -> Organisation:
        """One more partner."""
        async with self.database.transaction() as session:
            return await partners.add(session, organisation(name))


ROLES: dict[str, tuple[Role, ...]] = {
    "rep@vendor.example": (Role.SALES_REP,),
    "rep2@vendor.example": (Role.SALES_REP,),
    "desk@vendor.example": (Role.DEAL_DESK,),
    "finance@vendor.example": (Role.FINANCE,),
    "director@vendor.example": (Role.SALES_DIRECTOR,),
    "success@vendor.example": (Role.CUSTOMER_SUCCESS,),
    "admin@vendor.example": (Role.ADMIN,),
    "seller@aster.example": (Role.PARTNER_SELLER,),
    "lead@aster.example": (Role.PARTNER_SELLER, Role.PARTNER_ADMIN),
    "seller@borealis.example": (Role.PARTNER_SELLER,),
    "lead@borealis.example": (Role.PARTNER_SELLER, Role.PARTNER_ADMIN),
}


def organisation(
    name: str, kind: OrganisationKind = OrganisationKind.PARTNER, tier: str | None = None
) -> Organisation:
    return Organisation(
        id=new_id(),
        kind=kind,
        name=name,
        domain=f"{name.split(maxsplit=1)[0].lower()}.example",
        country="US",
        tier=tier,
    )


async def populate(database: Database) -> People:
    """The organisations, in an empty database."""
    vendor = organisation("Vendor", OrganisationKind.VENDOR)
    aster = organisation("Aster Integrators", tier="gold")
    borealis = organisation("Borealis Systems", tier="silver")
    async with database.transaction() as session:
        for each in (vendor, aster, borealis):
            await partners.add(session, each)
    return People(database, vendor, aster, borealis)
