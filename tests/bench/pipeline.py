"""The board and filtered lists over 100,000 opportunities.

    python -m tests.bench.pipeline [--deals 100000] [--requests 200] [--open 0.24]

The deals are made by the domain, a thousand different ones, and multiplied in
SQL: each copy has its own id, title and time of change. As in the export of a real
sales organisation 24 % are open (`--open 1` makes all of them open).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import opportunity, partners, pipeline_totals, playbooks
from db.tables import Organisation, OrganisationKind
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.rules import open_deal
from domain.opportunity.state import Customer, DealPartner, Person, Status
from domain.playbook import PartnerRole
from domain.principal import SYSTEM
from runtime import aio
from runtime.ids import new_id
from tests.bench.commands import figures
from tests.bench.stack import ADMIN, Bench, bench_stack

KINDS = 1000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PARTNER = "Aster Integrators"

_MULTIPLY = """
INSERT INTO opportunity
SELECT (jsonb_populate_record(o, jsonb_build_object(
    'id', gen_random_uuid(),
    'updated_at', o.updated_at - make_interval(secs => n * 37 + (random() * 30)::int),
    'title', o.title || ' ' || n, 'search', o.search || ' ' || n))).*
FROM opportunity o CROSS JOIN generate_series(1, :copies) n
"""
_SHARE = """
INSERT INTO opportunity_partner (opportunity_id, partner_id, name, role,
    status, closed, amount, currency, playbook_key, stage_key, phase)
SELECT id, :partner, :name, 'reseller', status, closed, amount, currency, playbook_key, stage_key, phase
FROM opportunity
WHERE state -> 'partners' @> jsonb_build_array(jsonb_build_object('id', cast(:partner as text)))
ON CONFLICT DO NOTHING
"""


async def seed(bench: Bench, deals: int, share: float) -> None:
    """Fill the tables, and let PostgreSQL learn what is in them."""
    async with bench.database.transaction() as session:
        aster = await partners.add(
            session,
            Organisation(id=new_id(), kind=OrganisationKind.PARTNER, name=PARTNER, domain="aster.example"),
        )
        await opportunity.record_many(
            session, [await _deal(session, number, aster, share) for number in range(KINDS)]
        )
        await session.execute(text(_MULTIPLY), {"copies": deals // KINDS - 1})
        await session.execute(text(_SHARE), {"partner": aster.id, "name": PARTNER})
    async with bench.database.transaction() as session:
        await pipeline_totals.fold(session)  # as an API process does every 20 seconds
    async with bench.database.read() as session:
        await session.execute(text("VACUUM ANALYZE"))


async def _deal(session: AsyncSession, number: int, aster: Organisation, share: float) -> Any:
    chance = random.Random(number)
    book = await playbooks.latest(session, chance.choice(["it-software", "manufacturing", "cloud-msp"]))
    names = ["Harbor", "Pinecrest", "Kestrel", "Lantern", "Summit", "Juniper", "Quill", "Novera"]
    return open_deal(
        ask.Open(
            id=new_id(),
            title=f"{chance.choice(['ERP', 'Cloud', 'Analytics', 'Robot', 'Archive'])} project {number}",
            customer=Customer(name=f"{chance.choice(names)} {number}"),
            amount=Money(
                amount=str(chance.randrange(5, 900) * 1000), currency=chance.choice(["USD", "EUR", "GBP"])
            ),
            owner=Person(id=new_id(), name="Riley"),
            playbook=book,
            stage=chance.choice(book.stages).key,
            opened_at=BEGAN,
            closing=None if chance.random() < share else _ending(chance),
            partners=(DealPartner(id=aster.id, name=PARTNER, role=PartnerRole.RESELLER),)
            if number % 3 == 0
            else (),
        ),
        datetime.now(UTC),
        SYSTEM,
    )


def _ending(chance: random.Random) -> ask.Closing:
    status = chance.choice((Status.WON, Status.LOST))
    return ask.Closing(status=status, at=BEGAN + timedelta(days=90))


async def measure(http: httpx.AsyncClient, path: str, requests: int) -> dict[str, float]:
    """Median and 99th percentile in milliseconds, one request at a time."""
    seconds = []
    for number in range(requests + 10):
        start = time.perf_counter()
        answer = await http.get(path)
        answer.raise_for_status()
        if number >= 10:
            seconds.append(time.perf_counter() - start)
    return figures(seconds)


PATHS = {
    "list, latest": "/api/v1/opportunities",
    "list, by stage": "/api/v1/opportunities?playbook=it-software&stage=joint-demo&status=open",
    "list, by text": "/api/v1/opportunities?q=kestrel%20robot",
    "list, by amount": "/api/v1/opportunities?status=open&sort=-amount",
    "list, by close": "/api/v1/opportunities?sort=expected_close",
    "board by phase": "/pipeline",
    "board of a playbook": "/pipeline?playbook=it-software",
}


async def main(deals: int, requests: int, share: float) -> None:
    async with bench_stack(workers=False) as bench:
        start = time.perf_counter()
        await seed(bench, deals, share)
        sys.stderr.write(f"{deals:,} deals in {time.perf_counter() - start:.0f} s\n")
        answer = await bench.http.post(
            "/sign-in", data={"email": ADMIN, "password": "measured well"}, headers={"Authorization": ""}
        )
        session = httpx.AsyncClient(base_url=bench.settings.url, cookies=answer.cookies, timeout=60)
        report = {}
        for name, path in PATHS.items():
            who = bench.http if path.startswith("/api") else session
            report[name] = await measure(who, path, requests)
        await session.aclose()
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--open", type=float, default=0.24, dest="share")
    chosen = parser.parse_args()
    aio.run(main(chosen.deals, chosen.requests, chosen.share))
