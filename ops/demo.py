"""`tandem demo`: people, playbooks and deals to look at, worked through the real processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from rich.progress import Progress

from api import line_intake
from api.commands import Commands
from api.handoff_commands import HandOffCommands
from api.idempotency import Minted
from api.services import Services, TemporalGate
from api.v1.lines import LineInput
from db import accounts, partners, people, playbooks, policies
from db.opportunity import recorded_version
from db.session import Database
from db.tables import Account, Organisation, OrganisationKind, User
from db.watch import TimelineWatch
from domain.crm_import.ids import imported_id
from domain.handoff import commands as ask_handoff
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.blockers import exit_of
from domain.opportunity.state import Customer, DealPartner, External, Opportunity, Person, Status, Task
from domain.playbook import HANDOFF, ExitBy
from domain.principal import Principal
from ops import demo_story as story
from ops.demo_catalogue import stock
from ops.demo_discounts import bargain
from ops.playbooks import publish_files, shipped_playbooks
from ops.policies import publish_shipped
from runtime import instance
from runtime.errors import CannotStart
from runtime.links import Links
from runtime.passwords import hash_password
from runtime.settings import Settings

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""Of this instant the ids of demo things are made, so that a second run finds the first one's."""


async def demo(settings: Settings, progress: Progress) -> int:
    """Make the demo data; what is there already stays as it is. Answers how many deals are new.

    Raises:
        CannotStart: no database is known.
        Unavailable: the database or Temporal does not answer.
    """
    if settings.database_url is None:
        raise CannotStart("No database is known: start everything with `tandem up`.")
    database = Database(settings.database_url)
    services = Services(
        settings, database, TemporalGate(settings), TimelineWatch(settings.database_url), Links(settings)
    )
    try:
        cast = await _people(database, instance.demo_password(settings))
        await publish_files(database, shipped_playbooks())
        await publish_shipped(database)
        await stock(database)
        new = 0
        for deal in progress.track(story.DEALS, description="Demo deals"):
            new += await _Rehearsal(services, cast, deal).play()
        return new
    finally:
        await database.close()


def _id(kind: str, key: str) -> UUID:
    return imported_id(BEGINNING, "demo", kind, key)


async def _people(database: Database, password: str) -> dict[str, Principal]:
    """The vendor, two partners and their people, by address."""
    hashed, now = await hash_password(password), datetime.now(UTC)
    async with database.transaction() as session:
        organisations = {}
        for name, domain, country, *tier in (story.VENDOR, *story.PARTNERS):
            kind = OrganisationKind.PARTNER if tier else OrganisationKind.VENDOR
            there = await partners.vendor(session) if kind is OrganisationKind.VENDOR else None
            organisations[domain] = there or await partners.add(
                session,
                Organisation(
                    id=_id("organisation", domain),
                    kind=kind,
                    name=name,
                    domain=domain,
                    country=country,
                    tier=tier[0] if tier else None,
                ),
            )
        cast: dict[str, Principal] = {}
        for email, name, roles in sorted(story.PEOPLE, key=lambda each: each[0] in story.MANAGERS):
            known = await people.principal_by_email(session, email)
            if known is None:
                organisation = organisations[email.partition("@")[2]]
                manager = cast.get(story.MANAGERS.get(email, ""))
                user = User(
                    id=_id("user", email),
                    organisation_id=organisation.id,
                    email=email,
                    name=name,
                    roles=list(roles),
                    manager_id=manager.id if manager else None,
                )
                await people.add(session, user)
                await people.set_password(session, user.id, hashed, now)
                known = await people.principal_by_email(session, email)
            if known is not None:
                cast[email] = known
    return cast


