"""What people do on a deal, and when: by their behaviour, and by chance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

from domain.calendar import after
from domain.duration import parse_duration
from domain.handoff import commands as to_handoff
from domain.handoff.state import Health
from domain.opportunity import commands as ask
from domain.opportunity import commands_discount as ask_discount
from domain.opportunity.blockers import Blocker, awaited_approvals, blockers
from domain.opportunity.state import LoseReason, Opportunity, Status, Task
from domain.playbook import DiscountExit, Playbook
from domain.principal import Actor, Side
from domain.simulation.behaviour import Behaviour, Delay
from domain.simulation.play import Play
from domain.simulation.world import Trial
from domain.span import parse_business

MOST_TRIES = 3
"""So often a hand-off comes back, and what was refused is asked for again."""
_POINT = Decimal("0.5")
_HIGHEST = Decimal(99)


Key = tuple[object, ...]
"""Names what somebody is about to do, so that it is planned once."""


class Habits:
    """Looks at a deal after each change, and plans what people do next; nothing is planned twice."""

    def __init__(self, play: Play, *, asks: bool) -> None:
        world = play.world
        self.play = play
        self.world = world
        self.dice = play.dice
        self.behaviour: Behaviour = world.trial.behaviour
        self.owner: Actor = world.cast.owner
        self.seller: Actor = world.cast.sellers[play.tier]
        self.planned: set[Key] = set()
        self.tries: dict[str, int] = {}
        self.refused: set[object] = set()
        self.silent = self._silence()
        self.asks = asks
        play.look = self.look
        self.look()

    def _silence(self) -> tuple[datetime, datetime] | None:
        """From and until when the partner says nothing (UTC)."""
        silent = self.behaviour.partner.silent
        if not self.dice.happens(silent.chance):
            return None
        begins = self._later(self.world.now, silent.begins)
        ends = begins + parse_duration(silent.lasts) if silent.lasts else self.world.trial.period.ends
        return begins, ends

    def _later(self, at: datetime, delay: Delay) -> datetime:
        return self.dice.later(self.world.trial.calendar, at, delay)

    def _awake(self, at: datetime) -> datetime:
        """When the partner does what it would have done then."""
        if self.silent is not None and self.silent[0] <= at < self.silent[1]:
            return self.silent[1]
        return at

    @property
    def deal(self) -> Opportunity:
        return self.play.deal

    def _plan(self, key: Key, at: Callable[[], datetime], act: Callable[[], None]) -> None:
        """Do it then, once; and look again afterwards."""
        if key in self.planned:
            return
        self.planned.add(key)
        self.world.later(at(), act)

    def look(self) -> None:
        """Plan what the deal as it stands makes people do."""
        deal = self.deal
        if deal.is_closed:
            self._follow_ups()
            return
        if deal.status is Status.OPEN:
            self._new_stage()
            self._check_in()
            self._refusals()
        tasks = [task for task in deal.stage_tasks() if task.is_open]
        for task in tasks:
            self._task(task)
        if deal.stage_approvals or deal.discount_outside or not any(task.required for task in tasks):
            for blocker in blockers(deal):
                self._blocker(blocker)

    def _side(self, side: Side) -> tuple[Actor, Callable[[], datetime]]:
        """Who acts for a side, and when."""
        if side is Side.PARTNER:
            return self.seller, lambda: self._awake(
                self._later(self.world.now, self.behaviour.partner.answers)
            )
        return self.owner, lambda: self._later(self.world.now, self.behaviour.vendor.answers)

    def _task(self, task: Task) -> None:
        key = ("task", task.key, task.opened_at)
        if key in self.planned:
            return
        theirs = task.side is Side.PARTNER and self.deal.partner(task.partner_id) is not None
        by, at = self._side(Side.PARTNER if theirs else Side.VENDOR)

        def act() -> None:
            now = self.deal.tasks[task.key]
            if now.is_open and now.opened_at == task.opened_at and not self.deal.is_closed:
                self.play.ask(ask.CompleteTask(key=task.key, note="Done."), by)

        self._plan(key, at, act)

    def _blocker(self, blocker: Blocker) -> None:
        """What is to be done besides tasks."""
        key = self._name(blocker)
        match blocker.code:
            case "sign_off_missing" if blocker.turn is not None:
                by, at = self._side(blocker.turn)
                self._plan(key, at, lambda: self._if_still(key, ask.Advance, by))
            case "ready_to_advance":
                self._plan(key, *self._by_owner(key, ask.Advance))
            case "ready_to_win":
                self._plan(key, *self._by_owner(key, ask.Win))
            case "discount_outside_grant":
                self._plan(key, *self._by_owner(key, self._same_again))
            case "approval_missing":
                self._ask_again(key)
            case "handoff_not_accepted" if len(blockers(self.deal)) == 1:
                self._take_over(key)

    def _name(self, blocker: Blocker) -> Key:
        stage = self.deal.stage
        return blocker.code, blocker.turn, blocker.since, stage.key, stage.entered_at

    def _by_owner(
        self, key: Key, command: Callable[[], ask.Command]
    ) -> tuple[Callable[[], datetime], Callable[[], None]]:
        by, at = self._side(Side.VENDOR)
        return at, lambda: self._if_still(key, command, by)

    def _if_still(self, key: Key, command: Callable[[], ask.Command], by: Actor) -> None:
        """Do it, where the deal still waits for it."""
        if key in [self._name(blocker) for blocker in blockers(self.deal)]:
            self.play.ask(command(), by)

    def _tried(self, what: str) -> bool:
        """Whether that was done often enough."""
        self.tries[what] = self.tries.get(what, 0) + 1
        return self.tries[what] > MOST_TRIES

    def _ask_again(self, key: Key) -> None:
        """For the approval of a stage that was not given."""
        missing = [each for each in awaited_approvals(self.deal) if not each.state.is_open]
        for each in missing:
            plan = ("ask again", each.id)
            if plan not in self.planned and not self._tried("stage approval"):
                command = ask.AskStageApproval(approval_id=each.id, id=self.dice.new_id())
                self._plan(plan, *self._by_owner(key, partial(_same, command)))

    def _take_over(self, key: Key) -> None:
        """Customer success accepts, or asks for more."""
        habit, by = self.behaviour.customer_success, self.world.cast.success

        def answer() -> ask.Command:
            if self.dice.happens(habit.returns) and not self._tried("return"):
                return ask.ReturnHandOff(comment="What was promised is missing.", clocked=True)
            return ask.AcceptHandOff()

        self._plan(
            (*key, len(self.deal.tasks)),  # what was asked for before is a task more
            lambda: self._later(self.world.now, habit.answers),
            lambda: self._if_still(key, answer, by),
        )

    def _new_stage(self) -> None:
        """What begins with a stage: a customer that will say no, a request, and the owner's patience."""
        stage, entered = self.deal.stage.key, self.deal.stage.entered_at
        if ("stage", stage, entered) in self.planned:
            return
        self.planned.add(("stage", stage, entered))
        customer, patience = self.behaviour.customer, self.behaviour.vendor.patience
        if self.dice.happens(customer.says_no.get(stage, customer.says_no_anywhere)):
            reason = self.dice.one_of(customer.reasons)
            self.world.later(self._later(entered, customer.answers), lambda: self._lose(reason))
        if patience is not None:
            ends = after(self.world.trial.calendar, entered, parse_business(patience))
            self.world.later(ends, lambda: self._give_up(stage, entered))
        if self.asks and stage == asking_stage(self.behaviour, self.world.trial.playbook):
            self.asks = False
            self._plan_discount(entered)

    def _lose(self, reason: LoseReason) -> None:
        if self.deal.status is Status.OPEN:
            self.play.ask(ask.Lose(reason=reason), self.owner)

    def _give_up(self, stage: str, entered: datetime) -> None:
        """The stage took too long. Where that is the partner's silence, it is the partner's."""
        if (self.deal.stage.key, self.deal.stage.entered_at) == (stage, entered):
            silent = self._awake(self.world.now) != self.world.now
            self._lose(LoseReason.PARTNER_GAP if silent else LoseReason.NO_DECISION)

    def _plan_discount(self, entered: datetime) -> None:
        asked = self.behaviour.discounts
        percent = min(self.dice.amount(asked.median, asked.spread, _POINT), _HIGHEST)

        def act() -> None:
            if self.deal.status is Status.OPEN:
                self.play.ask(self._discount(percent), self.seller)

        self.world.later(self._awake(self._later(entered, asked.asks)), act)

    def _discount(self, percent: Decimal) -> ask.Command:
        return ask_discount.RequestDiscount(id=self.dice.new_id(), percent=percent, reason="To win the deal.")

    def _same_again(self) -> ask.Command:
        """A grant that does not cover the deal any more is asked for again."""
        return self._discount(self.deal.discounts[-1].percent)

    def _refusals(self) -> None:
        """What becomes of a deal that does not get its discount."""
        for each in self.deal.discounts:
            if each.state.value in _REFUSED and each.id not in self.refused:
                self.refused.add(each.id)
                if self.dice.happens(self.behaviour.discounts.lost_without):
                    at = self._later(self.world.now, self.behaviour.customer.answers)
                    self.world.later(at, lambda: self._lose(LoseReason.PRICE))
            elif each.state.value == "returned":
                drop = ask_discount.DropDiscount(discount_id=each.id, reason="Nobody can decide.")
                give_up = partial(self.play.ask, drop, self.owner)
                self._plan(("drop", each.id), lambda: self.world.now, give_up)

    def _check_in(self) -> None:
        """Both sides talk, if somebody thinks of it, and the partner answers."""
        due = self.deal.next_check_in_at
        if due is None or ("check_in", due) in self.planned:
            return
        vendor = self.dice.happens(self.behaviour.vendor.logs)
        habit = self.behaviour.vendor if vendor else self.behaviour.partner
        forgets = self.dice.happens(habit.misses)
        at = self._awake(self._later(due, habit.catches_up if forgets else habit.check_ins))

        def act() -> None:
            if self.deal.next_check_in_at == due and self.deal.status is Status.OPEN:
                self.play.ask(ask.LogCheckIn(note="We talked."), self.owner if vendor else self.seller)

        self._plan(("check_in", due), lambda: at, act)

    def _follow_ups(self) -> None:
        """Customer success talks with the customer."""
        process, success = self.play.handoff, self.world.cast.success
        for each in process.open_follow_ups() if process else ():
            talked = to_handoff.LogFollowUp(key=each.key, health=Health.GOOD, note="All is well.")
            due = each.due_at
            self._plan(
                ("follow up", each.key),
                partial(self._later, due, self.behaviour.customer_success.follow_ups),
                partial(self.play.follow_up, talked, success),
            )


def asks_for_discount(trial: Trial, number: int) -> bool:
    """Whether somebody asks for a discount on this deal: known before it is played."""
    return trial.dice(f"asks {number}").happens(trial.behaviour.discounts.chance)


def _same(command: ask.Command) -> ask.Command:
    return command


_REFUSED = ("rejected", "expired")


def asking_stage(behaviour: Behaviour, playbook: Playbook) -> str:
    """Where discounts are asked for: the stage named, the first that waits for them, or the last."""
    waits = (stage.key for stage in playbook.stages if stage.exit.discount is DiscountExit.SETTLED)
    return behaviour.discounts.stage or next(waits, playbook.stages[-1].key)
