"""A game of one deal: how a command is played, and what holds after every move, whatever the rules are."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.errors import Conflict, Forbidden, InvalidInput, NotFound, TandemError
from domain.ladder import Subject
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.agenda import agenda
from domain.opportunity.blockers import blockers, gate_blockers, moves_by_itself, open_tasks, turn
from domain.opportunity.clock import Reckoned, next_due, reckon
from domain.opportunity.commands_lines import ChangeLine
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.facts import facts
from domain.opportunity.notices import messages
from domain.opportunity.rules import decide
from domain.opportunity.state import HandOffState, Opportunity, Status, TaskState
from domain.opportunity.work import work_items
from domain.playbook import HANDOFF, ExitBy, Stage
from domain.principal import Actor, Role, Side
from tests.factories import NOW, fire

READERS_MAY = {"note", "check_in", "set_cadence"}
PARTNERS_MAY = READERS_MAY | {
    "complete_task",
    "reopen_task",
    "waive_task",
    "assign_task",
    "add_task",
    "add_line",
    "change_line",
    "remove_line",
    "request_discount",
    "drop_discount",
    "advance",
}


def _in_full(reckoned: Reckoned) -> tuple[object, ...]:
    """All that falls due, with its words: those are found anew whenever they are asked for."""
    items = [((item.order, item[4:]), item.what, item.says) for item in reckoned.items]
    return items, reckoned.due


def pick(choices: Any, number: int) -> Any:
    return choices[number % len(choices)]


class DealGame(RuleBasedStateMachine):
    """One deal; `self.log` is what the timeline has of it."""

    deal: Opportunity

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.log: list[TimelineEntry] = []
        self.agreed: dict[Side, Any] = {}
        self.rungs: set[tuple[Subject, str, datetime, int]] = set()
        self.visits = 0
        self.firings: set[object] = set()
        self.reckoned: Reckoned | None = None

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
        says_cost = isinstance(command, ChangeLine) and "cost" in command.model_fields_set
        says_nothing = isinstance(command, ChangeLine) and command.model_fields_set <= {
            "key",
            "standard_percent",
        }
        if set(by.roles) & {Role.DEAL_DESK, Role.FINANCE}:
            assert command.kind in READERS_MAY or says_cost or says_nothing
        if set(by.roles) & {Role.SALES_REP, Role.PARTNER_SELLER, Role.PARTNER_ADMIN}:
            assert not says_cost, "who sells does not make its own margin"
        if command.kind in ("accept_handoff", "return_handoff") and not by.is_system:
            assert set(by.roles) & {Role.CUSTOMER_SUCCESS, Role.SALES_DIRECTOR, Role.ADMIN}

    def _take(self, before: Opportunity | None, outcome: Outcome) -> None:
        outcome = fire(outcome, self.now)
        after = outcome.opportunity
        for entry in outcome.entries:
            assert entry.sequence == len(self.log) + 1, "no event is lost, none comes twice"
            assert entry.at <= self.now
            assert entry.words
            assert "None" not in entry.words
            self._follow(entry)
            self._speaks_once(entry)
            self._fires_once(entry)
            self.log.append(entry)
        assert after.version == len(self.log)
        for message in messages(outcome):
            assert message.recipients or message.partners or message.managers_of or message.roles
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

    def _speaks_once(self, entry: TimelineEntry) -> None:
        event = entry.event
        if isinstance(event, did.CalendarRefreshed):
            # What comes after a deadline is at other times by it; people are told once, by the cause.
            ladders = self.deal.playbook.ladders
            self.rungs = {each for each in self.rungs if ladders.of(each[0])[each[3] - 1].after is None}
        elif isinstance(event, did.Reminded | did.Escalated):
            rung = (event.subject, event.key, event.due_at, event.rung)
            assert rung not in self.rungs, "each rung speaks once for each deadline"
            assert event.at_rung <= entry.at
            self.rungs.add(rung)

    def _fires_once(self, entry: TimelineEntry) -> None:
        event = entry.event
        if isinstance(event, did.StageEntered):
            self.visits += 1
        if isinstance(event, did.TriggerFired):
            firing = (self.visits, event.place)
            assert firing not in self.firings, "a trigger fires once for each entering"
            self.firings.add(firing)

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
                over = event.until or self.now
                assert new - over == old - event.held_since, "a hold keeps the time that was left"
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
    def nothing_is_about_to_fire_and_approvals_are_of_this_visit(self) -> None:
        deal = self.deal
        assert deal.firing == ()
        for approval in deal.stage_approvals:
            if approval.state.is_open:
                assert (approval.stage, approval.visit) == (deal.stage.key, deal.stage.entered_at)
                assert not deal.is_closed
                told = [blocker.code for blocker in blockers(deal)]
                assert deal.hold or "approval_pending" in told

    @invariant()
    def the_amount_is_the_sum_of_the_lines(self) -> None:
        keys = [line.key for line in self.deal.lines]
        assert len(set(keys)) == len(keys)
        if self.deal.lines:
            assert self.deal.amount is not None
            assert self.deal.amount.amount == sum(line.net_amount for line in self.deal.lines)
            assert {self.deal.amount.currency} == {line.currency for line in self.deal.lines}

    @invariant()
    def no_partner_reads_what_anything_costs(self) -> None:
        for entry in self.log:
            assert entry.event.internal or '"cost"' not in entry.event.model_dump_json()

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
    def what_falls_due_is_the_same_for_who_knew_what_did_before(self) -> None:
        fresh = reckon(self.deal)
        self.reckoned = reckon(self.deal, self.reckoned)
        assert _in_full(self.reckoned) == _in_full(fresh)

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
