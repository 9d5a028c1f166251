"""Real approvals through the real process: 300 of a log's cases, each with the waiting times that it had."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.approval import commands as ask
from domain.approval.events_steps import StepOpened
from domain.approval.resolve import Judged, fired
from domain.approval.state import ApprovalState, Facts
from domain.approval_log.process import ASKER, LIFE, Process, actor
from domain.approval_log.reading import SYSTEM_ROLES, VERDICTS, History, LogOutcome, histories, outcome_of
from domain.approval_log.replay import Move, Replayed, Verdict, Withdrawn, replay_case
from ops.replay_log import Log, learn_all, read_log
from runtime import cel
from runtime.sandbox import ContextFreeSandboxRunner
from tests.approval_logs import PUBLIC, with_public
from tests.workflows.play import at
from tests.workflows.play_approval import Bureau, skip_to
from workflows.approval import ApprovalWorkflow
from workflows.approval_messages import (
    JUDGE_ROUND,
    ApprovalStart,
    Judging,
    Submission,
    Withdrawal,
    approval_workflow_id,
)

MANY = 300

ENDED = {
    LogOutcome.APPROVED: ApprovalState.APPROVED,
    LogOutcome.TAKEN_BACK: ApprovalState.RECALLED,
    LogOutcome.OPEN: ApprovalState.PENDING,
    LogOutcome.RETURNED: ApprovalState.RETURNED,
}


class LogBureau(Bureau):
    """The organisation of a log: its people, and what its requests are judged by when they come again."""

    def __init__(self, process: Process, cases: list[Replayed]) -> None:
        super().__init__(process.directory)
        self.judgements: dict[UUID, list[Facts]] = defaultdict(list)
        for each in cases:
            facts = iter(each.judgements)
            for move in each.moves:
                if isinstance(move.what, ask.Submit) or isinstance(move.what.command, ask.Resubmit):
                    self.judgements[move.request].append(next(facts))

    @activity.defn(name=JUDGE_ROUND)
    async def judge_round(self, judging: Judging) -> Judged:
        approval = judging.approval
        facts = self.judgements[approval.id][len(approval.rounds) + 1]
        return Judged(facts=facts, fired=fired(approval.templates, facts, cel.answer))


@dataclass
class Organisation:
    """The log's requests on a server."""

    client: Client

    def of(self, request: UUID) -> WorkflowHandle[ApprovalWorkflow, None]:
        return self.client.get_workflow_handle_for(ApprovalWorkflow.run, approval_workflow_id(request))

    async def make(self, move: Move, now: datetime) -> None:
        """What was done then is done now."""
        what = move.what
        if isinstance(what, ask.Submit):
            command = what.model_copy(update={"expires_at": now + LIFE})
            start = ApprovalStart(submission=Submission(command=command, by=actor(ASKER)))
            await self.client.start_workflow(
                ApprovalWorkflow.run, start, id=approval_workflow_id(what.id), task_queue="tandem"
            )
            await self.of(what.id).execute_update(ApprovalWorkflow.submitted)
        elif isinstance(what, Withdrawn):
            await self.of(move.request).signal(ApprovalWorkflow.withdraw, Withdrawal(reason=what.reason))
        else:
            await self.of(move.request).execute_update(ApprovalWorkflow.change, what)


def spread(log: Log, processes: dict[str, Process]) -> dict[str, Replayed]:
    """Cases that can be expressed, from the whole length of the log."""
    found: dict[str, Replayed] = {}
    for case in [*log.cases][:: int(len(log.cases) / MANY / 1.05)]:
        played = replay_case(processes, log.cases[case], cel.answer, case)
        if played.verdict is Verdict.AGREES and len(found) < MANY:
            found[case] = played
    return found


def in_time(cases: dict[str, Replayed]) -> list[tuple[timedelta, Move]]:
    """All cases' moves, as if all began at once: each so long after the beginning as it was."""
    moves = ((move.at - each.moves[0].at, move) for each in cases.values() for move in each.moves)
    return sorted(moves, key=lambda each: each[0])


def asked(bureau: Bureau, process: Process) -> dict[UUID, list[str]]:
    """The roles in the order in which each request's process asked them."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for (request, _), entry in sorted(bureau.timeline.items(), key=lambda item: item[0]):
        if isinstance(entry.event, StepOpened):
            found[request].append(process.role_of(entry.event.key))
    return found


def decided(process: Process, history: History) -> list[str]:
    """The roles in the order in which they decided, by the log."""
    others = process.requesters | SYSTEM_ROLES
    return [event.role for event in history if event.act in VERDICTS and event.role not in others]


@with_public
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_real_cases_go_through_the_real_process(server: WorkflowEnvironment):
    log = read_log(PUBLIC)
    processes = learn_all(log)
    process = processes["Declaration"]
    cases = spread(log, processes)
    assert len(cases) == MANY
    assert any(len(each.judgements) > 1 for each in cases.values()), "some came back"
    bureau = LogBureau(process, [*cases.values()])
    organisation = Organisation(server.client)
    async with Worker(
        server.client,
        task_queue="tandem",
        workflows=[ApprovalWorkflow],
        activities=bureau.activities,
        workflow_runner=ContextFreeSandboxRunner(),
    ):
        begin = await at(server)
        moves = in_time(cases)
        await asyncio.gather(*(organisation.make(move, begin) for _, move in moves[:MANY]))
        for offset, move in moves[MANY:]:
            await skip_to(server, begin + offset)
            await organisation.make(move, begin + offset)
    order = asked(bureau, process)
    for case, each in cases.items():
        (history,) = histories(log.cases[case]).values()
        said = outcome_of(history, process.requesters, rejections_return=process.rejections_return)
        requests = list(dict.fromkeys(move.request for move in each.moves))
        assert bureau.approvals[requests[-1]].state is ENDED[said], case
        assert [role for request in requests for role in order[request]] == decided(process, history), case
