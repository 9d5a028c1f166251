"""One round of a person's courier without Temporal: look, send what is due once, keep how it went.

courier = a_courier(database, post, tmp_path)
errors = await go_round(courier, desk.id)              # what failed, by words; empty when all was taken
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.courier import CourierActivities
from activities.letters import Letters
from db.session import Database
from db.tables import OpportunityPartnerRow
from runtime.chat import Chats
from runtime.links import Links
from runtime.mail import Mailer
from runtime.settings import Settings
from tests.smtp import PostOffice
from workflows.courier_messages import Looking, Outcome

SENDER = "Tandem <tandem@vendor.example>"


def a_courier(
    database: Database, post: PostOffice | None, home: Path, *, schemes: str = ""
) -> CourierActivities:
    """The activities of couriers, over a mail server of the test's."""
    links = Links(Settings(home=home, public_url="https://tandem.example"))
    mailer = Mailer(post.server, SENDER) if post else None
    return CourierActivities(database, Letters(links), mailer, Chats(schemes))


def takes_part(opportunity_id: UUID, partner_id: UUID) -> OpportunityPartnerRow:
    """That a partner takes part in a deal, of which there is no more than that."""
    return OpportunityPartnerRow(
        opportunity_id=opportunity_id,
        partner_id=partner_id,
        name="Partner",
        role="reseller",
        status="open",
        closed=False,
        playbook_key="joint-software",
        stage_key="qualify",
        phase="qualified",
    )


def environment(now: datetime) -> ActivityEnvironment:
    """Where an activity believes that it is tried at this instant."""
    made = ActivityEnvironment()
    made.info = replace(made.info, current_attempt_scheduled_time=now)
    return made


async def go_round(
    courier: CourierActivities, user_id: UUID, now: datetime | None = None
) -> list[ApplicationError]:
    """Look and send once; what is taken, or can never be, is settled. Answers what was not taken."""
    now = now or datetime.now(UTC)
    found = await courier.look(Looking(user_id=user_id, now=now))
    errors = []
    for parcel in found.parcels:
        error = None
        try:
            await environment(now).run(courier.deliver, parcel)
        except ApplicationError as not_taken:
            error = not_taken
            errors.append(not_taken)
        if error is None or error.non_retryable:
            words = error.message if error else None
            await courier.settle(Outcome(parcel=parcel, at=now, error=words))
    return errors
