"""A deal as its page shows it: the tracker, the two lanes, the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from api.web.filters import ago, due, plural
from db.timeline import Told
from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.guards import is_for
from domain.opportunity.state import Opportunity, Status, Task
from domain.opportunity.wording import listed
from domain.principal import Action, Principal, Side


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the tracker: past, current, paused, stopped or future."""

    title: str
    state: str
    note: str = ""


def steps(deal: Opportunity) -> list[Step]:
    """The way of the deal, the hand-off last."""
    at = deal.playbook.position(deal.stage.key)
    titles = [stage.title for stage in deal.playbook.stages] + [deal.playbook.handoff.title]
    over = deal.status is Status.HANDED_OFF or (deal.status is Status.WON and deal.handoff is None)
    return [Step(title, *_state(deal, index, at, over=over)) for index, title in enumerate(titles)]


def _state(deal: Opportunity, index: int, at: int, *, over: bool) -> tuple[str, str]:
    if over or index < at:
        return "past", ""
    if index > at:
        return "future", ""
    if deal.status is Status.LOST:
        return "stopped", "Lost here"
    if deal.status is Status.ON_HOLD:
        return "paused", "On hold"
    since = f"Since {ago(deal.stage.entered_at).removesuffix(' ago')}"
    return "current", due(deal.stage.due_at).capitalize() if deal.stage.due_at else since


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks of one partner, or of the vendor, and the keys of those that the reader may complete."""

    title: str | None
    tasks: list[Task]
    may_work: frozenset[str]


@dataclass(slots=True)
class Lane:
    """One side's tasks: those of the current stage, and what was done before."""

    side: str
    title: str
    empty: str
    groups: list[TaskGroup] = field(default_factory=list)
    earlier: list[Task] = field(default_factory=list)

    @property
    def current(self) -> list[Task]:
        return [task for group in self.groups for task in group.tasks]

    @property
    def done(self) -> int:
        return sum(not task.is_open for task in self.current)

    @property
    def total(self) -> int:
        return len(self.current)


def lanes(deal: Opportunity, principal: Principal, vendor: str) -> list[Lane]:
    """The vendor's lane and the partners', side by side."""
    ours = Lane(Side.VENDOR.value, vendor, _no_tasks(deal, Side.VENDOR))
    title = deal.partners[0].name if len(deal.partners) == 1 else "Partners"
    theirs = Lane(Side.PARTNER.value, title, _no_tasks(deal, Side.PARTNER))
    for lane in (ours, theirs):
        tasks = [task for task in deal.tasks.values() if task.side.value == lane.side]
        lane.groups = list(_groups(deal, principal, [task for task in tasks if _is_current(deal, task)]))
        lane.earlier = [task for task in tasks if not _is_current(deal, task) and not task.left_behind]
    return [ours, theirs]


def _no_tasks(deal: Opportunity, side: Side) -> str:
    """Why a lane is empty, and what to do where something can be done."""
    if deal.is_closed:
        return "None was open in the stage in which the deal ended."
    if side is Side.VENDOR:
        return "Add one from Actions, if something is missing."
    if deal.partners:
        return "No partner has a task in this stage."
    return "No partner takes part yet. Add one, and its tasks open here."


def _is_current(deal: Opportunity, task: Task) -> bool:
    return task.stage == deal.stage.key


def _groups(deal: Opportunity, principal: Principal, tasks: list[Task]) -> Iterator[TaskGroup]:
    of = {task.partner_id: None for task in tasks}
    for partner_id in of:
        group = [task for task in tasks if task.partner_id == partner_id]
        partner = deal.partner(partner_id)
        title = partner.name if partner and len(deal.partners) > 1 else None
        if partner is None and group[0].side is Side.PARTNER:
            title = "Waits for a partner"
        yield TaskGroup(
            title, group, frozenset(task.key for task in group if may_work(deal, principal, task))
        )


