"""Deals played at random: legal and illegal commands by anybody, while time passes.

`TANDEM_EXPLORE=3000` plays that many games, other ones on every run (with pytest --timeout=0).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleVersion, TandemError
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.agenda import agenda, fall_due, next_due
from domain.opportunity.blockers import Blocker, blockers, gate_blockers, moves_by_itself, open_tasks, turn
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.facts import facts
from domain.opportunity.rules import decide, judged, open_deal, rule_to_judge
from domain.opportunity.state import HandOffState, LoseReason, Opportunity, Status, TaskState
from domain.opportunity.work import work_items
from domain.playbook import HANDOFF, ExitBy, Playbook, Stage
from domain.principal import SYSTEM, Actor, Role, Side
from tests import factories
from tests.factories import ASTER, BOREALIS, CYGNUS, NOW, PARTNER_PEOPLE, REP, VENDOR_PEOPLE
from tests.strategies import playbooks

PARTNERS = (ASTER, BOREALIS, CYGNUS)
EVERYBODY = (*VENDOR_PEOPLE, *PARTNER_PEOPLE, SYSTEM)
READERS_MAY = {"note", "check_in"}
PARTNERS_MAY = READERS_MAY | {
    "complete_task",
    "reopen_task",
    "waive_task",
    "assign_task",
    "add_task",
    "advance",
}

anybody = st.sampled_from(EVERYBODY)
mostly_rep = st.sampled_from([REP] * 12 + list(EVERYBODY))
numbers = st.integers(0, 30)
hours = st.one_of(st.none(), st.integers(-5, 300))


def pick(choices: Any, number: int) -> Any:
    return choices[number % len(choices)]


class Deals(RuleBasedStateMachine):
    """One deal; `self.log` is what the timeline has of it."""

    deal: Opportunity

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.log: list[TimelineEntry] = []
        self.agreed: dict[Side, Any] = {}

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
            case _:  # on hold, or to be accepted: others do that
                pass

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

    # ------------------------------------------------------------------ how commands are played

    def _task_key(self, number: int) -> str:
        return str(pick([*self.deal.tasks, "no-such-task"], number))

    def _in(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.now + timedelta(hours=hours)

    def _try(self, command: ask.Command, by: Actor) -> bool:
        """Play the command on the deal; and both, written down and read again, once more."""
        request = ask.Request(command=command, by=by)
        sent = ask.Request.model_validate_json(request.model_dump_json())
        written = self.deal.model_dump_json()
        resumed = Opportunity.model_validate_json(written)
        assert resumed == self.deal
        on_deal = by.side is not Side.PARTNER or self.deal.partner(by.organisation_id)
        try:
            outcome = decide(self.deal, request, self.now)
        except TandemError as error:
            self._was_refused_rightly(error, on_deal=bool(on_deal))
            with pytest.raises(type(error), match=f"^{re.escape(error.detail)}$"):
                decide(resumed, sent, self.now)
            assert self.deal.model_dump_json() == written, "a refusal changes nothing"
            return False
        assert on_deal, "a partner that is not on the deal can do nothing"
        self._was_allowed(command, by)
        twin = decide(resumed, sent, self.now)
        assert twin.opportunity == outcome.opportunity
        assert twin.entries == outcome.entries
        assert self.deal.model_dump_json() == written, "the deal that was asked stays as it was"
        self._take(self.deal, outcome)
        return True

    def _was_refused_rightly(self, error: TandemError, *, on_deal: bool) -> None:
        assert on_deal or isinstance(error, NotFound)
        assert isinstance(error, Conflict | Forbidden | InvalidInput | NotFound), "and never by accident"
        assert error.detail.endswith("."), error.detail

    def _was_allowed(self, command: ask.Command, by: Actor) -> None:
        if by.side is Side.PARTNER:
            assert command.kind in PARTNERS_MAY
        if set(by.roles) & {Role.DEAL_DESK, Role.FINANCE}:
            assert command.kind in READERS_MAY
        if command.kind in ("accept_handoff", "return_handoff") and not by.is_system:
            assert set(by.roles) & {Role.CUSTOMER_SUCCESS, Role.SALES_DIRECTOR, Role.ADMIN}

    def _take(self, before: Opportunity | None, outcome: Outcome) -> None:
        after = outcome.opportunity
        for entry in outcome.entries:
            assert entry.sequence == len(self.log) + 1, "no event is lost, none comes twice"
            assert entry.at <= self.now
            assert entry.words
            assert "None" not in entry.words
            self._follow(entry)
            self.log.append(entry)
        assert after.version == len(self.log)
        crossed = Outcome.model_validate_json(outcome.model_dump_json())
        assert crossed.opportunity == after
        assert [entry.words for entry in crossed.entries] == [entry.words for entry in outcome.entries]
        if before is not None:
            self._tasks_changed_for_a_reason(before, after, outcome)
            self._clocks_stood_still(before, after, outcome)
        self.deal = after

    def _follow(self, entry: TimelineEntry) -> None:
        """Keep book of agreements by the log alone, and refuse an exit without them."""
        event = entry.event
        if isinstance(event, did.StageEntered | did.Won):
            self._agreed_before_leaving(event)
        if isinstance(event, did.StageSignedOff):
            assert entry.by.side in (event.side, None)
            assert event.side not in self.agreed, "each side says it once"
            self.agreed[event.side] = event.partner_id
        elif isinstance(event, did.PartnerRemoved):
            if self.agreed.get(Side.PARTNER) == event.partner.id:
                del self.agreed[Side.PARTNER]
        elif isinstance(event, did.TaskAdded):
            if event.task.required:
                self.agreed.clear()
        elif isinstance(event, did.TaskReopened):
            if self.deal.tasks[event.key].required:
                self.agreed.clear()
        elif isinstance(event, did.StageEntered):
            self.agreed.clear()

    def _agreed_before_leaving(self, event: did.StageEntered | did.Won) -> None:
        if not hasattr(self, "deal") or (isinstance(event, did.StageEntered) and event.stage == HANDOFF):
            return
        book = self.deal.playbook
        left: Stage | None
        if isinstance(event, did.Won):
            left, forward = book.stages[-1], True
        else:
            left = book.stage(event.from_stage or "")
            forward = left is not None and book.position(event.stage) > book.position(left.key)
        joint = left is not None and left.exit.by is ExitBy.SIGN_OFF
        alone = not self.deal.partners and isinstance(event, did.StageEntered)
        if joint and forward and not alone:
            assert set(self.agreed) == set(Side), "a joint stage is left only when both sides agree"

    def _tasks_changed_for_a_reason(self, before: Opportunity, after: Opportunity, outcome: Outcome) -> None:
        events = [entry.event for entry in outcome.entries]
        reopened = {event.key for event in events if isinstance(event, did.TaskReopened)}
        entered = {event.stage for event in events if isinstance(event, did.StageEntered)}
        joined = {task.key for event in events if isinstance(event, did.PartnerAdded) for task in event.tasks}
        assert set(before.tasks) <= set(after.tasks), "no task is ever lost"
        for key, task in before.tasks.items():
            now = after.tasks[key]
            if task.state is TaskState.DONE and now.state is not TaskState.DONE:
                assert key in reopened, "what was done stays done unless somebody reopens it"
            if now.is_open and not task.is_open:
                assert key in reopened or (task.left_behind and (task.stage in entered or key in joined))

    def _clocks_stood_still(self, before: Opportunity, after: Opportunity, outcome: Outcome) -> None:
        event = outcome.entries[0].event if outcome.entries else None
        if not isinstance(event, did.Resumed) or after.stage.key != before.stage.key:
            return
        pairs = [(before.stage.due_at, after.stage.due_at), (before.next_check_in_at, after.next_check_in_at)]
        pairs += [
            (task.due_at, after.tasks[key].due_at) for key, task in before.tasks.items() if task.is_open
        ]
        for old, new in pairs:
            if old is not None and new is not None and old > event.held_since:
                assert new - self.now == old - event.held_since, "a hold keeps the time that was left"
            else:
                assert new == old, "what had passed before the hold stays passed"

    # ------------------------------------------------------------------ what is always so

    @invariant()
    def only_the_current_stage_has_open_tasks(self) -> None:
        for task in self.deal.tasks.values():
            assert not task.is_open or task.stage == self.deal.stage.key
            assert task.is_open == (task.closed_at is None)
            assert not task.is_open or task.partner_id is None or self.deal.partner(task.partner_id)

    @invariant()
    def sums_agree(self) -> None:
        states = Counter(task.state for task in self.deal.tasks.values())
        assert states.total() == len(self.deal.tasks)
        if self.deal.is_closed or self.deal.hold:
            return
        waiting = {task.key for task in self.deal.stage_tasks() if task.required and task.is_open}
        told = [blocker.task for blocker in blockers(self.deal) if blocker.task]
        gate_is_open_by_rule = self.deal.stage.rule_met
        assert gate_is_open_by_rule or (len(told) == len(waiting) and set(told) == waiting)

    @invariant()
    def the_status_tells_the_rest(self) -> None:
        deal = self.deal
        assert (deal.hold is not None) == (deal.status is Status.ON_HOLD)
        assert (deal.lost is not None) == (deal.status is Status.LOST)
        assert deal.in_handoff == (deal.handoff is not None)
        if deal.handoff is not None and deal.handoff.state is HandOffState.RETURNED:
            assert open_tasks(deal), "what customer success asks for is somebody's task"
            assert turn(deal) is Side.VENDOR
        assert 0 <= deal.probability <= 100
        assert deal.stage_title

    @invariant()
    def a_deal_waits_for_something_until_it_is_closed(self) -> None:
        assert bool(blockers(self.deal)) != self.deal.is_closed
        if self.deal.is_closed:
            assert agenda(self.deal) == []
            assert next_due(self.deal) is None
            assert turn(self.deal) is None

    @invariant()
    def what_goes_by_itself_has_gone(self) -> None:
        deal = self.deal
        if deal.status is Status.OPEN and moves_by_itself(deal):
            assert gate_blockers(deal) or deal.playbook.next_stage(deal.stage.key) is None

    @invariant()
    def work_is_listed_once_for_somebody_on_the_deal(self) -> None:
        items = work_items(self.deal)
        assert len({(item.kind, item.key) for item in items}) == len(items)
        assert all(item.partner_id is None or self.deal.partner(item.partner_id) for item in items)
        if self.deal.is_closed or self.deal.hold:
            assert items == []

    @invariant()
    def rules_can_be_asked(self) -> None:
        assert facts(self.deal)["stage"]["key"] == self.deal.stage.key

    @invariant()
    def at_most_what_fits(self) -> None:
        ids = [partner.id for partner in self.deal.partners]
        assert len(set(ids)) == len(ids)


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
