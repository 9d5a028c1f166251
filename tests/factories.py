"""Small makers for tests: a playbook with every kind of exit, people of both sides, deals at any stage.

deal = a_deal(at="joint-demo")        # worked up to there as people would
deal.ask(ask.Advance(), by=SELLER)    # one command; the clock is `deal.now`
deal.later(days=3)                    # time passes; what falls due is said
deal.blocked_by                       # ["sign_off_missing"]
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers, exit_of, open_tasks
from domain.opportunity.clock import fall_due
from domain.opportunity.commands_lines import LineProduct
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.rules import decide, judged, open_deal, rule_to_judge
from domain.opportunity.state import Customer, DealPartner, Opportunity, Person, Status, Task
from domain.opportunity.triggers import answered, fired, to_fire
from domain.playbook import ExitBy, PartnerRole, Playbook
from domain.principal import Actor, Principal, Role, Side
from runtime.cel import evaluate
from runtime.ids import new_id

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""A Monday morning: when every deal of these tests is opened."""

CLOSE = date(2055, 9, 30)
"""Far away, also for tests on the real clock: none of its deadlines falls within them."""


def an_id(number: int) -> UUID:
    """The same id for the same number, in the shape of a UUIDv7."""
    return UUID(f"01980000-0000-7000-8000-{number:012d}")


VENDOR_ID = an_id(1)
ASTER = DealPartner(id=an_id(10), name="Aster Integrators", role=PartnerRole.RESELLER)
BOREALIS = DealPartner(id=an_id(20), name="Borealis Systems", role=PartnerRole.TECHNOLOGY)
CYGNUS = DealPartner(id=an_id(30), name="Cygnus Trade", role=PartnerRole.RESELLER)


def somebody(number: int, name: str, role: Role, partner: DealPartner | None = None) -> Actor:
    """A person of the vendor, or of the partner, with one role."""
    return Actor(
        id=an_id(number),
        name=name,
        side=Side.PARTNER if partner else Side.VENDOR,
        organisation_id=partner.id if partner else VENDOR_ID,
        organisation=partner.name if partner else "Vendor Inc.",
        roles=(role,),
    )


REP = somebody(101, "Rosa Rep", Role.SALES_REP)
DESK = somebody(102, "Dora Desk", Role.DEAL_DESK)
FINANCE = somebody(103, "Finn Finance", Role.FINANCE)
DIRECTOR = somebody(104, "Dirk Director", Role.SALES_DIRECTOR)
SUCCESS = somebody(105, "Susi Success", Role.CUSTOMER_SUCCESS)
ADMIN = somebody(106, "Adam Admin", Role.ADMIN)
SELLER = somebody(111, "Astrid Seller", Role.PARTNER_SELLER, ASTER)
LEAD = somebody(112, "Anton Lead", Role.PARTNER_ADMIN, ASTER)
BOREALIS_SELLER = somebody(121, "Boris Seller", Role.PARTNER_SELLER, BOREALIS)
CYGNUS_SELLER = somebody(131, "Cynthia Seller", Role.PARTNER_SELLER, CYGNUS)

VENDOR_PEOPLE = (REP, DESK, FINANCE, DIRECTOR, SUCCESS, ADMIN)
PARTNER_PEOPLE = (SELLER, LEAD, BOREALIS_SELLER, CYGNUS_SELLER)


def person(actor: Actor) -> Person:
    """The actor, as an owner or an assignee."""
    assert actor.id is not None
    return Person(id=actor.id, name=actor.name)


def assignee(actor: Actor) -> ask.Assignee:
    """The actor, as a command gives a task to."""
    partner_id = actor.organisation_id if actor.side is Side.PARTNER else None
    assert actor.side is not None
    return ask.Assignee(**person(actor).model_dump(), side=actor.side, partner_id=partner_id)


def principal(actor: Actor) -> Principal:
    """The actor, as the one who asks at the API."""
    assert actor.id is not None
    assert actor.side is not None
    assert actor.organisation_id is not None
    return Principal(
        id=actor.id,
        name=actor.name,
        email=f"{actor.name.split()[0].lower()}@example.com",
        side=actor.side,
        organisation_id=actor.organisation_id,
        organisation=actor.organisation or "",
        roles=frozenset(actor.roles),
    )


