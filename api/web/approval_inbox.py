"""The lists of requests: what waits for me, what is open, what has been decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.web.approval_view import TONES, Numbers, numbers
from api.web.filters import due, plural
from db import approval as approvals
from db import approval_history, policies
from db.approval import Listed
from db.approval_history import Digest
from db.pages import PageRequest
from db.session import Database
from domain.approval.policy import PolicyRef
from domain.approval.state import ApprovalState
from domain.errors import Forbidden, NotFound
from domain.principal import Principal

PER_PAGE = 50
_SCOPES = {
    "open": (ApprovalState.PENDING, ApprovalState.RETURNED, ApprovalState.COUNTERED),
    "ended": (
        ApprovalState.APPROVED,
        ApprovalState.REJECTED,
        ApprovalState.RECALLED,
        ApprovalState.EXPIRED,
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list. `may_join` says whether it may be approved with others in one go."""

    listed: Listed
    digest: Digest | None
    numbers: Numbers | None
    may_join: bool

    @property
    def tone(self) -> str:
        return TONES[self.listed.state][0]

    @property
    def icon(self) -> str:
        return TONES[self.listed.state][1]

    @property
    def mine(self) -> bool:
        """It waits for the reader to decide; not for an amendment of what she asked herself."""
        return self.listed.seat_step is not None and self.listed.state is ApprovalState.PENDING


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of a list."""

    rows: list[Row]
    next_cursor: str | None


async def read(database: Database, principal: Principal, scope: str, cursor: str | None) -> Rows:
    """One page of a list of requests."""
    wanted = PageRequest(PER_PAGE, cursor)
    async with database.read() as session:
        if scope == "mine":
            found = await approvals.inbox(session, principal, wanted)
        else:
            found = await approvals.page(session, principal, wanted, states=_SCOPES[scope])
        listed = _once(found.items)
        known = await approval_history.digests(session, principal, [each.id for each in listed])
        several = {ref: await _several(session, ref) for ref in {each.policy for each in known.values()}}
    rows = []
    for each in listed:
        digest = known.get(each.id)
        decides = each.seat_step is not None and each.state is ApprovalState.PENDING
        rows.append(
            Row(
                each,
                digest,
                numbers(digest.facts, each.percent) if digest else None,
                may_join=decides and several.get(digest.policy if digest else None, False),
            )
        )
    return Rows(rows, found.next_cursor)


def _once(items: list[Listed]) -> list[Listed]:
    """Each request once, where somebody sits on two of its steps: at the one that is due first."""
    first: dict[UUID, Listed] = {}
    for each in items:
        first.setdefault(each.id, each)
    return list(first.values())


async def _several(session: AsyncSession, ref: PolicyRef | None) -> bool:
    """Whether the policy lets an approver decide on several requests at once."""
    if ref is None:
        return False
    try:
        return (await policies.pinned(session, ref)).several_at_once
    except NotFound:
        return False


async def demand_several(database: Database, principal: Principal, approval_id: UUID) -> None:
    """Raise `Forbidden` where the request's policy wants each one looked at by itself."""
    async with database.read() as session:
        approval = await approvals.get(session, principal, approval_id)
        if not await _several(session, approval.policy):
            raise Forbidden(f"{approval.title} is decided on by itself: open it.")


def summary(rows: list[Row], scope: str, now: datetime) -> str:
    """How it stands, in a sentence."""
    if scope != "mine":
        return "Everybody's requests that you may see, the latest change first."
    deciding = sum(row.mine for row in rows)
    others = len(rows) - deciding
    words = []
    if deciding:
        words.append(f"{plural(deciding, 'request waits', 'requests wait')} for your decision")
    if others:
        words.append(f"{plural(others, 'request')} of yours came back")
    if not words:
        return "Nothing waits for you."
    first = min((row.listed.due_at for row in rows if row.listed.due_at is not None), default=None)
    return "; ".join(words) + (f". The first is {due(first, now)}." if first else ".")
