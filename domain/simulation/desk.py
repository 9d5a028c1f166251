"""The people who decide on requests: each takes one after the other, and what nobody has time for waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from domain.approval import commands as ask
from domain.approval.state import Approval, Step, StepState
from domain.simulation.world import World

_DECIDED = (StepState.APPROVED, StepState.REJECTED)


class Asking(Protocol):
    """A request, as those who decide see it."""

    approval: Approval

    def decided(self, key: str, request: ask.Request) -> None: ...


@dataclass(eq=False)
class Job:
    """One step of a request, until it is decided. `taken` have begun with it."""

    request: Asking
    key: str
    title: str
    since: datetime
    taken: set[UUID] = field(default_factory=set)

    def step(self) -> Step | None:
        """The step, while it waits for a decision."""
        open_steps = self.request.approval.open_steps()
        return next((step for step in open_steps if step.key == self.key), None)

    def is_for(self, person_id: UUID) -> bool:
        """Whether this person may begin with it: has a seat, and it does not have people enough."""
        step = self.step()
        if step is None or step.seat(person_id) is None:
            return False
        return len(self.taken) < step.wanted - step.approvals


class Desk:
    """All approvers, and all that waits for them, the oldest first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dice = world.dice("desk")
        self.jobs: list[Job] = []
        self.busy: set[UUID] = set()
        for person_id in world.cast.habits:
            for away in world.cast.away:
                if away.person_id == person_id:
                    world.later(away.ends, self.look)

    def follow(self, request: Asking) -> None:
        """The request has changed: its open steps wait here, and its others do not any more."""
        known = {job.key for job in self.jobs if job.request is request}
        for step in request.approval.open_steps():
            if step.key not in known:
                self.jobs.append(Job(request, step.key, step.title, self.world.now))
                self.world.tally.queue(step.title).asked += 1
        gone = [job for job in self.jobs if job.request is request and job.step() is None]
        for job in gone:
            self.jobs.remove(job)
            ended = request.approval.step(job.key)
            if ended is not None and ended.state in _DECIDED:
                self.world.tally.queue(job.title).took.append(self.world.now - job.since)
        self.look()

    def look(self) -> None:
        """Let everybody who is here and idle begin with the oldest request that is theirs."""
        now = self.world.now
        for person_id in self.world.cast.habits:
            if person_id not in self.busy and self.world.cast.back_at(person_id, now) is None:
                job = next((job for job in self.jobs if job.is_for(person_id)), None)
                if job is not None:
                    self._begin(job, person_id)
        for title, queue in self.world.tally.queues.items():
            queue.now(now, sum(job.title == title and not job.taken for job in self.jobs))

    def _begin(self, job: Job, person_id: UUID) -> None:
        job.taken.add(person_id)
        self.busy.add(person_id)
        habit = self.world.cast.habits[person_id]
        at = self.dice.later(self.world.trial.calendar, self.world.now, habit.decides_in)
        self.world.later(at, partial(self._end, job, person_id, rejects=self.dice.happens(habit.rejects)))

    def _end(self, job: Job, person_id: UUID, *, rejects: bool) -> None:
        """Say yes or no, if that is still asked."""
        self.busy.discard(person_id)
        said: ask.Decide = ask.Approve(step=job.key)
        if rejects:
            said = ask.Reject(step=job.key, comment="Not at this price.")
        job.request.decided(job.key, ask.Request(command=said, by=self.world.cast.actor(person_id)))
        job.taken.discard(person_id)
        self.look()
