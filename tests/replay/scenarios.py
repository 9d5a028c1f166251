"""The notable paths of a deal: each plays one, and leaves the histories that are replayed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from domain.approval.state import ApprovalState
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.commands_discount import RequestDiscount
from domain.opportunity.commands_lines import AddLine, ChangeLine, RemoveLine
from domain.opportunity.state import LoseReason
from domain.principal import Side
from tests.bargains import POLICY
from tests.factories import (
    ASTER,
    BOREALIS,
    BOREALIS_SELLER,
    FINANCE,
    REP,
    SELLER,
    SUCCESS,
    a_playbook,
    a_product,
    a_stage,
    a_task,
    an_id,
    assignee,
)
from tests.workflows.play import Played, at


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scenario is played."""

    server: WorkflowEnvironment
    deal: Played


async def handed_off(stage: Stage) -> None:
    """Every kind of exit: tasks, by itself, sign-off by both sides, a rule; then the hand-off."""
    deal = await stage.deal.open()
    await deal.complete("confirm-budget")
    await deal.complete("share-profile", by=SELLER)
    await deal.ask(ask.Advance())
    await deal.complete("write-agenda")
    await deal.complete("invite-customer", by=SELLER)
    await deal.complete("run-demo")
    await deal.ask(ask.Advance())
    await deal.ask(ask.Advance(), SELLER)
    await deal.complete("sign-contract")
    await deal.ask(ask.Win())
    await deal.ask(ask.ReturnHandOff(comment="Who is the sponsor?"), SUCCESS)
    tasks = (await deal.deal()).tasks.values()
    await deal.complete(*(task.key for task in tasks if task.is_open and task.required))
    await deal.ask(ask.AcceptHandOff(), SUCCESS)
    await deal.ended()


async def late_and_held(stage: Stage) -> None:
    """Deadlines pass; a hold that somebody ends, and one that ends by itself."""
    deal = await stage.deal.open(expected_close=(await at(stage.server, days=90)).date())
    await stage.server.sleep(timedelta(days=3, seconds=1))
    await deal.until_said("was due")
    await deal.ask(ask.HoldDeal(reason="budget freeze"))
    await stage.server.sleep(timedelta(days=10))
    await deal.ask(ask.Resume())
    await deal.ask(ask.HoldDeal(reason="holidays", until=await at(stage.server, days=5)))
    await stage.server.sleep(timedelta(days=5, seconds=1))
    await deal.until(lambda now: now.hold is None)
    await stage.server.sleep(timedelta(days=3))
    await deal.until_said("“Share profile” was due")
    await deal.ask(ask.LogCheckIn(note="We talked.", next_step="Send the profile"))


async def lost_and_reopened(stage: Stage) -> None:
    """Lost, and started again from its record."""
    deal = await stage.deal.open()
    await deal.complete("confirm-budget")
    await deal.ask(ask.Lose(reason=LoseReason.PRICE, note="Too dear."))
    await deal.ended()
    await deal.wake(await deal.deal(), ask.Reopen(reason="They came back."))
    await deal.complete("share-profile", by=SELLER)
    await deal.ask(ask.Advance())


async def several_partners(stage: Stage) -> None:
    """Partners come and go, ad-hoc tasks, assignments, a waiver, a task that is reopened, moves."""
    deal = await stage.deal.open(partners=(ASTER, BOREALIS))
    due = await at(stage.server, days=1)
    await deal.ask(ask.AddTask(title="Sign an NDA", side=Side.PARTNER, partner_id=BOREALIS.id, due_at=due))
    await deal.ask(ask.AssignTask(key="confirm-budget", assignee=assignee(REP)))
    await deal.complete("confirm-budget")
    await deal.ask(ask.ReopenTask(key="confirm-budget"))
    await deal.ask(ask.AddNote(text="Two partners, one deal."), BOREALIS_SELLER)
    await deal.ask(ask.RemovePartner(partner_id=BOREALIS.id))
    await deal.ask(ask.AddPartner(partner=BOREALIS))
    await deal.ask(ask.Move(stage="prepare", reason="They know each other."))
    await deal.ask(ask.Move(stage="qualify", reason="Too early after all."))


async def rule_not_met(stage: Stage) -> None:
    """A rule says no, then yes."""
    rule = {"by": "rule", "rule": "deal.amount >= 1000.0", "advance": "automatic"}
    book = a_playbook(
        stages=[a_stage("quote", exit=rule), a_stage("commit", a_task("sign"), phase="committed")]
    )
    deal = await stage.deal.open(playbook=book, amount=Money(amount="10.00", currency="USD"))
    await deal.ask(ask.AddNote(text="Still small."))
    await deal.ask(ask.Change(amount=Money(amount="5000.00", currency="USD")))


