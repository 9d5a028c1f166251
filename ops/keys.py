"""`tandem keys`: API keys from the command line, for programs that start before anybody signs in."""

from __future__ import annotations

from db import keys, people
from db.session import Database
from db.tables import ApiKey
from domain.errors import NotFound
from runtime import tokens
from runtime.ids import new_id


async def create_key(database: Database, *, email: str, name: str) -> str:
    """Make a key for the person with this address; its token, which is kept nowhere.

    Raises:
        NotFound: nobody active has this address.
    """
    token = tokens.new_api_key()
    async with database.transaction() as session:
        principal = await people.principal_by_email(session, email)
        if principal is None:
            raise NotFound(f"Nobody active has the address {email}.")
        key = ApiKey(
            id=new_id(),
            user_id=principal.id,
            name=name,
            token_hash=tokens.digest(token),
            hint=tokens.hint(token),
        )
        await keys.add(session, key)
    return token
