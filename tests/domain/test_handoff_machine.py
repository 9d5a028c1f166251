"""Random play of hand-offs: whatever people do, leave undone or become, some things always hold."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.approval.directory import PersonEntry
from domain.errors import TandemError
from domain.handoff import commands as ask
from domain.handoff.agenda import next_due
from domain.handoff.state import FollowUpState, HandOffProcess, Health, Progress
from domain.opportunity import commands as ask_deal
from domain.opportunity.state import HandOffState
from tests.handoffs import CARL, DIANA, FRIDAY, OFFICE, RITA, SUSI, HandOffGame, candidate

people = st.sampled_from([SUSI, CARL, DIANA, RITA])
nobody_or = st.none() | people


class HandOffs(RuleBasedStateMachine):
    """One hand-off, played by customer success, the sellers and the clock."""

    @initialize(days=st.none() | st.integers(1, 700))
    def win(self, days: int | None) -> None:
        ends = FRIDAY.date() + timedelta(days=days) if days else None
        self.game = HandOffGame(contract_ends=ends)
        self.directory = OFFICE
        self.renewals: set[Any] = set()

    def _try(self, command: ask.Command, by: PersonEntry) -> None:
        before = self.game.process
        with suppress(TandemError):
            self.game.ask(command, by)
            return
        assert self.game.process is before, "what is refused changes nothing"

    def _try_deal(self, move: str, *args: Any) -> None:
        with suppress(TandemError):
            getattr(self.game, move)(*args)

    @rule()
    def complete(self) -> None:
        self._try_deal("complete")

    @rule(by=people)
    def accept(self, by: PersonEntry) -> None:
        self._try_deal("accept", by)

    @rule(by=people)
    def return_(self, by: PersonEntry) -> None:
        self._try_deal("return_", by)

    @rule()
    def reopen_a_task(self) -> None:
        with suppress(TandemError):
            self.game.ask_deal(ask_deal.ReopenTask(key="plan-onboarding"))

    @rule(by=people, to=nobody_or)
    def assign(self, by: PersonEntry, to: PersonEntry | None) -> None:
        self._try(ask.Assign(to=candidate(to) if to else None), by)

    @rule(by=people, number=st.integers(0, 5), health=st.sampled_from(Health))
    def follow_up(self, by: PersonEntry, number: int, health: Health) -> None:
        key = f"follow-up-{number}" if number else None
        self._try(ask.LogFollowUp(key=key, health=health, note="Well."), by)

    @rule(by=people, days=st.none() | st.integers(-10, 900))
    def set_contract(self, by: PersonEntry, days: int | None) -> None:
        ends: date | None = None
        if days is not None:
            ends = self.game.now.date() + timedelta(days=days)
        self._try(ask.SetContract(ends=ends), by)

    @rule(by=people, really=st.integers(0, 9).map(lambda number: number == 7))
    def close(self, by: PersonEntry, really: bool) -> None:
        if really:
            self._try(ask.Close(reason="other", note="Bought by somebody else."), by)

    @rule(days=st.integers(1, 60))
    def wait(self, days: int) -> None:
        self.game.pass_time(timedelta(days=days))

    @rule(who=people)
    def leave_or_come_back(self, who: PersonEntry) -> None:
        changed = tuple(
            each.model_copy(update={"active": not each.active}) if each.id == who.id else each
            for each in self.directory.people
        )
        self.directory = replace(self.directory, people=changed)
        self.game.people_change(self.directory)

    @rule()
    def resume_from_what_was_written_down(self) -> None:
        self.game.known = HandOffProcess.model_validate_json(self.game.process.model_dump_json())

    @precondition(lambda self: self.game.process.is_open)
    @rule()
    def nothing_that_was_said_is_said_again(self) -> None:
        before = len(self.game.entries)
        self.game.pass_time(timedelta())
        self.game.pass_time(timedelta())
        said = self.game.entries[before:]
        assert len({entry.words for entry in said}) == len(said)

    @invariant()
    def it_stands_where_the_deal_says(self) -> None:
        process, deal = self.game.process, self.game.deal
        assert deal.handoff is not None
        known = {
            Progress.RETURNED: HandOffState.RETURNED,
            Progress.ACCEPTED: HandOffState.ACCEPTED,
            Progress.ENDED: HandOffState.ACCEPTED,
        }
        assert deal.handoff.state is known.get(process.progress, HandOffState.PENDING)
        assert (process.clock is not None) == (process.progress is Progress.WAITING)
        assert process.is_accepted == (deal.handoff.state is HandOffState.ACCEPTED)
        assert process.follow_ups_planned == process.is_accepted

    @invariant()
    def every_event_is_numbered(self) -> None:
        sequences = [entry.sequence for entry in self.game.entries]
        assert sequences == list(range(1, self.game.process.version + 1))

    @invariant()
    def one_renewal_opens_at_most(self) -> None:
        assert self.game.types.count("renewal_opened") <= 1
        assert self.game.types.count("handoff_ended") <= 1
        assert (self.game.process.renewal is not None) == ("renewal_opened" in self.game.types)

    @invariant()
    def the_clock_never_stands_in_the_past_unheard(self) -> None:
        self.game.pass_time(timedelta())
        due = next_due(self.game.process)
        assert due is None or due > self.game.now

    @invariant()
    def whoever_receives_it_can(self) -> None:
        receiver = self.game.process.receiver
        if receiver is not None and self.game.process.is_open:
            entry = self.directory.person(receiver.id)
            assert entry is not None
            assert entry.active or self.game.process.progress is Progress.ACCEPTED

    @invariant()
    def what_is_done_has_a_health(self) -> None:
        for each in self.game.process.follow_ups:
            assert (each.state is FollowUpState.DONE) == (each.health is not None)


HandOffs.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHandOffs = HandOffs.TestCase
