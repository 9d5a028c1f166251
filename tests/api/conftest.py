"""What several tests of the API share: a vendor with a deal desk."""

from __future__ import annotations

import pytest_asyncio

from db.session import Database
from tests.deal_desk import DealDesk, a_desk
from tests.stack import ClientFor, People


@pytest_asyncio.fixture(scope="session")
async def desk(as_: ClientFor, database: Database, people: People) -> DealDesk:
    return await a_desk(as_, database, people)