async def imported(stage: Stage) -> None:
    """Taken over from elsewhere, in the middle of its life."""
    began = await at(stage.server, days=-200)
    deal = await stage.deal.open(
        opened_at=began, stage="joint-demo", external={"source": "crm", "id": "A-1"}, owner=None
    )
    await deal.complete("run-demo")


async def continued(stage: Stage) -> None:
    """Long enough for further runs, on a server that asks for them early."""
    deal = await stage.deal.open()
    for number in range(16):
        await deal.ask(ask.AddNote(text=f"Note {number}"), id=f"note-{number}")
    await deal.ask(ask.AddNote(text="Note 1"), id="note-1")
    await deal.complete("confirm-budget")


async def triggered(stage: Stage) -> None:
    """Stages whose triggers create tasks, tell people, ask for approvals, call a program; and back again."""
    review = {"approval": {"title": "Solution review", "role": "sales_director"}}
    hook = {"webhook": {"url": "https://hooks.example/x", "event": "demo.began"}}
    told = {"when": "deal.amount > 1000.0", "notify": {"to": "owner", "words": "It begins."}}
    room = {"task": a_task("book-room", required=False)}
    book = a_playbook(
        stages=[
            a_stage("talk", a_task("call"), on_leave=[room]),
            a_stage("show", a_task("demo"), on_enter=[told, review, hook]),
            a_stage("close", a_task("sign")),
        ]
    )
    deal = await stage.deal.open(playbook=book)
    await deal.complete("call")
    await deal.ask(ask.Advance())
    await deal.ask(ask.Move(stage="talk", reason="Too early."))
    await deal.ask(ask.Move(stage="show", reason="Now."))
    await deal.complete("demo")
    await deal.tell_stage(ApprovalState.REJECTED)
    await deal.until_said("“Solution review” was rejected")
    asked = (await deal.deal()).stage_approvals[-1].id
    await deal.ask(ask.AskStageApproval(approval_id=asked, id=an_id(4711)))
    await deal.tell_stage(ApprovalState.APPROVED)
    await deal.until_said("“Solution review” was approved")
    await deal.ask(ask.Advance())


async def with_lines(stage: Stage) -> None:
    """What is sold: added, changed, its cost set, taken out; by both sides and the desk."""
    deal = await stage.deal.open()
    product = a_product()
    await deal.ask(AddLine(product=product, quantity=10, discount_percent="15", standard_percent="15"))
    await deal.ask(AddLine(product=product, quantity=1), SELLER)
    first, second = (line.key for line in (await deal.deal()).lines)
    await deal.ask(ChangeLine(key=first, quantity=12, discount_percent="10"))
    await deal.ask(ChangeLine(key=first, cost=Money(amount="4000.00", currency="USD")), FINANCE)
    await deal.ask(RemoveLine(key=second), SELLER)


async def discount_granted(stage: Stage) -> None:
    """Granted at once, then beyond by approval; outside of the grant, and back; until it ends."""
    deal = await stage.deal.open(policy=POLICY.ref, expected_close=None)
    await deal.ask(RequestDiscount(id=an_id(1), percent="15", reason="Our usual."), SELLER)
    await deal.ask(RequestDiscount(id=an_id(2), percent="20", reason="A strategic account."))
    await deal.tell(ApprovalState.COUNTERED, counter=None, comment="For three years.")
    await deal.tell(ApprovalState.APPROVED, percent="18")
    await deal.until(lambda now: now.discounts[-1].is_in_force)
    await deal.ask(ask.Change(amount=Money(amount="1000.00", currency="USD")))
    await deal.ask(ask.Change(amount=Money(amount="250000.00", currency="USD")))
    await stage.server.sleep(timedelta(days=90, seconds=1))
    await deal.until_said("The grant of 18 % ended")


async def discount_refused(stage: Stage) -> None:
    """Rejected; asked again, and withdrawn when the deal is lost."""
    deal = await stage.deal.open(policy=POLICY.ref)
    await deal.ask(RequestDiscount(id=an_id(1), percent="40", reason="They want it."))
    await deal.tell(ApprovalState.REJECTED, comment="Too much.")
    await deal.until(lambda now: not now.discounts[-1].is_pending)
    await deal.ask(RequestDiscount(id=an_id(2), percent="20", reason="They still want it."))
    await deal.ask(ask.Lose(reason=LoseReason.PRICE))
    await deal.ended()


SKIPPING: dict[str, Callable[[Stage], Awaitable[None]]] = {
    scenario.__name__: scenario
    for scenario in (
        handed_off,
        late_and_held,
        lost_and_reopened,
        several_partners,
        rule_not_met,
        discount_granted,
        discount_refused,
        imported,
        with_lines,
        triggered,
    )
}
"""Played on a server whose clock is ours."""

IMPATIENT: dict[str, Callable[[Stage], Awaitable[None]]] = {continued.__name__: continued}
"""Played on a real server that suggests a new run after some fifty events."""
