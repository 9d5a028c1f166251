"""A sample of an export to import, with the playbook that its deals follow."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from db import playbooks, policies
from db.session import Database
from domain.discount.policy import DiscountPolicyDefinition
from domain.playbook import Playbook, PlaybookDefinition
from runtime.settings import Settings
from tests.factories import a_playbook
from tests.imports import SAMPLE, Sample
from tests.stack import People


@pytest_asyncio.fixture(scope="session")
async def book(database: Database) -> Playbook:
    """A playbook that nobody else publishes, with its discount policy."""
    definition = PlaybookDefinition.model_validate(
        a_playbook(key="crm-import", discount_policy="crm-import").model_dump(exclude={"version"})
    )
    policy = DiscountPolicyDefinition(key="crm-import", title="Whatever it takes")
    async with database.transaction() as session:
        await policies.publish(session, policy, by=None, now=datetime.now(UTC))
        row, _ = await playbooks.publish(session, definition, by=None, now=datetime.now(UTC))
        return playbooks.of_row(row)


@pytest.fixture
def sample(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    settings: Settings,
    people: People,
    book: Playbook,
) -> Sample:
    folder = tmp_path / "export"
    shutil.copytree(SAMPLE, folder)
    source = "sample-" + f"{abs(hash(request.node.name)):x}"
    copy = Sample(folder, source, settings, people.database)
    for before, after in (
        ("source: crm-export", f"source: {source}"),
        ("email_domain: sales.example", f"email_domain: {source}.example"),
        ("playbook: it-software", f"playbook: {book.key}"),
        ("stage: joint-qualification", "stage: qualify"),
        ("stage: needs-and-fit", "stage: proposal"),
    ):
        copy.edit("mapping.yaml", before, after)
    return copy