def crowd(size: int) -> tuple[DealPartner, ...]:
    """So many partners, all different."""
    role = PartnerRole.REFERRAL
    return tuple(DealPartner(id=an_id(500 + n), name=f"Partner {n}", role=role) for n in range(size))


def a_task(key: str, side: str = "vendor", **more: Any) -> dict[str, Any]:
    """A task of a playbook, as YAML would say it."""
    return {"key": key, "title": key.replace("-", " ").capitalize(), "side": side, **more}


def a_playbook(**changes: Any) -> Playbook:
    """Five stages, every kind of exit: by tasks (a person, and by itself), sign-off, rule."""
    book: dict[str, Any] = {
        "key": "joint-software",
        "version": 1,
        "title": "IT software",
        "stages": [
            {
                "key": "qualify",
                "title": "Joint qualification",
                "phase": "prospect",
                "probability": 10,
                "target": "2w",
                "check_in": "1w",
                "tasks": [
                    a_task("confirm-budget", due="3d"),
                    a_task("share-profile", "partner", partner_role="reseller", due="5d"),
                    a_task("draw-org-chart", required=False),
                ],
            },
            {
                "key": "prepare",
                "title": "Preparation",
                "phase": "qualified",
                "probability": 25,
                "exit": {"by": "tasks", "advance": "automatic"},
                "tasks": [a_task("write-agenda"), a_task("invite-customer", "partner", due="2d")],
            },
            {
                "key": "joint-demo",
                "title": "Joint demonstration",
                "phase": "technical_validation",
                "probability": 40,
                "target": "1w",
                "exit": {"by": "sign_off"},
                "tasks": [a_task("run-demo", due="4d")],
            },
            {
                "key": "proposal",
                "title": "Joint proposal",
                "phase": "business_validation",
                "probability": 60,
                "exit": {"by": "rule", "rule": "deal.amount > 0.0", "advance": "automatic"},
                "tasks": [a_task("send-proposal", required=False)],
            },
            {
                "key": "commit",
                "title": "Commit",
                "phase": "committed",
                "probability": 90,
                "tasks": [a_task("sign-contract", waive_by=["sales_director"])],
            },
        ],
        "handoff": {
            "target": "2w",
            "tasks": [
                a_task("plan-onboarding", due="1w"),
                a_task("share-contacts", "partner", required=False),
            ],
        },
    }
    return Playbook.model_validate({**book, **changes})


COSTS = re.compile(r"4,?321\.0")
"""What products cost in tests, as data and as words say it: no id and no instant holds that by chance."""


def a_product(price: str = "6000.00", currency: str = "USD", *, cost: str | None = "4321.09") -> LineProduct:
    """A product as the catalogue has it; its cost is digits that stand for nothing else."""
    return LineProduct(
        id=an_id(7000),
        sku="ERP-1",
        name="ERP suite",
        product_line="ERP",
        list_price=Money(amount=price, currency=currency),
        cost=Money(amount=cost, currency=currency) if cost else None,
    )


