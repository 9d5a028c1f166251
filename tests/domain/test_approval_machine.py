"""Random play of requests: whatever people do, leave undone or become, some things always hold."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.approval import commands as ask
from domain.approval.agenda import next_due
from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.approval.resolve import Judged
from domain.approval.state import Approval, ApprovalState, Step, StepState
from domain.approval.work import seats
from domain.errors import TandemError
from domain.principal import Role
from tests.approvals import ADA, DIANA, DINA, DIRK, DORA, FRED, OFFICE, RITA, SAM, Game, step

EVERYBODY = (RITA, DORA, DIRK, DINA, FRED, DIANA, ADA, SAM)
people = st.sampled_from(EVERYBODY)
needs = st.sampled_from(["one", "all", 2, 3])
KEYS = ("first", "second", "third", "fourth")
rules_: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"role": "deal_desk"},
        {"role": "finance"},
        {"role": "sales_director"},
        {"manager": True},
        {"person": RITA.email},
        {"person": DORA.email},
        {"rule": "['fred@vendor.example']"},
    ]
)


@st.composite
def policies(draw: st.DrawFn) -> list[Any]:
    """One to four steps, each after some of those before it."""
    keys = KEYS[: draw(st.integers(1, 4))]
    return [
        step(
            key,
            *draw(st.lists(rules_, min_size=1, max_size=2)),
            {"role": "deal_desk"},
            needs=draw(needs),
            after=tuple(draw(st.sets(st.sampled_from(keys[:index])))) if index else (),
            escalate=[{"to": draw(rules_)}] if draw(st.booleans()) else [],
        )
        for index, key in enumerate(keys)
    ]


class Requests(RuleBasedStateMachine):
    """One request, played by everybody who works here, and by some who do not."""

    @initialize(steps=policies(), by=st.sampled_from([RITA, DORA, SAM]), asked_for=st.none() | people)
    def submit(self, steps: list[Any], by: PersonEntry, asked_for: PersonEntry | None) -> None:
        other = {"id": asked_for.id, "name": asked_for.name} if asked_for else None
        self.game = Game().submit(*steps, by=by, asked_for=other)
        self.directory = OFFICE
        self.was_open = True

    def _try(self, command: ask.Command, by: PersonEntry, judged: Judged | None = None) -> None:
        before = self.game.approval
        with suppress(TandemError):
            self.game.ask(command, by, judged)
            return
        assert self.game.approval is before, "what is refused changes nothing"

    @rule(by=people)
    def approve(self, by: PersonEntry) -> None:
        self._try(ask.Approve(), by)

    @rule(by=people, key=st.sampled_from(KEYS))
    def approve_on(self, by: PersonEntry, key: str) -> None:
        self._try(ask.Approve(step=key), by)

    @rule(by=people)
    def reject(self, by: PersonEntry) -> None:
        self._try(ask.Reject(comment="No."), by)

    @rule(by=people)
    def return_(self, by: PersonEntry) -> None:
        self._try(ask.Return(comment="Say more."), by)

    @rule(by=people, percent=st.integers(0, 30))
    def counter(self, by: PersonEntry, percent: int) -> None:
        self._try(ask.Counter(percent=Decimal(percent)), by)

    @rule(by=people, needed=st.sets(st.sampled_from(KEYS)))
    def accept(self, by: PersonEntry, needed: set[str]) -> None:
        known = [each.key for each in self.game.approval.templates if each.key in needed]
        self._try(ask.Accept(), by, Judged(facts={}, fired=tuple(known)))

    @rule(by=people)
    def resubmit(self, by: PersonEntry) -> None:
        self._try(ask.Resubmit(), by)

    @rule(by=people, to=people, hours=st.none() | st.integers(1, 60))
    def delegate(self, by: PersonEntry, to: PersonEntry, hours: int | None) -> None:
        until = self.game.now + timedelta(hours=hours) if hours else None
        whom = ask.Delegate(id=to.id, name=to.name, side=to.side)
        self._try(ask.DelegateSeat(to=whom, until=until), by)

    @rule(hours=st.integers(1, 100))
    def wait(self, hours: int) -> None:
        self.game.pass_time(timedelta(hours=hours))

    @rule(who=people)
    def leave_or_come_back(self, who: PersonEntry) -> None:
        changed = tuple(
            each.model_copy(update={"active": not each.active}) if each.id == who.id else each
            for each in self.directory.people
        )
        self._people(replace(self.directory, people=changed))

    @rule(who=people, role=st.sampled_from([Role.DEAL_DESK, Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN]))
    def take_another_role(self, who: PersonEntry, role: Role) -> None:
        changed = tuple(
            each.model_copy(update={"roles": (role,)}) if each.id == who.id else each
            for each in self.directory.people
        )
        self._people(replace(self.directory, people=changed))

    @rule(who=people, to=people, hours=st.integers(-10, 50), lasts=st.none() | st.integers(1, 50))
    def go_away(self, who: PersonEntry, to: PersonEntry, hours: int, lasts: int | None) -> None:
        since = self.game.now + timedelta(hours=hours)
        ends = since + timedelta(hours=lasts) if lasts else None
        more = Delegation(user_id=who.id, to_id=to.id, starts_at=since, ends_at=ends)
        self._people(replace(self.directory, delegations=(*self.directory.delegations, more)))

    def _people(self, directory: Directory) -> None:
        self.directory = directory
        self.game.people_change(directory)

    @rule()
    def resume_from_what_was_written_down(self) -> None:
        self.game.known = Approval.model_validate_json(self.game.approval.model_dump_json())

    @precondition(lambda self: self.game.approval.sitting)
    @rule(number=st.integers(0, 9))
    def approve_whoever_is_asked(self, number: int) -> None:
        sitting = self.game.approval.sitting
        who = sitting[number % len(sitting)]
        self._try(ask.Approve(), next(each for each in EVERYBODY if each.id == who))

    @precondition(lambda self: self.game.approval.is_open)
    @rule(really=st.integers(0, 9).map(lambda number: number == 7))
    def recall(self, really: bool) -> None:
        if not really:
            return
        asker = next(each for each in EVERYBODY if each.id == self.game.approval.requester.id)
        self.game.ask(ask.Recall(), asker)
        assert self.game.state is ApprovalState.RECALLED

    @rule(really=st.integers(0, 9).map(lambda number: number == 7))
    def withdraw(self, really: bool) -> None:
        if not really:
            return
        was_open = self.game.approval.is_open
        self.game.withdraw()
        assert not self.game.approval.is_open
        assert not was_open or self.game.state is ApprovalState.RECALLED

    @invariant()
    def versions_rise_by_one(self) -> None:
        sequences = [entry.sequence for entry in self.game.entries]
        assert sequences == list(range(1, self.game.approval.version + 1))

    @invariant()
    def nothing_is_granted_without_those_who_have_to_agree(self) -> None:
        if self.game.state is not ApprovalState.APPROVED:
            return
        for each in self.game.approval.steps:
            agreed = {said.by.id for said in each.decisions if said.verdict in ("approve", "counter")}
            assert each.state is StepState.NOT_NEEDED or len(agreed) >= each.wanted

    @invariant()
    def nobody_decides_twice_and_no_requester_decides(self) -> None:
        rounds = (self.game.approval.steps, *(each.steps for each in self.game.approval.rounds))
        for each in (one for steps in rounds for one in steps):
            said = [decision.by.id for decision in each.decisions]
            assert len(said) == len(set(said))
            for_whom = [(made.stands_in_for or made.by).id for made in each.decisions]
            assert len(for_whom) == len(set(for_whom)), "no seat is used twice"
            assert not set(self.game.approval.askers) & {*said, *for_whom}

    @invariant()
    def whatever_is_open_waits_for_somebody_who_can_act_and_has_a_clock(self) -> None:
        approval = self.game.approval
        if not approval.is_open:
            assert (next_due(approval), seats(approval)) == (None, [])
            return
        due = next_due(approval)
        assert due is not None
        assert due > self.game.now
        assert seats(approval)
        if approval.state is ApprovalState.PENDING:
            assert approval.open_steps()
            for each in approval.open_steps():
                self._can_be_decided(each)

    def _can_be_decided(self, each: Step) -> None:
        working = {one.id: one for one in self.directory.people if one.active}
        sitting: set[UUID] = set()
        for seat in each.approvers:
            assert working[seat.id].side == "vendor"
            assert seat.id not in self.game.approval.askers
            sitting.add(seat.id)
        assert len(sitting) == len(each.approvers)
        assert sitting.isdisjoint(made.by.id for made in each.decisions)
        assert each.approvals < each.wanted <= each.approvals + len(sitting)

    @invariant()
    def nothing_waits_whose_turn_has_come(self) -> None:
        approval = self.game.approval
        if approval.state is ApprovalState.PENDING:
            finished = {each.key for each in approval.steps if each.is_finished}
            for each in approval.steps:
                assert each.state is not StepState.WAITING or not finished.issuperset(each.after)

    @invariant()
    def what_is_written_down_is_what_is(self) -> None:
        approval = self.game.approval
        assert Approval.model_validate_json(approval.model_dump_json()) == approval

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        assert self.was_open or not self.game.approval.is_open
        self.was_open = self.game.approval.is_open


Requests.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRequests = Requests.TestCase
