"""A won deal and its hand-off, played without a server: each move of the deal is news to the hand-off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from db import playbooks
from db.session import Database
from domain.approval.directory import Directory, PersonEntry
from domain.handoff import commands as ask
from domain.handoff.agenda import fall_due, next_due, renewal_is_due
from domain.handoff.clocks import reckon
from domain.handoff.draft import HandOffEntry, HandOffOutcome
from domain.handoff.news import HandOffNews, news
from domain.handoff.notices import messages
from domain.handoff.renewal import renewal_id, renewal_title
from domain.handoff.rules import begin, decide, hear, reckoned, renewal_opened, to_reckon
from domain.handoff.state import HandOffProcess, Health
from domain.notice import Message
from domain.opportunity import commands as ask_deal
from domain.opportunity.draft import Outcome
from domain.opportunity.rules import decide as decide_deal
from domain.opportunity.state import Opportunity
from domain.playbook import Playbook, PlaybookDefinition
from domain.principal import Actor, Role
from tests.approvals import actor, person
from tests.factories import REP, a_playbook, a_stage, a_task, a_won_deal

FRIDAY = datetime(2027, 3, 5, 15, 0, tzinfo=UTC)
"""A Friday afternoon, two hours before the office closes."""

DIANA = person(6, "Diana Director", Role.SALES_DIRECTOR)
SUSI = person(11, "Susi Success", Role.CUSTOMER_SUCCESS, manager_id=DIANA.id)
CARL = person(12, "Carl Care", Role.CUSTOMER_SUCCESS, manager_id=DIANA.id)
RITA = person(1, "Rita Rep", Role.SALES_REP)
OFFICE = Directory(people=(DIANA, SUSI, CARL, RITA))

FOLLOW_UPS = [
    {"after": "30d", "title": "Is everybody trained?"},
    {"after": "60d", "title": "Is it used as planned?"},
    {"after": "90d", "title": "What did it bring?"},
]


def a_handoff_playbook(**changes: Any) -> Playbook:
    """The factories' playbook, with follow-ups, and what a test changes of the hand-off."""
    book = a_playbook()
    handoff = book.handoff.model_dump() | {"follow_ups": FOLLOW_UPS} | changes
    return Playbook.model_validate({**book.model_dump(), "handoff": handoff})


def candidate(entry: PersonEntry) -> ask.Candidate:
    return ask.Candidate(id=entry.id, name=entry.name, roles=entry.roles)


class HandOffGame:
    """A deal that is won at `now`, and its hand-off; commands change them, or raise and change nothing."""

    def __init__(self, now: datetime = FRIDAY, directory: Directory = OFFICE, **changes: Any) -> None:
        contract_ends = changes.pop("contract_ends", None)
        changes.setdefault("playbook", a_handoff_playbook())
        won = a_won_deal(**changes)
        self.now = now
        self.directory = directory
        self.entries: list[HandOffEntry] = []
        self.told: list[Message] = []
        self.known: HandOffProcess | None = None
        self.deal: Opportunity = won.deal.model_copy(
            update={"contract_ends": contract_ends, "updated_at": now}
        )
        first = news(None, Outcome(opportunity=self.deal, entries=tuple(won.entries)))
        assert first is not None
        self._keep(begin(first, now), heard=first)

    @property
    def process(self) -> HandOffProcess:
        assert self.known is not None
        return self.known

    def ask_deal(self, command: ask_deal.Command, by: Actor = REP) -> HandOffGame:
        """A command to the deal; the hand-off hears of it."""
        before = self.deal
        outcome = decide_deal(before, ask_deal.Request(command=command, by=by), self.now)
        self.deal = outcome.opportunity
        if (heard := news(before, outcome)) is not None:
            self._keep(hear(self.process, heard, self.now), heard=heard)
        return self

    def complete(self) -> HandOffGame:
        """The sellers do what is required."""
        for task in list(self.deal.tasks.values()):
            if task.stage == "handoff" and task.required and task.is_open:
                self.ask_deal(ask_deal.CompleteTask(key=task.key, note="Done."))
        return self

    def accept(self, by: PersonEntry = SUSI) -> HandOffGame:
        return self.ask_deal(ask_deal.AcceptHandOff(comment="Welcome."), by=actor(by))

    def return_(self, by: PersonEntry = SUSI, comment: str = "Who is the admin?") -> HandOffGame:
        return self.ask_deal(ask_deal.ReturnHandOff(comment=comment), by=actor(by))

    def ask(self, command: ask.Command, by: PersonEntry = SUSI, if_version: int | None = None) -> HandOffGame:
        request = ask.Request(command=command, by=actor(by), if_version=if_version)
        outcome = decide(self.process, request, self.now)
        self._keep(outcome, again=isinstance(command, ask.Assign))
        return self

    def people_change(self, directory: Directory) -> HandOffGame:
        self.directory = directory
        self._keep(HandOffOutcome(process=self.process), again=True)
        return self

    def pass_time(self, until: datetime | timedelta) -> HandOffGame:
        """Let every clock ring up to then, in order; a renewal that is due opens."""
        end = self.now + until if isinstance(until, timedelta) else until
        while (due := next_due(self.process)) is not None and due <= end:
            self.now = max(self.now, due)
            self._keep(fall_due(self.process, self.now))
            if renewal_is_due(self.process, self.now):
                self.renew()
        self.now = max(self.now, end)
        return self

    def renew(self) -> HandOffGame:
        process = self.process
        assert process.contract_ends is not None
        title = renewal_title(self.deal.title, process.contract_ends)
        self._keep(renewal_opened(process, renewal_id(process), title, self.now))
        return self

    def _keep(
        self, outcome: HandOffOutcome, *, again: bool = False, heard: HandOffNews | None = None
    ) -> None:
        if (question := to_reckon(outcome.process, self.now, again=again)) is not None:
            answer = reckon(question, self.directory)
            outcome = outcome.then(reckoned(outcome.process, answer, self.now))
        self.known = outcome.process
        self.entries.extend(outcome.entries)
        self.told.extend(messages(outcome, heard))

    @property
    def last(self) -> str:
        return self.entries[-1].words

    @property
    def types(self) -> list[str]:
        return [entry.event.type for entry in self.entries]


def an_accepted_handoff(**changes: Any) -> HandOffGame:
    """A hand-off that Susi has accepted on Friday afternoon."""
    return HandOffGame(**changes).complete().accept()


async def publish_a_short_sale(database: Database) -> str:
    """A playbook of one stage, whose hand-off asks the vendor for an answer; its key."""
    definition = PlaybookDefinition.model_validate(
        {
            "key": "short-sale",
            "title": "Short",
            "stages": [a_stage("only", a_task("call"), phase="committed")],
            "handoff": {
                "tasks": [
                    a_task("promises", title="What was promised?", answer=True),
                    a_task("risks", side="partner", required=False),
                ],
                "follow_ups": [
                    {"after": "30d", "title": "Is everybody trained?"},
                    {"after": "60d", "title": "Is it used?"},
                ],
            },
        }
    )
    async with database.transaction() as session:
        await playbooks.publish(session, definition, by=None, now=datetime.now(UTC))
    return definition.key


def at(day: int, hour: int, month: int = 3) -> datetime:
    """An instant in 2027, in UTC: in March, unless said otherwise."""
    return datetime(2027, month, day, hour, tzinfo=UTC)


def log(key: str | None = None, health: Health = Health.GOOD, **more: str) -> ask.LogFollowUp:
    """A follow-up went well; without a key one that nobody had planned."""
    return ask.LogFollowUp(key=key, health=health, note="All well.", **more)
