"""One deal in a simulation: its process without a server, and what follows from each change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.approval.commands import Submit
from domain.approval.resolve import preview
from domain.approval.state import Approval, StepState
from domain.discount.assess import Asked, Assessment, assess, check
from domain.discount.gather import Around
from domain.discount.policy import DiscountPolicy
from domain.discount.state import Discount
from domain.discount.submit import holders, resolving, submission
from domain.errors import TandemError
from domain.handoff import commands as to_handoff
from domain.handoff import rules as handoffs
from domain.handoff.agenda import fall_due as handoff_due
from domain.handoff.agenda import next_due as handoff_next
from domain.handoff.clocks import reckon as handoff_reckon
from domain.handoff.draft import HandOffOutcome
from domain.handoff.news import news
from domain.handoff.state import HandOffProcess
from domain.opportunity import commands as ask
from domain.opportunity import stage_approvals as stages
from domain.opportunity.clock import Reckoned, fall_due, reckon
from domain.opportunity.decide_discount import (
    approval_ended,
    assessed,
    checked,
    judged_amount,
    needs_check,
    no_longer_wanted,
    to_assess,
)
from domain.opportunity.draft import Outcome
from domain.opportunity.facts import facts
from domain.opportunity.rules import decide, judged, open_deal, rule_to_judge
from domain.opportunity.state import Opportunity
from domain.opportunity.triggers import answered, fired, to_fire
from domain.partner import Tier
from domain.principal import Actor
from domain.simulation.desk import Desk
from domain.simulation.dice import Dice
from domain.simulation.request import Request
from domain.simulation.world import Command, Script, World


class Play:
    """A deal with its requests and its hand-off. What people do is in `habits`."""

    def __init__(self, world: World, desk: Desk, dice: Dice, tier: Tier, command: ask.Open) -> None:
        self.world = world
        self.desk = desk
        self.dice = dice
        self.tier = tier
        self.script = Script()
        self.requests: list[Request] = []
        self.handoff: HandOffProcess | None = None
        self.wakes: set[datetime] = set()
        self.reckoned: Reckoned | None = None
        self.judged: tuple[str, dict[str, Any], bool] | None = None
        """The last rule that was asked, about what, and its answer: of the same it is the same."""
        self.look: Callable[[], None] = lambda: None
        """Called after each change."""
        begun = open_deal(command, world.now, world.cast.owner)
        self.script.commands.append(Command(world.now, 0, command))
        self.deal = begun.opportunity
        self._commit(None, begun)

    def ask(self, command: ask.Command, by: Actor) -> None:
        """Somebody asks something of the deal; who is refused leaves it at that."""
        request, after = ask.Request(command=command, by=by), len(self.script.noted)
        try:
            self._commit(self.deal, decide(self.deal, request, self.world.now))
        except TandemError:
            self.world.tally.refused += 1
        else:
            self.script.commands.append(Command(self.world.now, after, request))

    def follow_up(self, command: to_handoff.Command, by: Actor) -> None:
        """Customer success says something about the hand-off."""
        if self.handoff is not None:
            request = to_handoff.Request(command=command, by=by)
            self.script.commands.append(Command(self.world.now, len(self.script.noted), request))
            self._commit_handoff(handoffs.decide(self.handoff, request, self.world.now))

    def _commit(self, before: Opportunity | None, outcome: Outcome) -> None:
        """As the process does: policy, triggers and rule speak; only then it is true."""
        submissions: list[tuple[Submit, Actor]] = []
        outcome = self._ask_about_discounts(before, outcome, submissions)
        outcome = self._ask_the_rule(self._fire_triggers(outcome))
        self.deal = outcome.opportunity
        self.world.tally.deal(outcome.entries)
        self.script.note("deal", outcome.entries)
        self.reckoned = reckon(self.deal, self.reckoned)
        self._set_clock(self.reckoned.due)
        submissions += [
            (submit, stages.requester(self.deal))
            for approval in stages.newly_asked(before, self.deal)
            if (submit := stages.submission(self.deal, approval)) is not None
        ]
        for each in submissions:
            self.requests.append(Request(self.world, self.desk, self.script, self._approval_told, each))
        gone = [*no_longer_wanted(before, self.deal), *stages.no_longer_wanted(before, self.deal)]
        known = {request.approval.id: request for request in self.requests}
        for approval_id, reason in gone:
            known[approval_id].withdrawn(reason)
        self._tell_the_handoff(before, outcome)
        self.look()

    def _ask_about_discounts(
        self, before: Opportunity | None, outcome: Outcome, submissions: list[tuple[Submit, Actor]]
    ) -> Outcome:
        now, policy, rules = self.world.now, self.world.trial.policy, self.world.trial.rules
        if policy is None:
            return outcome
        while (asked := to_assess(outcome.opportunity)) is not None:
            around = Around(tier=self.tier.value)
            found = assess(Asked(outcome.opportunity, asked, policy, around, now), rules)
            if found.steps:
                found = self._with_approval(outcome.opportunity, asked, policy, found)
            if found.submission is not None:
                submissions.append((found.submission, asked.requested_by))
            outcome = outcome.then(assessed(outcome.opportunity, found, now))
        if needs_check(before, outcome.opportunity):
            tiers = (self.tier.value,) if outcome.opportunity.partners else ()
            answer = check(outcome.opportunity, {policy.ref: policy}, tiers, rules, now)
            outcome = outcome.then(checked(outcome.opportunity, answer, now))
        return outcome

    def _with_approval(
        self, deal: Opportunity, discount: Discount, policy: DiscountPolicy, found: Assessment
    ) -> Assessment:
        """The assessment with the request that it needs, and who would hold that first."""
        submit = submission(deal, discount, policy, found, self.dice.new_id())
        asked = resolving(submit, discount.requested_by.id, self.world.now)
        judge, people = self.world.trial.rules.judge, self.world.cast.directory
        waits_for, due_at = holders(preview(submit.steps, submit.fired, asked, people, judge))
        return found.but(submission=submit, waits_for=waits_for, due_at=due_at)

    def _fire_triggers(self, outcome: Outcome) -> Outcome:
        while (question := to_fire(outcome.opportunity)) is not None:
            answers = answered(question, self.world.trial.holds, self.dice.new_id)
            outcome = outcome.then(fired(outcome.opportunity, answers, self.world.now))
        return outcome

    def _ask_the_rule(self, outcome: Outcome) -> Outcome:
        while expression := rule_to_judge(outcome.opportunity):
            asked = outcome.opportunity
            met = self._holds(expression, facts(asked))
            outcome = self._fire_triggers(outcome.then(judged(asked, met=met, now=self.world.now)))
            if outcome.opportunity.stage.key == asked.stage.key:
                break
        return outcome

    def _holds(self, expression: str, about: dict[str, Any]) -> bool:
        known = self.judged
        if known is None or known[:2] != (expression, about):
            known = self.judged = (expression, about, self.world.trial.holds(expression, about))
        return known[2]

    def _approval_told(self, approval: Approval, comment: str | None) -> None:
        """A request stands otherwise: decided, or back with whoever asked."""
        now, deal = self.world.now, self.deal
        if approval.subject.kind == stages.KIND:
            outcome = stages.approval_ended(deal, approval.id, approval.state, comment, now)
        else:
            outcome = approval_ended(
                deal,
                approval.id,
                approval.state,
                now=now,
                percent=approval.percent,
                amount=judged_amount(approval.facts),
                comment=comment,
                agreed=tuple(step.key for step in approval.steps if step.state is StepState.APPROVED),
                not_needed=tuple(step.key for step in approval.steps if step.state is not StepState.APPROVED),
            )
        self._commit(deal, outcome)

    def _tell_the_handoff(self, before: Opportunity | None, outcome: Outcome) -> None:
        told = news(before, outcome)
        if told is None:
            return
        now = self.world.now
        known = self.handoff
        self._commit_handoff(handoffs.begin(told, now) if known is None else handoffs.hear(known, told, now))

    def _commit_handoff(self, outcome: HandOffOutcome) -> None:
        question = handoffs.to_reckon(outcome.process, self.world.now)
        if question is not None:
            answer = handoff_reckon(question, self.world.cast.directory)
            outcome = outcome.then(handoffs.reckoned(outcome.process, answer, self.world.now))
        self.handoff = outcome.process
        self.world.tally.handoff(outcome.entries)
        self.script.note("hand-off", outcome.entries)
        self._set_clock(handoff_next(outcome.process))
        self.look()

    def _set_clock(self, due: datetime | None) -> None:
        """Wake up then: once for each instant, whoever has asked for it."""
        if due is not None and due not in self.wakes:
            self.wakes.add(due)
            self.world.later(due, self._wake)

    def _wake(self) -> None:
        """Time has passed: say what has fallen due, if that is still so."""
        now = self.world.now
        self.wakes.discard(now)
        known = self.reckoned
        if known is not None and known.due is not None and known.due <= now:
            self._commit(self.deal, fall_due(self.deal, now, known.items))
        if self.handoff is not None and (due := handoff_next(self.handoff)) is not None and due <= now:
            self._commit_handoff(handoff_due(self.handoff, now))