class _Rehearsal:
    """Plays one deal up to where the story wants it: each task is done by the side whose it is."""

    def __init__(self, services: Services, cast: dict[str, Principal], deal: story.Deal) -> None:
        self.services = services
        self.cast = cast
        self.story = deal
        self.id = _id("opportunity", deal.title)
        self.steps = 0

    async def play(self) -> bool:
        """Whether the deal is new."""
        async with self.services.database.read() as session:
            if await recorded_version(session, self.id) is not None:
                return False
        owner = self.cast[self.story.owner]
        deal = await self._fill(await self._as(owner).open(await self._opening()))
        while deal.stage.key != self.story.reach and deal.status is Status.OPEN:
            deal = await self._finish_stage(deal)
        for task in list(self._required(deal))[: self.story.started]:
            deal = await self._complete(deal, task)
        await self._end(deal)
        return True

    def _as(self, principal: Principal) -> Commands:
        self.steps += 1
        return Commands(self.services, principal, Minted(self.id, f"demo:{self.id}:{self.steps}"))

    async def _opening(self) -> ask.Open:
        told = self.story
        async with self.services.database.transaction() as session:
            book = await playbooks.latest(session, told.playbook)
            policy = await policies.newest(session, book.discount_policy)
            customer = Customer(
                name=told.customer, domain=told.domain, country=told.country, industry=told.industry
            )
            account_id = await accounts.match(
                session, self.cast[told.owner], name=told.customer, domain=told.domain
            )
            if account_id is None:
                account_id = _id("account", told.domain)
                await accounts.add(session, Account(id=account_id, **customer.model_dump()))
        owner = self.cast[told.owner]
        organisations = {person.organisation: person.organisation_id for person in self.cast.values()}
        return ask.Open(
            id=self.id,
            title=told.title,
            customer=customer,
            account_id=account_id,
            amount=Money(amount=told.amount, currency=told.currency),
            expected_close=datetime.now(UTC).date() + timedelta(days=told.close_in_days),
            owner=Person(id=owner.id, name=owner.name),
            playbook=book,
            policy=policy,
            partners=tuple(
                DealPartner(id=organisations[name], name=name, role=role) for name, role in told.partners
            ),
            external=External(source="demo", id=told.title),
        )

    async def _fill(self, deal: Opportunity) -> Opportunity:
        """Put what is sold into the deal, at no more off than may be given without asking."""
        owner, database = self.cast[self.story.owner], self.services.database
        for sku, quantity, percent in self.story.lines:
            line = await line_intake.adding(database, owner, deal, LineInput(sku=sku, quantity=quantity))
            given = {"discount_percent": min(Decimal(percent), line.standard_percent)}
            deal = await self._as(owner).change(deal.id, line.but(**given))
        return deal

    async def _finish_stage(self, deal: Opportunity) -> Opportunity:
        before = deal.stage
        for task in list(self._required(deal)):
            deal = await self._complete(deal, task)
        if deal.stage != before and deal.stage.key != before.key:
            return deal  # it moved on by itself
        owner = self.cast[self.story.owner]
        if exit_of(deal).by is ExitBy.SIGN_OFF:
            deal = await self._as(self._partner_person(deal)).change(deal.id, ask.Advance())
            deal = await self._as(owner).change(deal.id, ask.Advance())
        elif deal.playbook.next_stage(deal.stage.key) is not None:
            deal = await self._as(owner).change(deal.id, ask.Advance())
        if deal.stage.key == before.key:
            deal = await self._as(owner).change(
                deal.id, ask.Win(note="Signed.", contract_ends=story.contract_ends())
            )
        return deal

    def _required(self, deal: Opportunity) -> Iterator[Task]:
        return (task for task in deal.stage_tasks() if task.required and task.is_open)

    async def _complete(self, deal: Opportunity, task: Task) -> Opportunity:
        who = self.cast[self.story.owner]
        if task.partner_id is not None:
            who = self._person_of(task.partner_id)
        command = ask.CompleteTask(key=task.key, note=story.answer(task.template))
        return await self._as(who).change(deal.id, command)

    def _person_of(self, organisation_id: UUID) -> Principal:
        return next(who for who in self.cast.values() if who.organisation_id == organisation_id)

    def _partner_person(self, deal: Opportunity) -> Principal:
        return self._person_of(deal.partners[0].id)

    async def _end(self, deal: Opportunity) -> None:
        told, owner = self.story, self.cast[self.story.owner]
        if told.note:
            await self._as(owner).change(deal.id, ask.AddNote(text=told.note))
        if told.next_step:
            who = self._partner_person(deal)
            command = ask.LogCheckIn(note="Short call; all on track.", next_step=told.next_step)
            await self._as(who).change(deal.id, command)
        await bargain(self.services, self.cast, deal, _id("discount", told.title))
        if told.hold:
            await self._as(owner).change(deal.id, ask.HoldDeal(reason=told.hold))
        if told.lost:
            reason, note = told.lost
            await self._as(owner).change(deal.id, ask.Lose(reason=reason, note=note))
        if told.accepted and deal.stage.key == HANDOFF:
            for task in list(self._required(deal)):
                deal = await self._complete(deal, task)
            success = self.cast["success@vendor.example"]
            await self._as(success).change(deal.id, ask.AcceptHandOff(comment="Welcome."))
            await self._follow_up(success)

    async def _follow_up(self, success: Principal) -> None:
        """Customer success has talked to the customer already."""
        health, note, next_step = story.FOLLOW_UP
        command = ask_handoff.LogFollowUp(health=health, note=note, next_step=next_step)
        handoffs = HandOffCommands(self.services, success, f"demo:{self.id}:follow-up")
        await handoffs.change(self.id, command)
