"""A case's events, fed at their times through the approval: what it predicts, and what the log says.

The approval says who is asked next, and whether the request is open, with the requester,
approved or ended. The log says who then decided, and how it ended. They disagree where the
log goes on otherwise. What the approval has no word for cannot be expressed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID, uuid5

from domain.approval import commands as ask
from domain.approval.agenda import fall_due, next_due
from domain.approval.draft import ApprovalOutcome
from domain.approval.resolve import Judge, Judged, resolve
from domain.approval.rules import decide, resolved, submit, to_resolve, withdraw
from domain.approval.state import Approval, ApprovalState, Facts, Subject
from domain.approval_log import reading as log
from domain.approval_log.process import ASKER, LIFE, Decider, Process, actor
from domain.approval_log.reading import History, LogEvent, LogOutcome
from domain.errors import TandemError


class Verdict(StrEnum):
    """What comes of comparing a case with the approval."""

    AGREES = "agree"
    DISAGREES = "disagree"
    INEXPRESSIBLE = "inexpressible"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The system ends the request."""

    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that was asked of one of the case's requests: as the approval's workflow takes it."""

    request: UUID
    at: datetime
    what: ask.Submit | ask.Request | Withdrawn


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a document's history. `reason` and `line` say where the log and the approval part.

    `judgements` are the facts of each submission, in order; `happened` counts events of the approval.
    """

    verdict: Verdict
    outcome: LogOutcome
    reason: str | None = None
    line: int | None = None
    moves: tuple[Move, ...] = ()
    judgements: tuple[Facts, ...] = ()
    happened: int = 0

    @property
    def came_again(self) -> bool:
        """Whether a request was returned, and submitted again."""
        return any(move.what is _AGAIN for move in self.moves)


_AGAIN = ask.Request(command=ask.Resubmit(), by=actor(ASKER))
_NEVER_MIND = ask.Request(command=ask.Recall(), by=actor(ASKER))


class _Parted(Exception):
    """The log goes on in another way than the approval says."""

    def __init__(self, verdict: Verdict, reason: str, line: int) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason
        self.line = line


def replay(process: Process, history: History, judge: Judge, *, case: str) -> Replayed:
    """Play one document's history; `case` names it in the ids of its requests."""
    play = _Play(process, history, judge, case)
    verdict, reason, line = Verdict.AGREES, None, None
    try:
        play.run()
    except _Parted as parted:
        verdict, reason, line = parted.verdict, parted.reason, parted.line
    return Replayed(
        verdict=verdict,
        outcome=play.said,
        reason=reason,
        line=line,
        moves=tuple(play.moves),
        judgements=tuple(play.judgements),
        happened=play.happened,
    )