def may_work(deal: Opportunity, principal: Principal, task: Task) -> bool:
    """Whether the page offers to complete it; the deal's own rules decide when it is tried."""
    if not principal.may(Action.WORK_TASKS) or deal.is_closed or deal.hold is not None:
        return False
    return is_for(deal, task, principal.side, principal.organisation_id)


def waits(deal: Opportunity) -> tuple[list[Blocker], str]:
    """What the deal waits for; or, where only a decision is missing, the sentence that says whose."""
    found = [blocker for blocker in blockers(deal) if blocker.code != "on_hold"]
    if len(found) == 1 and found[0].code.startswith("ready_to"):
        return [], f"{found[0].what}. It is {found[0].who}'s turn."
    return found, ""


_KINDS = {
    "opportunity_opened": "opened",
    "stage_entered": "stage",
    "stage_signed_off": "sign_off",
    "rule_judged": "stage",
    "held": "hold",
    "resumed": "resume",
    "opportunity_changed": "changed",
    "line_changed": "changed",
    "line_cost_set": "changed",
    "note_added": "note",
    "stage_approval_asked": "changed",
    "stage_approval_turned": "changed",
    "webhook_failed": "declined",
    "checked_in": "check_in",
    "fell_due": "clock",
    "reminded": "clock",
    "escalated": "clock",
    "cadence_set": "check_in",
    "person_left": "changed",
    "calendar_refreshed": "clock",
    "won": "won",
    "lost": "lost",
    "reopened": "resume",
    "approval_approved": "approved",
    "approval_rejected": "declined",
    "approval_reminded": "clock",
    "approval_escalated": "clock",
    "approval_expired": "clock",
    "discount_granted": "approved",
    "discount_granted_at_once": "approved",
    "discount_refused": "declined",
    "discount_lapsed": "clock",
}


@dataclass(frozen=True, slots=True)
class Author:
    """Who did it; Tandem itself has no side."""

    name: str
    side: str | None
    organisation: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, as the timeline shows it. `name` is empty where the words need none."""

    kind: str
    by: Author
    name: str
    words: str
    at: datetime
    said: str | None = None


def entry(told: Told) -> Entry:
    """What somebody wrote stands apart from what the deal says about it."""
    words, said = told.words, None
    if told.type == "note_added":
        words, said = f"{told.actor} wrote", str(told.data["text"])
    elif told.type == "checked_in":
        words, said = _checked_in(told), str(told.data["note"])
    named = words.startswith(f"{told.actor} ")
    return Entry(
        kind=_KINDS.get(told.type) or told.type.partition("_")[0],
        by=Author(told.actor, told.actor_side, told.actor_organisation),
        name=told.actor if named else "",
        words=words.removeprefix(f"{told.actor} ") if named else words,
        at=told.at,
        said=said,
    )


def _checked_in(told: Told) -> str:
    """Who logged it, who was there, how it felt and what comes next; what was said stands apart."""
    among = listed(told.data.get("attendees") or (), "and")
    mood = told.data.get("mood")
    step = told.data.get("next_step")
    return (
        f"{told.actor} logged a check-in"
        + (f" with {among}" if among else "")
        + (f". It felt {mood}" if mood else "")
        + (f". Next step: {step}" if step else "")
    )


def moved(before: Opportunity, after: Opportunity) -> str:
    """What a command led to, where the deal moved by it; else nothing."""
    if after.status is not before.status:
        return {
            Status.WON: f"Won. Next: {after.stage_title}.",
            Status.LOST: "The deal is closed as lost.",
            Status.HANDED_OFF: "Handed off to customer success. Well done.",
            Status.ON_HOLD: "The deal is on hold; its clocks stand still.",
            Status.OPEN: f"The deal goes on in {after.stage_title}.",
        }[after.status]
    if after.stage.key != before.stage.key:
        tasks = len(after.stage_tasks())
        return f"The deal is in {after.stage_title} now: {plural(tasks, 'task')} opened."
    return ""
