"""What a request asks of the world: the record, the directory, and the facts as they are by now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from db import approval as approvals
from db import directory, opportunity
from db.session import Database
from domain.approval.draft import ApprovalOutcome
from domain.approval.naming import named
from domain.approval.resolve import Judged, Resolution, Resolving, fired, resolve
from domain.approval.state import Facts
from domain.errors import InvalidInput, TandemError, Unavailable
from runtime import cel
from workflows.approval_messages import (
    JUDGE_ROUND,
    RECORD_APPROVAL,
    RESOLVE_STEPS,
    TELL_DEAL,
    ApprovalResult,
    Judging,
)
from workflows.approval_tell import Tell
from workflows.entity import refusal

FactsNow = Callable[[AsyncSession, Judging], Awaitable[tuple[Facts, dict[str, str]]]]
"""What a request of one kind is judged by now, for another percent than before, and what would be granted."""


class ApprovalActivities:
    """Records requests, finds out who may decide on them, and judges them anew."""

    def __init__(self, database: Database, facts_now: Mapping[str, FactsNow] | None = None) -> None:
        self._database = database
        self._facts_now = facts_now or {}

    @activity.defn(name=RECORD_APPROVAL)
    async def record_approval(self, outcome: ApprovalOutcome) -> None:
        """Record a change; the same change again changes nothing.

        Raises:
            ApplicationError: it cannot be stored, however often one tries. What else goes wrong passes.
        """
        try:
            async with self._database.connection() as connection:
                new = await approvals.record_new(connection, outcome)
            if not new:
                async with self._database.transaction() as session:
                    await approvals.record(session, outcome)
        except InvalidInput as error:
            raise refusal(error) from error

    @activity.defn(name=RESOLVE_STEPS)
    async def resolve_steps(self, wanted: Resolving) -> Resolution:
        """Who may decide on these steps, as the vendor's people, their absences and deals are now."""
        async with self._database.connection() as connection:
            owner = await opportunity.owner_of(connection, wanted.owned) if wanted.owned else None
            people = await directory.of_vendor(connection, named(wanted, cel.answer), wanted.at)
        return resolve(wanted.barring(owner), people, cel.answer)

    @activity.defn(name=JUDGE_ROUND)
    async def judge_round(self, judging: Judging) -> Judged:
        """The facts by now, and the steps that they need.

        Raises:
            ApplicationError: the facts cannot be told, as where an exchange rate is missing.
        """
        facts_now = self._facts_now.get(judging.approval.subject.kind)
        facts, terms = judging.approval.facts, judging.approval.terms
        if facts_now is not None:
            try:
                async with self._database.read() as session:
                    facts, terms = await facts_now(session, judging)
            except Unavailable:
                raise  # the database is away: it is tried again
            except TandemError as error:
                raise refusal(error) from error
        needed = fired(judging.approval.templates, facts, cel.answer)
        return Judged(facts=facts, fired=needed, terms=terms)


class DealActivities:
    """Tells deals of their requests."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    @activity.defn(name=TELL_DEAL)
    async def tell_deal(self, result: ApprovalResult) -> None:
        """Let the deal take the news; one that has ended hears nothing any more.

        Not a signal from process to process: that goes through two queues of the server and wakes the
        request in the same moment, when the deal wants to be recorded. An update goes straight there.
        """
        await self._tell(result)