class _Play:
    """One document's history on its way through one request after the other."""

    def __init__(self, process: Process, history: History, judge: Judge, case: str) -> None:
        self.process = process
        self.history = history
        self.judge = judge
        self.case = case
        self.approval: Approval | None = None
        self.moves: list[Move] = []
        self.judgements: list[Facts] = []
        self.happened = 0
        self.requests = 0

    @cached_property
    def said(self) -> LogOutcome:
        """How it ended by the log."""
        return log.outcome_of(
            self.history, self.process.requesters, rejections_return=self.process.rejections_return
        )

    def run(self) -> None:
        """Play all of it, and compare the end.

        Raises:
            _Parted: as soon as the log and the approval part.
        """
        for index, event in enumerate(self.history):
            self._pass_time(event.at)
            try:
                self._take(index, event)
            except TandemError as refused:
                raise self._parted(event, f"the approval refuses it: {refused.title}") from refused
        if self.approval is None:
            raise self._no_word(self.history[-1], "it was never submitted: nobody was asked")
        if (stands := _outcome(self.approval)) is not self.said:
            reason = f"at the end the log says {self.said.value}, and the approval {stands.value}"
            raise self._parted(self.history[-1], reason)

    def _take(self, index: int, event: LogEvent) -> None:
        handlers: dict[str, Callable[[int, LogEvent], None]] = {
            log.SAVED: self._saved,
            log.SUBMITTED: self._submitted,
            log.FOR_APPROVAL: self._put_before,
            log.APPROVED: self._approved,
            log.FINAL_APPROVED: self._approved,
            log.REJECTED: self._rejected,
        }
        handler = handlers.get(event.act)
        if handler is None:
            raise self._no_word(event, f"{event.act} is nothing that an approval knows")
        handler(index, event)

    def _saved(self, _index: int, _event: LogEvent) -> None:
        """A draft is the requester's own."""

    def _submitted(self, index: int, event: LogEvent) -> None:
        """Ask; again where it was returned, and anew where the request has ended."""
        facts = self.process.facts(next(log.rounds(self.history[index:])))
        needed = self.process.fired(facts, self.judge)
        if self.approval is not None and self.approval.is_open:
            if self.approval.state is ApprovalState.PENDING:
                raise self._parted(event, f"submitted again while {self._asked_words()} was asked")
            self.judgements.append(facts)
            self._ask(self.approval, event, _AGAIN, Judged(facts=facts, fired=needed))
            return
        self.requests += 1
        self.judgements.append(facts)
        command = self.process.submission.but(
            id=uuid5(ASKER.id, f"{self.case}/{event.document}/{self.requests}"),
            subject=Subject.model_construct(kind="log", title=f"{event.document} {self.case}"),
            facts=facts,
            fired=needed,
            expires_at=event.at + LIFE,
        )
        self.moves.append(Move(command.id, event.at, command))
        self._commit(submit(command, event.at, actor(ASKER)), event.at)

    def _put_before(self, _index: int, event: LogEvent) -> None:
        """The log says who is asked; the approval knows."""
        if event.role not in self._asked():
            raise self._no_word(event, f"put before {event.role}, where {self._asked_words()} was asked")

    def _approved(self, _index: int, event: LogEvent) -> None:
        asked, by = self._by_whom_is_asked(event)
        approval = self._ask(asked, event, by.approves)
        if event.act == log.FINAL_APPROVED and approval.state is not ApprovalState.APPROVED:
            reason = f"final with {event.role} by the log, where {self._asked_words()} was still to be asked"
            raise self._parted(event, reason)
        if event.act == log.APPROVED and approval.state is not ApprovalState.PENDING:
            reason = f"not final with {event.role} by the log, and everybody to be asked had approved"
            raise self._parted(event, reason)

    def _rejected(self, index: int, event: LogEvent) -> None:
        if event.role in log.SYSTEM_ROLES:
            self._rolled_back(event)
        elif event.role in self.process.requesters:
            self._taken_back(index, event)
        else:
            asked, by = self._by_whom_is_asked(event)
            self._ask(asked, event, by.rejects)

    def _by_whom_is_asked(self, event: LogEvent) -> tuple[Approval, Decider]:
        """The request, and who decided on it, if that is whom it asks.

        Raises:
            _Parted: it asks somebody else, or nobody.
        """
        if event.role in log.SYSTEM_ROLES:
            raise self._no_word(event, f"{event.act} by {event.role}: nobody decided")
        if self.approval is None:
            raise self._no_word(event, "decided before it was submitted")
        if self.approval.state is ApprovalState.APPROVED and event.act == log.REJECTED:
            raise self._undone(event)
        if event.role not in self.process.deciders:
            raise self._parted(event, f"{event.role} decided, which is not an approver's role here")
        if self._asked() != [event.role]:
            raise self._parted(event, f"{event.role} decided, where {self._asked_words()} was asked")
        return self.approval, self.process.deciders[event.role]

    def _taken_back(self, index: int, event: LogEvent) -> None:
        """The requester has it. What was returned is theirs already, and what they then do with it counts."""
        if self.approval is None:
            return
        if self.approval.state is ApprovalState.APPROVED:
            raise self._undone(event)
        again = any(later.act == log.SUBMITTED for later in self.history[index + 1 :])
        if self.approval.state is not ApprovalState.RETURNED or not again:
            self._ask(self.approval, event, _NEVER_MIND)

    def _rolled_back(self, event: LogEvent) -> None:
        if self.approval is None:
            raise self._no_word(event, "rolled back before it was submitted")
        if self.approval.state is ApprovalState.APPROVED:
            raise self._undone(event)
        move = Withdrawn(reason=f"The log has {event.act} by {event.role}.")
        self.moves.append(Move(self.approval.id, event.at, move))
        self._commit(withdraw(self.approval, move.reason, event.at), event.at)

    def _ask(
        self, approval: Approval, event: LogEvent, request: ask.Request, judged: Judged | None = None
    ) -> Approval:
        after = self._commit(decide(approval, request, event.at, judged), event.at)
        self.moves.append(Move(after.id, event.at, request))
        return after

    def _pass_time(self, now: datetime) -> None:
        """Let fall due what does, each at its time: reminders and escalations."""
        while self.approval is not None and (due := next_due(self.approval)) is not None and due <= now:
            self._commit(fall_due(self.approval, due), due)

    def _commit(self, outcome: ApprovalOutcome, now: datetime) -> Approval:
        """As the workflow does: what happened, and then who is asked."""
        self.happened += len(outcome.entries)
        approval = outcome.approval
        while wants := to_resolve(approval, now):
            found = resolved(approval, resolve(wants, self.process.directory, self.judge), now)
            self.happened += len(found.entries)
            approval = found.approval
        self.approval = approval
        return approval

    def _asked(self) -> list[str]:
        """The roles that the approval waits for."""
        steps = self.approval.open_steps() if self.approval is not None else []
        return [self.process.role_of(step.key) for step in steps]

    def _asked_words(self) -> str:
        if asked := self._asked():
            return " and ".join(asked)
        if self.approval is not None and self.approval.is_open:
            return "the requester"
        return "nobody"

    def _undone(self, event: LogEvent) -> _Parted:
        who = "the system" if event.role in log.SYSTEM_ROLES else event.role
        return self._no_word(
            event, f"undone by {who} after the final approval: an approval that ended is final"
        )

    @staticmethod
    def _parted(event: LogEvent, reason: str) -> _Parted:
        return _Parted(Verdict.DISAGREES, reason, event.line)

    @staticmethod
    def _no_word(event: LogEvent, reason: str) -> _Parted:
        return _Parted(Verdict.INEXPRESSIBLE, reason, event.line)


