"""A real request that waits for real people, and the mails by which they are asked.

case = await a_case(services, temporal, people)
token = await case.link(case.desk)             # what the mail carries that asks the desk
await case.ask(case.rep, ask.Recall())         # a command given in Tandem itself
(await case.approval()).state
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from activities.courier import CourierActivities
from activities.letters import Letters
from activities.notify import NotifyActivities
from api.approval_commands import ApprovalCommands
from api.services import Services
from db import approval as approvals
from db.session import Database
from domain.approval import commands as ask
from domain.approval.policy import StepTemplate
from domain.approval.state import Approval, Channel, Subject
from domain.notice import Message, NoticeKind
from domain.principal import Role
from runtime.chat import Chats
from runtime.ids import new_id
from runtime.mail import Mailer
from tests.couriers import go_round
from tests.smtp import post_office, text_of
from tests.stack import PASSWORD, People, Person
from workflows.approval import ApprovalWorkflow
from workflows.approval_messages import ApprovalStart, Submission, approval_workflow_id


@dataclass
class Case:
    """A request that waits for the desk (and then for the finance), and the means to play it on."""

    id: UUID
    rep: Person
    desk: Person
    finance: Person
    database: Database
    services: Services

    async def approval(self) -> Approval:
        async with self.database.read() as session:
            return await approvals.get_in_full(session, self.id)

    async def ask(self, who: Person, command: ask.Command) -> Approval:
        """A command given in Tandem itself."""
        commands = ApprovalCommands(self.services, who.principal, str(uuid4()), Channel.API)
        return await commands.change(self.id, command)

    async def link(self, to: Person, step: str = "desk", cause: str = "asked") -> str:
        """The token in a mail that asks somebody to decide, as it arrives."""
        message = Message(
            kind=NoticeKind.DECISION_WANTED,
            cause=f"{self.id}:{step}:{cause}",
            recipients=(to.id,),
            title="27.5 % on ERP rollout",
            words="Rosa Rep asks for 27.5 %.",
            approval_id=self.id,
            step_key=step,
            round=len((await self.approval()).rounds),
        )
        await NotifyActivities(self.database, mails=True).notify(message)
        async with post_office() as post:
            mailer = Mailer(post.server, "Tandem <tandem@vendor.example>")
            letters = Letters(self.services.links)
            assert not await go_round(CourierActivities(self.database, letters, mailer, Chats("")), to.id)
            found = re.search(r"/decide/(\S+)", text_of(post.to(to.email)[-1]))
        assert found is not None
        return found[1]


async def a_case(
    services: Services, temporal: Client, people: People, *, lasts: timedelta = timedelta(days=30)
) -> Case:
    """A new request of new people."""
    rep = await people.add(f"{uuid4().hex}@vendor.example", Role.SALES_REP)
    desk = await people.add(f"{uuid4().hex}@vendor.example", Role.DEAL_DESK, password=PASSWORD)
    finance = await people.add(f"{uuid4().hex}@vendor.example", Role.FINANCE)
    approval_id = new_id()
    steps = (
        StepTemplate.model_validate(
            {"key": "desk", "title": "Deal desk", "approvers": [{"person": desk.email}]}
        ),
        StepTemplate.model_validate(
            {
                "key": "finance",
                "title": "Finance",
                "approvers": [{"person": finance.email}],
                "after": ("desk",),
            }
        ),
    )
    command = ask.Submit(
        id=approval_id,
        subject=Subject(title="ERP <rollout>"),
        facts={"discount": {"percent": 27.5, "standard": 15.0}},
        steps=steps,
        fired=("desk", "finance"),
        reason="A competitor offers less.",
        percent="27.5",
        expires_at=datetime.now(UTC) + lasts,
    )
    start = WithStartWorkflowOperation(
        ApprovalWorkflow.run,
        ApprovalStart(submission=Submission(command=command, by=rep.principal.actor)),
        id=approval_workflow_id(approval_id),
        task_queue=services.settings.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    await temporal.execute_update_with_start_workflow(
        ApprovalWorkflow.submitted, start_workflow_operation=start
    )
    return Case(approval_id, rep, desk, finance, services.database, services)
