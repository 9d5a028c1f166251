"""Deals played at random: legal and illegal commands by anybody, while time passes.

`TANDEM_EXPLORE=3000` plays that many games, other ones on every run (with pytest --timeout=0).
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from domain.approval.state import ApprovalState
from domain.calendar import Calendar
from domain.errors import StaleVersion
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.clock import fall_due, next_due
from domain.opportunity.commands_lines import AddLine, ChangeLine, RemoveLine
from domain.opportunity.rules import decide, judged, open_deal, rule_to_judge
from domain.opportunity.stage_approvals import approval_ended as stage_ended
from domain.opportunity.state import CheckInFor, LoseReason, Status
from domain.playbook import HANDOFF, Playbook
from domain.principal import SYSTEM, Actor, Side
from runtime.ids import new_id
from tests import factories
from tests.bargains import POLICY
from tests.deal_game import pick
from tests.discount_game import DiscountGame
from tests.factories import ASTER, BOREALIS, CYGNUS, NOW, PARTNER_PEOPLE, REP, VENDOR_PEOPLE
from tests.strategies import playbooks

PARTNERS = (ASTER, BOREALIS, CYGNUS)
EVERYBODY = (*VENDOR_PEOPLE, *PARTNER_PEOPLE, SYSTEM)

anybody = st.sampled_from(EVERYBODY)
mostly_rep = st.sampled_from([REP] * 12 + list(EVERYBODY))
numbers = st.integers(0, 30)
hours = st.one_of(st.none(), st.integers(-5, 300))


class Deals(DiscountGame):
    """Everything people may do, and time."""

    # ------------------------------------------------------------------ beginning

    @initialize(
        book=playbooks(),
        partners=st.lists(st.sampled_from(PARTNERS), max_size=3, unique=True),
        closing=st.sampled_from([None] * 10 + [Status.WON, Status.LOST]),
        stage=st.one_of(st.none(), numbers),
    )
    def open(self, book: Playbook, partners: list[Any], closing: Status | None, stage: int | None) -> None:
        long_ago = NOW - timedelta(days=200)
        command = factories.opening(
            playbook=book,
            policy=POLICY.ref,
            partners=tuple(partners),
            stage=None if stage is None else pick(book.stages, stage).key,
            opened_at=long_ago if closing else None,
            closing=ask.Closing(status=closing, at=NOW - timedelta(days=100)) if closing else None,
        )
        self._take(None, open_deal(command, self.now, REP))

    # ------------------------------------------------------------------ what people do

    @rule(by=anybody, task=numbers)
    def complete(self, by: Actor, task: int) -> None:
        self._try(ask.CompleteTask(key=self._task_key(task)), by)

    @rule(task=numbers)
    def complete_as_one_should(self, task: int) -> None:
        if waiting := [task for task in self.deal.tasks.values() if task.is_open]:
            chosen = pick(waiting, task)
            by = next((who for who in PARTNER_PEOPLE if who.organisation_id == chosen.partner_id), REP)
            done = self._try(ask.CompleteTask(key=chosen.key), by)
            assert done or self.deal.hold or self.deal.is_closed, "an open task must have somebody to do it"

    @rule(by=anybody, task=numbers)
    def reopen_task(self, by: Actor, task: int) -> None:
        self._try(ask.ReopenTask(key=self._task_key(task)), by)

    @rule(by=anybody, task=numbers)
    def waive(self, by: Actor, task: int) -> None:
        self._try(ask.WaiveTask(key=self._task_key(task), reason="not this time"), by)

    @rule(by=anybody, task=numbers, to=st.one_of(st.none(), st.sampled_from(EVERYBODY[:-1])))
    def assign(self, by: Actor, task: int, to: Actor | None) -> None:
        command = ask.AssignTask(
            key=self._task_key(task),
            assignee=factories.assignee(to) if to else None,
        )
        self._try(command, by)

    @rule(
        by=anybody,
        whose=st.tuples(st.sampled_from(Side), st.sampled_from([None, *PARTNERS])),
        required=st.booleans(),
        due=hours,
        to=st.sampled_from([None, None, *EVERYBODY[:-1]]),
    )
    def add_task(self, by: Actor, whose: Any, required: bool, due: int | None, to: Actor | None) -> None:
        side, partner = whose
        command = ask.AddTask(
            title="Call the customer",
            side=side,
            partner_id=partner.id if partner else None,
            required=required,
            due_at=self._in(due),
            assignee=factories.assignee(to) if to else None,
        )
        self._try(command, by)

    @rule(by=mostly_rep, partner=st.sampled_from(PARTNERS))
    def add_partner(self, by: Actor, partner: Any) -> None:
        self._try(ask.AddPartner(partner=partner), by)

    @rule(by=mostly_rep, partner=st.sampled_from(PARTNERS))
    def remove_partner(self, by: Actor, partner: Any) -> None:
        self._try(ask.RemovePartner(partner_id=partner.id), by)

    @rule(by=anybody)
    def advance(self, by: Actor) -> None:
        self._try(ask.Advance(), by)

    @rule(steps=st.integers(1, 6))
    def do_what_is_waited_for(self, steps: int) -> None:
        """Go through the playbook as people would, so that games reach the hand-off too."""
        for _ in range(steps):
            for blocker in blockers(self.deal)[:1]:
                self._do(blocker)

    def _do(self, blocker: Blocker) -> None:
        theirs = [who for who in PARTNER_PEOPLE if self.deal.partner(who.organisation_id)]
        match blocker.code:
            case "task_open" | "partner_missing" if blocker.task:
                by = next((who for who in theirs if who.organisation_id == blocker.partner_id), REP)
                self._try(ask.CompleteTask(key=blocker.task), by)
            case "partner_missing":
                self._try(ask.AddPartner(partner=CYGNUS), REP)
            case "sign_off_missing":
                self._try(ask.Advance(), REP if blocker.turn is Side.VENDOR else theirs[-1])
            case "rule_not_met":
                self.rule_answers(met=True)
            case "ready_to_advance":
                self._try(ask.Advance(), REP)
            case "ready_to_win":
                self._try(ask.Win(), REP)
            case "discount_pending":
                self.an_approval_says(ApprovalState.APPROVED, 0, None)
            case "discount_outside_grant":
                self.ask_for_a_discount(REP, "20", None, None)
            case "approval_pending" | "approval_missing":
                self.ask_for_a_stage_again(REP, 0)
                self.a_stage_is_decided_on(-1, ApprovalState.APPROVED)
            case _:  # on hold, or to be accepted: others do that
                pass

    @rule(number=numbers, state=st.sampled_from(ApprovalState))
    def a_stage_is_decided_on(self, number: int, state: ApprovalState) -> None:
        if self.deal.stage_approvals:
            approval = pick(self.deal.stage_approvals, number)
            self._take(self.deal, stage_ended(self.deal, approval.id, state, "Because.", self.now))

    @rule(by=mostly_rep, number=numbers)
    def ask_for_a_stage_again(self, by: Actor, number: int) -> None:
        asked = pick([*(each.id for each in self.deal.stage_approvals), factories.an_id(4)], number)
        self._try(ask.AskStageApproval(approval_id=asked, id=new_id()), by)

    @rule(by=mostly_rep, stage=numbers)
    def move(self, by: Actor, stage: int) -> None:
        keys = [*(stage.key for stage in self.deal.playbook.stages), "nowhere", HANDOFF]
        self._try(ask.Move(stage=pick(keys, stage), reason="The customer asked for it."), by)

    @rule(by=mostly_rep, until=hours)
    def hold(self, by: Actor, until: int | None) -> None:
        self._try(ask.HoldDeal(reason="budget freeze", until=self._in(until)), by)

    @rule(by=mostly_rep)
    def resume(self, by: Actor) -> None:
        self._try(ask.Resume(), by)

    @rule(
        by=anybody,
        every=st.sampled_from([None, "4bh", "2bd", "1w"]),
        whose=st.sampled_from([None, *PARTNERS]),
    )
    def set_cadence(self, by: Actor, every: str | None, whose: Any) -> None:
        person = factories.person(factories.SELLER if whose else REP)
        who = CheckInFor(
            person=person,
            side=Side.PARTNER if whose else Side.VENDOR,
            partner_id=whose.id if whose else None,
        )
        self._try(ask.SetCadence(every=every, who=who if every else None), by)

    @rule(by=mostly_rep, zone=st.sampled_from(["Europe/Berlin", "America/New_York"]))
    def refresh_calendar(self, by: Actor, zone: str) -> None:
        self._try(ask.RefreshCalendar(calendar=Calendar(zone=zone)), by)

    @rule(by=mostly_rep, what=st.sampled_from(["title", "amount", "expected_close", "owner", "custom"]))
    def change(self, by: Actor, what: str) -> None:
        values = {
            "title": "ERP roll-out",
            "amount": None,
            "expected_close": date(2027, 3, 20),
            "owner": factories.person(factories.DIRECTOR),
            "custom": {"region": "EMEA"},
        }
        self._try(ask.Change.model_validate({what: values[what]}), by)

    @rule(
        by=anybody,
        quantity=st.integers(1, 1_000_000),
        price=st.sampled_from(["0", "0.01", "99.99", "6000", "999999999999.99"]),
        currency=st.sampled_from(["USD", "USD", "USD", "JPY"]),
        percent=st.sampled_from(["0", "7.77", "15", "15.01"]),
    )
    def add_line(self, by: Actor, quantity: int, price: str, currency: str, percent: str) -> None:
        product = factories.a_product(price, currency)
        command = AddLine(product=product, quantity=quantity, discount_percent=percent, standard_percent="15")
        self._try(command, by)

    @rule(
        by=anybody,
        line=numbers,
        changes=st.fixed_dictionaries(
            {},
            optional={
                "quantity": st.integers(1, 1_000_000),
                "discount_percent": st.sampled_from(["0", "3.33", "15", "100"]),
                "cost": st.sampled_from([None, Money(amount="1.50", currency="USD")]),
            },
        ),
    )
    def change_line(self, by: Actor, line: int, changes: dict[str, Any]) -> None:
        self._try(ChangeLine(key=self._line_key(line), standard_percent="10", **changes), by)

    @rule(by=anybody, line=numbers)
    def remove_line(self, by: Actor, line: int) -> None:
        self._try(RemoveLine(key=self._line_key(line)), by)

    def _line_key(self, number: int) -> str:
        return str(pick([*(line.key for line in self.deal.lines), "no-such-line"], number))

    @rule(by=anybody)
    def note(self, by: Actor) -> None:
        self._try(ask.AddNote(text="Good talk."), by)

    @rule(by=anybody, following=hours)
    def check_in(self, by: Actor, following: int | None) -> None:
        self._try(ask.LogCheckIn(note="All well.", next_step="Demo", next_at=self._in(following)), by)

    @rule(by=mostly_rep)
    def win(self, by: Actor) -> None:
        self._try(ask.Win(), by)

    @rule(by=mostly_rep, reason=st.sampled_from(LoseReason), lightly=st.booleans())
    def lose(self, by: Actor, reason: LoseReason, lightly: bool) -> None:
        if not lightly:  # or games would end too early
            self._try(ask.Lose(reason=reason), by)

    @rule(by=mostly_rep)
    def reopen(self, by: Actor) -> None:
        self._try(ask.Reopen(reason="They called again"), by)

    @rule(by=st.one_of(st.just(factories.SUCCESS), anybody), accept=st.booleans())
    def answer_handoff(self, by: Actor, accept: bool) -> None:
        self._try(ask.AcceptHandOff() if accept else ask.ReturnHandOff(comment="No contacts."), by)

    @rule()
    def speak_of_an_older_version(self) -> None:
        request = ask.Request(command=ask.AddNote(text="late"), by=REP, if_version=self.deal.version - 1)
        with pytest.raises(StaleVersion):
            decide(self.deal, request, self.now)

    # ------------------------------------------------------------------ what happens by itself

    @rule(passed=st.integers(0, 400))
    def time_passes(self, passed: int) -> None:
        self.now += timedelta(hours=passed)
        for _ in range(3):
            outcome = fall_due(self.deal, self.now)
            if not outcome.entries:
                break
            self._take(self.deal, outcome)
        assert not fall_due(self.deal, self.now).entries, "what fell due is said once"
        coming = next_due(self.deal)
        assert coming is None or coming > self.now

    @rule(met=st.booleans())
    def rule_answers(self, met: bool) -> None:
        before = self.deal.stage.key
        outcome = judged(self.deal, met=met, now=self.now)
        assert not outcome.entries or rule_to_judge(self.deal)
        self._take(self.deal, outcome)
        if self.deal.stage.key == before:
            assert not judged(self.deal, met=met, now=self.now).entries, "the same answer is no news"


EXPLORE = int(os.environ.get("TANDEM_EXPLORE", "0"))
Deals.TestCase.settings = settings(
    max_examples=EXPLORE or 60,
    stateful_step_count=30,
    deadline=None,
    derandomize=not EXPLORE,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=tuple(Phase) if EXPLORE else (Phase.generate,),  # in CI fail at once, without minutes of shrinking
)
test_deals_played_at_random = Deals.TestCase
