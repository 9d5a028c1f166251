"""What fires when a stage begins or ends, once for each time, and what follows from it on the deal.

A deal that has just entered a stage keeps its triggers in `firing`. Their rules are answered outside,
where the answers are kept (`to_fire`, `answered`); with them all fire at once (`fired`), and only then
the stage may be left again. What goes out to the world is in `calls`, and in `notices` for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime

from domain.opportunity import events as did
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.facts import facts
from domain.opportunity.stage_approvals import ask_for
from domain.opportunity.stages import free_key, new_task, partners_for, settle
from domain.opportunity.state import Opportunity
from domain.opportunity.trigger_state import TriggerPlace, trigger_at
from domain.principal import SYSTEM
from domain.task_template import TaskTemplate
from domain.trigger import Moment, Trigger
from domain.value import Value

Judge = Callable[[str, dict[str, Any]], bool]
"""Whether a CEL rule holds for these facts; one that cannot be answered does not."""


class TriggerRule(Value):
    """A trigger about to fire: the rule that it asks first, and the facts; no rule always holds."""

    rule: str | None
    facts: dict[str, Any]


class TriggerQuestion(Value):
    """All that is about to fire on a deal."""

    rules: tuple[TriggerRule, ...]


class TriggerAnswer(Value):
    """Whether one fires, and the id that an approval which it asks for is to have."""

    holds: bool
    new_id: UUID


class TriggerAnswers(Value):
    """The answers, in the order of the questions."""

    answers: tuple[TriggerAnswer, ...]


class WebhookCall(Value):
    """A program elsewhere is to be told, once: `id` is the same however often that is tried."""

    opportunity_id: UUID
    sequence: int
    id: str
    url: str
    host: str
    event: str
    at: AwareDatetime
    data: dict[str, Any]


def to_fire(deal: Opportunity) -> TriggerQuestion | None:
    """What is to be asked before the triggers fire; None where none is about to.

    A rule is asked about the deal as the stage begins, before any trigger has done anything; as the
    stage is left, `stage` is that one still.
    """
    if not deal.firing:
        return None
    known = facts(deal)
    return TriggerQuestion(rules=tuple(_rule(deal, place, known) for place in deal.firing))


def _rule(deal: Opportunity, place: TriggerPlace, known: dict[str, Any]) -> TriggerRule:
    trigger = trigger_at(deal.playbook, place)
    if trigger is None or trigger.when is None:
        return TriggerRule(rule=None, facts={})
    stage = deal.playbook.stage(place.stage)
    if place.moment is Moment.LEAVE and stage is not None:
        left = {"key": stage.key, "phase": stage.phase.value, "position": deal.playbook.position(stage.key)}
        known = {**known, "stage": left}
    return TriggerRule(rule=trigger.when, facts=known)


def answered(question: TriggerQuestion, judge: Judge, new_id: Callable[[], UUID]) -> TriggerAnswers:
    """The answers by this judge, with new ids."""
    return TriggerAnswers(
        answers=tuple(
            TriggerAnswer(holds=asked.rule is None or judge(asked.rule, asked.facts), new_id=new_id())
            for asked in question.rules
        )
    )


def fired(deal: Opportunity, answers: TriggerAnswers, now: datetime) -> Outcome:
    """What the triggers lead to; then the deal goes on, where nothing keeps it in the stage."""
    draft = Draft(deal, now, SYSTEM)
    about = draft.deal.firing
    draft.deal.firing = ()  # no news: what fires says so itself, and what does not is none
    for place, answer in zip(about, answers.answers, strict=True):
        trigger = trigger_at(deal.playbook, place)
        if trigger is not None and answer.holds:
            _fire(draft, place, trigger, answer.new_id)
    settle(draft)
    return draft.outcome()


def passed_over(deal: Opportunity, now: datetime) -> Outcome:
    """The deal goes on without its triggers: a deal taken over from elsewhere had begun its stage there."""
    draft = Draft(deal, now, SYSTEM)
    pass_over(draft)
    return draft.outcome()


def pass_over(draft: Draft) -> None:
    while draft.deal.firing:
        draft.deal.firing = ()
        settle(draft)


def _fire(draft: Draft, place: TriggerPlace, trigger: Trigger, new_id: UUID) -> None:
    draft.add(
        did.TriggerFired(
            kind=trigger.kind,
            place=place,
            stage=draft.deal.playbook.template(place.stage).title,
            what=trigger.what,
            rule=trigger.condition,
        )
    )
    if trigger.task is not None:
        for event in _tasks(draft.deal, trigger.task, draft.now):
            draft.add(event)
    elif trigger.campaign is not None:
        step = trigger.campaign
        draft.add(did.CampaignStepStarted(campaign=step.key, step=step.step, about=step.words))
    elif trigger.approval is not None:
        ask_for(draft, place, trigger.approval, new_id)


def _tasks(deal: Opportunity, template: TaskTemplate, now: datetime) -> Iterator[did.TaskAdded]:
    """The task, for each partner that it suits; where it is open from an earlier visit, that one goes on."""
    then = deal.copy_to_change()
    siblings = [task for task in deal.stage_tasks() if task.template == template.key and task.is_open]
    for partner_id in partners_for(deal, template):
        if any(task.partner_id in (partner_id, None) for task in siblings):
            continue
        task = new_task(deal, template, deal.stage.key, now, free_key(then, template.key))
        task = task.but(partner_id=partner_id)
        then.put(task)
        yield did.TaskAdded(task=task)


def calls(outcome: Outcome) -> list[WebhookCall]:
    """The programs that are to be told of what happened. They learn ids, stage and status, and no names."""
    deal = outcome.opportunity
    found = []
    for entry in outcome.entries:
        if not isinstance(entry.event, did.TriggerFired):
            continue
        trigger = trigger_at(deal.playbook, entry.event.place)
        if trigger is None or trigger.webhook is None:
            continue
        found.append(
            WebhookCall(
                opportunity_id=deal.id,
                sequence=entry.sequence,
                id=f"{deal.id}-{entry.sequence}",
                url=str(trigger.webhook.url),
                host=trigger.webhook.host,
                event=trigger.webhook.event,
                at=entry.at,
                data=_told(deal, entry.event.place, entry.sequence),
            )
        )
    return found


def _told(deal: Opportunity, place: TriggerPlace, sequence: int) -> dict[str, Any]:
    return {
        "opportunity_id": str(deal.id),
        "sequence": sequence,
        "status": deal.status.value,
        "stage": place.stage,
        "moment": "entered" if place.moment is Moment.ENTER else "left",
        "playbook": {"key": deal.playbook.key, "version": deal.playbook.version},
        "partner_ids": [str(partner.id) for partner in deal.partners],
    }


def not_called(deal: Opportunity, call: WebhookCall, why: str, now: datetime) -> Outcome:
    """Nobody listened there, for hours: that stands in the timeline."""
    draft = Draft(deal, now, SYSTEM)
    draft.add(did.WebhookFailed(event=call.event, host=call.host, why=why, fired_at=call.at))
    return draft.outcome()