_OUTCOMES = {
    ApprovalState.PENDING: LogOutcome.OPEN,
    ApprovalState.APPROVED: LogOutcome.APPROVED,
    ApprovalState.REJECTED: LogOutcome.REJECTED,
    ApprovalState.RETURNED: LogOutcome.RETURNED,
    ApprovalState.COUNTERED: LogOutcome.RETURNED,
    ApprovalState.RECALLED: LogOutcome.TAKEN_BACK,
    ApprovalState.EXPIRED: LogOutcome.OPEN,  # nobody has decided
}


def _outcome(approval: Approval) -> LogOutcome:
    """How the request stands, in the log's words."""
    withdrawn = approval.ended is not None and approval.ended.by.is_system
    if approval.state is ApprovalState.RECALLED and withdrawn:
        return LogOutcome.ROLLED_BACK
    return _OUTCOMES[approval.state]


def replay_case(
    processes: Mapping[str, Process], events: Sequence[LogEvent], judge: Judge, case: str
) -> Replayed:
    """Play all documents of a case: it agrees where each does, and ended as the last one did.

    `processes` are by document: activities of others are not an approval's. Drafts beside a document
    that was submitted are left out.
    """
    found = log.histories(event for event in events if event.document in processes)
    asked = {name: each for name, each in found.items() if log.was_submitted(each)} or found
    played = [replay(processes[name], each, judge, case=case) for name, each in asked.items()]
    if not played:
        return Replayed(Verdict.INEXPRESSIBLE, LogOutcome.DRAFT, "nothing of an approval happened in it")
    worst = min(reversed(played), key=lambda each: _SEVERITY.index(each.verdict))
    return replace(
        worst,
        moves=tuple(move for each in played for move in each.moves),
        judgements=tuple(facts for each in played for facts in each.judgements),
        happened=sum(each.happened for each in played),
    )


_SEVERITY = (Verdict.DISAGREES, Verdict.INEXPRESSIBLE, Verdict.AGREES)
