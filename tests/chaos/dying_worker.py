"""A worker that a power cut ends in the middle of a decision.

    python -m tests.chaos.dying_worker before|after

It works as any other until it is to record a decision on a request. Then it is gone: before anything was
written, or after all of it was, and Temporal was not told.
"""

from __future__ import annotations

import os
import signal
import sys

from temporalio import activity

import activities as ours
import worker
from activities.approvals import ApprovalActivities
from domain.approval.draft import ApprovalOutcome
from domain.approval.events import StepDecided
from runtime import aio
from runtime.settings import Settings
from workflows.approval_messages import RECORD_APPROVAL


class Dying(ApprovalActivities):
    """Records, but for decisions: those it does not survive."""

    written_first = False

    @activity.defn(name=RECORD_APPROVAL)
    async def record_approval(self, outcome: ApprovalOutcome) -> None:
        last = any(isinstance(entry.event, StepDecided) for entry in outcome.entries)
        if not last or self.written_first:
            await super().record_approval(outcome)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)


def main(when: str) -> None:
    Dying.written_first = when == "after"
    vars(ours)["ApprovalActivities"] = Dying
    aio.run(worker.work(Settings()))


if __name__ == "__main__":
    main(sys.argv[1])