def a_stage(key: str, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A stage of a playbook that a test writes for itself."""
    more.setdefault("title", key.capitalize())
    return {"key": key, "phase": "prospect", "probability": 10, "tasks": list(tasks), **more}


def opening(**changes: Any) -> ask.Open:
    """The command that opens the deal “ERP rollout” for Acme, with Aster as reseller."""
    wanted: dict[str, Any] = {
        "id": an_id(1000),
        "title": "ERP rollout",
        "customer": Customer(name="Acme", domain="acme.example", country="US", industry="manufacturing"),
        "amount": Money(amount="250000.00", currency="USD"),
        "expected_close": CLOSE,
        "owner": person(REP),
        "playbook": a_playbook(),
        "partners": (ASTER,),
    }
    return ask.Open.model_validate({**wanted, **changes})


def fire(outcome: Outcome, now: datetime) -> Outcome:
    """Let the triggers fire that are about to, as the deal's process would."""
    while question := to_fire(outcome.opportunity):
        answers = answered(question, evaluate, new_id)
        more = fired(outcome.opportunity, answers, now)
        outcome = Outcome(opportunity=more.opportunity, entries=outcome.entries + more.entries)
    return outcome


class Working:
    """A deal while people work on it: each command changes it, or raises and changes nothing."""

    def __init__(self, outcome: Outcome, now: datetime = NOW) -> None:
        outcome = fire(outcome, now)
        self.deal: Opportunity = outcome.opportunity
        self.entries: list[TimelineEntry] = list(outcome.entries)
        self.now = now

    def ask(self, command: ask.Command, by: Actor = REP, *, if_version: int | None = None) -> Working:
        request = ask.Request(command=command, by=by, if_version=if_version)
        return self._take(decide(self.deal, request, self.now))

    def later(self, **duration: float) -> Working:
        """Time passes (`days=3`), and what falls due meanwhile is said."""
        self.now += timedelta(**duration)
        return self._take(fall_due(self.deal, self.now))

    def judge(self, *, met: bool) -> Working:
        """The stage's rule answers."""
        return self._take(judged(self.deal, met=met, now=self.now))

    def complete(self, *keys: str) -> Working:
        """Whoever may do it completes the task."""
        for key in keys:
            task = self.task(key)
            note = "It is as they said." if task.answer else None
            self.ask(ask.CompleteTask(key=key, note=note), by=self.worker(task))
        return self

    def worker(self, task: Task) -> Actor:
        """Somebody of the side whose task it is."""
        return next((who for who in PARTNER_PEOPLE if who.organisation_id == task.partner_id), REP)

    def _take(self, outcome: Outcome) -> Working:
        outcome = fire(outcome, self.now)
        self.deal = outcome.opportunity
        self.entries.extend(outcome.entries)
        return self

    def task(self, key: str) -> Task:
        return self.deal.tasks[key]

    @property
    def open_keys(self) -> list[str]:
        return [task.key for task in self.deal.tasks.values() if task.is_open]

    @property
    def blocked_by(self) -> list[str]:
        return [blocker.code for blocker in blockers(self.deal)]

    @property
    def why(self) -> list[str]:
        """The blockers' sentences, as a page shows them."""
        return [blocker.what for blocker in blockers(self.deal)]

    @property
    def last(self) -> str:
        """The newest sentence of the timeline."""
        return self.entries[-1].words

    @property
    def types(self) -> list[str]:
        """What happened, as the events' types."""
        return [entry.event.type for entry in self.entries]


def _finish_stage(deal: Working) -> None:
    """Do what the playbook asks for, until the deal stands in another stage or its gate is open."""
    here = deal.deal.stage.key
    for blocker in open_tasks(deal.deal):
        assert blocker.task is not None
        deal.complete(blocker.task)
    gate = exit_of(deal.deal)
    if deal.deal.stage.key == here and gate.by is ExitBy.SIGN_OFF:
        partner = next(who for who in PARTNER_PEOPLE if deal.deal.partner(who.organisation_id))
        deal.ask(ask.Advance(), by=REP).ask(ask.Advance(), by=partner)
    if deal.deal.stage.key == here and rule_to_judge(deal.deal):
        deal.judge(met=True)
    if deal.deal.stage.key == here and deal.deal.playbook.next_stage(here):
        deal.ask(ask.Advance(), by=REP)


def a_deal(*, at: str | None = None, **changes: Any) -> Working:
    """An open deal (see `opening`), worked as the playbook says until it stands in the stage `at`."""
    deal = Working(open_deal(opening(**changes), NOW, REP))
    while at is not None and deal.deal.stage.key != at:
        _finish_stage(deal)
    return deal


def a_won_deal(**changes: Any) -> Working:
    """A deal in its hand-off, nothing of it done yet."""
    deal = a_deal(**changes)
    while deal.deal.playbook.next_stage(deal.deal.stage.key):
        _finish_stage(deal)
    _finish_stage(deal)
    return deal.ask(ask.Win(), by=REP)


def a_lost_deal(**changes: Any) -> Working:
    """A deal that was lost on price."""
    deal = a_deal(**changes).ask(ask.Lose(reason="price"), by=REP)
    assert deal.deal.status is Status.LOST
    return deal
