"""What a hand-off asks of the world: the record, calendars, and what its renewal takes over."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from db import directory, partners, playbooks, policies
from db import handoff as handoffs
from db import opportunity as opportunities
from db.session import Database
from db.tables.base import utc_now
from domain.errors import InvalidInput, NotFound
from domain.handoff.clocks import ClockAnswer, ClockQuestion, reckon
from domain.handoff.draft import HandOffOutcome
from domain.handoff.renewal import opening
from domain.handoff.state import HandOffProcess
from domain.opportunity.state import Opportunity, Person
from domain.playbook import Playbook
from domain.principal import SYSTEM
from workflows.entity import refusal
from workflows.handoff_messages import PREPARE_RENEWAL, RECKON_HANDOFF, RECORD_HANDOFF
from workflows.messages import Opening


class HandOffActivities:
    """Records hand-offs, reckons with calendars, and prepares renewals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=RECORD_HANDOFF)
    async def record_handoff(self, outcome: HandOffOutcome) -> None:
        """Record a change; the same change again changes nothing.

        Raises:
            ApplicationError: it cannot be stored, however often one tries. What else goes wrong passes.
        """
        try:
            async with self._database.connection() as connection:
                new = await handoffs.record_new(connection, outcome)
            if not new:
                async with self._database.transaction() as session:
                    await handoffs.record(session, outcome)
        except InvalidInput as error:
            raise refusal(error) from error

    @activity.defn(name=RECKON_HANDOFF)
    async def reckon_handoff(self, question: ClockQuestion) -> ClockAnswer:
        """Until when, by the calendars of the vendor's people as they are now."""
        async with self._database.read() as session:
            vendor = await partners.vendor(session)
            ids = [vendor.id] if vendor is not None else []
            people = await directory.read(session, organisation_ids=ids, now=question.at)
        return reckon(question, people)

    @activity.defn(name=PREPARE_RENEWAL)
    async def prepare_renewal(self, process: HandOffProcess) -> Opening:
        """The command that opens the renewal, with the people, partners and playbook that there are now.

        Raises:
            RuntimeError: the deal is not recorded (yet): it is tried again.
        """
        async with self._database.read() as session:
            deal = await opportunities.as_recorded(session, process.facts.id)
            if deal is None:
                msg = "The deal that is to be renewed is not recorded."
                raise RuntimeError(msg)
            book = await _playbook(session, process, deal)
            active = await partners.active_ids(session, [partner.id for partner in deal.partners])
            owner = await _owner(session, deal)
            calendar = (
                await directory.working_calendar(session, owner.id, utc_now().date()) if owner else None
            )
            policy = await policies.newest(session, book.discount_policy)
        command = opening(process, deal, book, owner, active)
        kept = {"policy": policy, "calendar": calendar}
        return Opening(command=command.but(**kept), by=SYSTEM)


async def _playbook(session: AsyncSession, process: HandOffProcess, deal: Opportunity) -> Playbook:
    """The newest version of the renewal's playbook; of the deal's own, where there is no such playbook."""
    wanted = process.plan.renewal.playbook or deal.playbook.key
    try:
        return await playbooks.latest(session, wanted)
    except NotFound:
        return await playbooks.latest(session, deal.playbook.key)


async def _owner(session: AsyncSession, deal: Opportunity) -> Person | None:
    """The deal's owner, who may have left: then the renewal is the sales director's to give away."""
    if deal.owner is None:
        return None
    vendor = await partners.vendor(session)
    ids = [vendor.id] if vendor is not None else []
    known = (await directory.read(session, organisation_ids=ids)).person(deal.owner.id)
    return deal.owner if known is not None and known.active else None
