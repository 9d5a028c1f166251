"""How much is in the pipeline, kept beside the deals: read, folded, checked, counted anew.

The database adds to `pipeline_total` whenever it writes a deal, in the same statement, so
that the sum of its rows is exact at any moment and for every reader; see `PipelineTotal`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, SQLColumnExpression, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.tables import PipelineTotal

Total = PipelineTotal

_KEYS = "playbook_key, stage_key, phase, status, closed, currency"
_LOCK = 0x666F_6C64  # "fold": whoever puts totals together, or counts them anew, does it alone
_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
_ALONE_OR_NOT = text("SELECT pg_try_advisory_xact_lock(:lock)")
_FOLD = text(f"""
    WITH found AS (
        SELECT id, count(*) OVER (PARTITION BY partner_id, {_KEYS}) AS alike FROM pipeline_total
    ), taken AS (
        DELETE FROM pipeline_total t USING found WHERE found.id = t.id AND found.alike > 1 RETURNING t.*
    )
    INSERT INTO pipeline_total (partner_id, {_KEYS}, deals, amount)
    SELECT partner_id, {_KEYS}, sum(deals), sum(amount) FROM taken GROUP BY partner_id, {_KEYS}
    HAVING sum(deals) <> 0 OR sum(amount) <> 0
""")  # noqa: S608 -- of our own names
_COUNTED = f"""
    SELECT NULL::uuid AS partner_id, {_KEYS}, count(*) AS deals, coalesce(sum(amount), 0) AS amount
    FROM opportunity GROUP BY {_KEYS}
    UNION ALL
    SELECT p.partner_id, {", ".join(f"o.{key}" for key in _KEYS.split(", "))},
           count(*), coalesce(sum(o.amount), 0)
    FROM opportunity_partner p JOIN opportunity o ON o.id = p.opportunity_id GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 -- of our own names
_WRONG = text(f"""
    WITH kept AS (
        SELECT partner_id, {_KEYS}, sum(deals) AS deals, sum(amount) AS amount
        FROM pipeline_total GROUP BY partner_id, {_KEYS} HAVING sum(deals) <> 0 OR sum(amount) <> 0
    ), counted AS ({_COUNTED}), wrong AS (
        (TABLE kept EXCEPT TABLE counted) UNION (TABLE counted EXCEPT TABLE kept)
    )
    SELECT count(DISTINCT (partner_id, {_KEYS})) FROM wrong
""")  # noqa: S608 -- of our own names
_REPEAT = text("""
    UPDATE opportunity_partner p
    SET status = o.status, closed = o.closed, amount = o.amount, currency = o.currency,
        playbook_key = o.playbook_key, stage_key = o.stage_key, phase = o.phase
    FROM opportunity o
    WHERE o.id = p.opportunity_id
      AND (p.status, p.closed, p.amount, p.currency, p.playbook_key, p.stage_key, p.phase)
          IS DISTINCT FROM (o.status, o.closed, o.amount, o.currency, o.playbook_key, o.stage_key, o.phase)
""")
_STAND_STILL = text("LOCK TABLE opportunity, opportunity_partner IN SHARE ROW EXCLUSIVE MODE")
_FORGET = text("DELETE FROM pipeline_total")
_COUNT_ALL = text(f"INSERT INTO pipeline_total (partner_id, {_KEYS}, deals, amount) {_COUNTED}")


def open_sums(kind: SQLColumnExpression[str], partner_id: UUID | None) -> Select[*tuple[Any, ...]]:
    """Deals that are not closed, of everybody or of one partner: key, currency, how many, their value."""
    whose = col(Total.partner_id).is_(None) if partner_id is None else col(Total.partner_id) == partner_id
    return (
        select(
            kind.label("key"), col(Total.currency), func.sum(col(Total.deals)), func.sum(col(Total.amount))
        )
        .where(whose, ~col(Total.closed))
        .group_by(kind, col(Total.currency))
    )


def by_partner() -> Select[*tuple[Any, ...]]:
    """All deals of each partner: whose, status, currency, how many, their value."""
    key = (col(Total.partner_id), col(Total.status), col(Total.currency))
    return select(*key, func.sum(col(Total.deals)), func.sum(col(Total.amount))).group_by(*key)


async def fold(session: AsyncSession) -> None:
    """Make one row of all rows that are alike, and none of those that add up to nothing.

    Readers see the rows before or after, and the same sums; writers do not wait. Another
    process that folds at this moment is enough.
    """
    mine = await session.execute(_ALONE_OR_NOT, {"lock": _LOCK})
    if mine.scalar_one():
        await session.execute(_FOLD)


async def wrong(session: AsyncSession) -> int:
    """How many of the kept totals are not what the deals add up to: none, unless somebody changed tables."""
    return int((await session.execute(_WRONG)).scalar_one())


async def recount(session: AsyncSession) -> None:
    """Count all deals anew, while nobody writes one, or puts together what is about to be forgotten."""
    await session.execute(_ALONE, {"lock": _LOCK})
    for statement in (_STAND_STILL, _REPEAT, _FORGET, _COUNT_ALL):
        await session.execute(statement)
