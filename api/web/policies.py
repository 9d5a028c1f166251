"""Discount policies: their versions, what is different between two, and past requests through a draft."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Query, Request, Response

from api.principal import require
from api.services import DatabaseDep
from api.v1.policies import people_to_ask
from api.web.approval_view import Amount
from api.web.filters import business, new_key
from api.web.forms import Form, FormDep, Refusal, WebRoute
from api.web.rendering import go, page
from db import discounts, policies
from db.pages import PageRequest
from db.session import Database
from db.tables import PolicyVersion
from domain.approval.directory import Directory
from domain.approval.policy import StepTemplate
from domain.discount.policy import DiscountPolicy, DiscountPolicyDefinition
from domain.discount.replay import ReplayReport
from domain.errors import InvalidInput, StaleVersion, TandemError
from domain.opportunity.wording import listed
from domain.principal import Action, Principal
from runtime.documents import MAX_BYTES
from runtime.policies import RULES, parse_policy

_MOST_SHOWN = 100
"""Requests that the page of a draft lists; the sums are of all."""

router = APIRouter(prefix="/policies", include_in_schema=False, route_class=WebRoute)
MOST = 100
AROUND = 3
"""Lines around a difference that are the same."""

Reader = Annotated[Principal, require(Action.READ_POLICIES)]
Publisher = Annotated[Principal, require(Action.PUBLISH_POLICIES)]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("")
async def read_all(request: Request, principal: Reader, database: DatabaseDep) -> Response:
    """The newest version of each."""
    async with database.read() as session:
        found = await policies.page(session, PageRequest(MOST))
    shown = [policies.of_row(row) for row in found.items]
    return page(request, "policies/index.html", principal=principal, section="policies", policies=shown)


@router.get("/{key}")
async def read(
    key: str, request: Request, principal: Reader, database: DatabaseDep, version: Version = None
) -> Response:
    """One version: the standard discounts, who approves what, and how long a grant lasts."""
    async with database.read() as session:
        row = await _row(database, key, version)
        rows = await policies.versions(session, key, PageRequest(MOST))
    policy = policies.of_row(row)
    return page(
        request,
        "policies/page.html",
        principal=principal,
        section="policies",
        policy=policy,
        published_at=row.published_at,
        versions=[each.version for each in rows.items],
        steps=[StepWords.of(step, policy) for step in policy.steps],
        backup=listed((rule.words for rule in policy.backup), "then"),
        may_try=principal.may(Action.PUBLISH_POLICIES),
    )


@router.get("/{key}/compare")
async def compare(
    key: str,
    request: Request,
    principal: Reader,
    database: DatabaseDep,
    before: Version = None,
    after: Version = None,
) -> Response:
    """What is different between two versions; the newest and the one before it, where nothing is said."""
    async with database.read() as session:
        rows = (await policies.versions(session, key, PageRequest(MOST))).items
    newest = await _row(database, key, after)
    older = await _row(database, key, before or max(newest.version - 1, 1))
    return page(
        request,
        "policies/compare.html",
        principal=principal,
        section="policies",
        policy=policies.of_row(newest),
        versions=[(row.version, f"Version {row.version}") for row in rows],
        values={"before": older.version, "after": newest.version},
        lines=differences(written(policies.of_row(older)), written(policies.of_row(newest))),
    )


@router.get("/{key}/replay")
async def ask_for_draft(key: str, request: Request, principal: Publisher, database: DatabaseDep) -> Response:
    """The newest version as a draft to change."""
    policy = policies.of_row(await _row(database, key, None))
    return _replayed(request, principal, policy, written(policy))


@router.post("/{key}/replay")
async def try_draft(
    key: str, request: Request, principal: Publisher, database: DatabaseDep, form: FormDep
) -> Response:
    """All past requests through the draft. Nothing is kept, and nothing is published."""
    policy = policies.of_row(await _row(database, key, None))
    text = _typed(form)
    try:
        draft = await _draft(text)
        report = await _replay(database, draft)
    except TandemError as error:
        return _replayed(request, principal, policy, text, refused=error)
    lines = differences(written(policy), written(draft))
    return _replayed(request, principal, policy, text, report=report, lines=lines)


@router.post("/{key}/publish")
async def publish_draft(
    key: str, request: Request, principal: Publisher, database: DatabaseDep, form: FormDep
) -> Response:
    """The draft that was tried, as the next version; not where somebody else has published one meanwhile."""
    policy = policies.of_row(await _row(database, key, None))
    text = _typed(form)
    try:
        draft = await _draft(text, await people_to_ask(database))
        if draft.key != key:
            raise InvalidInput(f"This policy has the key '{draft.key}'; its key stays '{key}'.")
        version, is_new = await _publish(database, principal, draft, form.get("_version"))
    except TandemError as error:
        return _replayed(request, principal, policy, text, refused=error)
    done = f"Version {version} is published. New deals keep it; those that run keep theirs."
    return go(request, f"/policies/{key}", done if is_new else f"That is version {version} already.")


async def _publish(
    database: Database, principal: Principal, draft: DiscountPolicyDefinition, compared_with: str | None
) -> tuple[int, bool]:
    """The version, and whether it is new. Raises `StaleVersion`: there is one since that."""
    async with database.transaction() as session:
        row, is_new = await policies.publish(session, draft, by=principal.id, now=datetime.now(UTC))
        if is_new and compared_with != str(row.version - 1):
            raise StaleVersion(
                f"Somebody published version {row.version - 1} meanwhile: try the draft again beside that.",
                version=row.version - 1,
            )
        return row.version, is_new


def _typed(form: Form) -> str:
    return form.values.get("draft", "").replace("\r\n", "\n")


async def _draft(text: str, people: Directory | None = None) -> DiscountPolicyDefinition:
    """The policy in the text; with people, every step has to find somebody among them.

    Raises:
        InvalidInput: saying what is wrong, each thing with its line.
    """
    if len(text.encode()) > MAX_BYTES:
        raise InvalidInput(f"A policy may have at most {MAX_BYTES // 1024} KB.", pointer="/draft")
    return await asyncio.to_thread(parse_policy, text, "draft", people)


async def _replay(database: Database, draft: DiscountPolicyDefinition) -> ReplayReport:
    async with database.read() as session:
        return await discounts.replay_past(session, draft, RULES)


def _replayed(
    request: Request,
    principal: Principal,
    policy: DiscountPolicy,
    text: str,
    report: ReplayReport | None = None,
    refused: TandemError | None = None,
    lines: Sequence[Difference] = (),
) -> Response:
    return page(
        request,
        "policies/replay.html",
        status=refused.status if refused else 200,
        principal=principal,
        section="policies",
        policy=policy,
        values={"draft": text},
        key=new_key(),
        problems=refused.detail.splitlines() if refused else [],
        error=Refusal.of(refused) if refused else None,
        report=report,
        given=[Amount(each, report.currency) for each in (report.given_before, report.given_after)]
        if report
        else [],
        lines=lines,
        most=_MOST_SHOWN,
    )


async def _row(database: Database, key: str, version: int | None) -> PolicyVersion:
    """A version; the newest one without a number. Raises `NotFound`."""
    async with database.read() as session:
        if version is None:
            return await policies.latest_row(session, key)
        return await policies.version_row(session, key, version)


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step of a policy as people say it."""

    step: StepTemplate
    after: str
    asked: str
    wants: str
    reminds: str
    escalates: str

    @classmethod
    def of(cls, step: StepTemplate, policy: DiscountPolicy) -> StepWords:
        needs = {"one": "one of them has to agree", "all": "all of them have to agree"}
        levels = [
            f"{each.to.words}{f' after {business(each.after)}' if each.after else ''}"
            for each in step.escalate
        ]
        return cls(
            step=step,
            after=listed((each.title for each in policy.steps if each.key in step.after), "and"),
            asked=listed((rule.words for rule in step.approvers), "and"),
            wants=needs.get(str(step.needs), f"{step.needs} of them have to agree"),
            reminds="half of that"
            if step.remind == "half"
            else listed((business(each) for each in step.remind), "and"),
            escalates=listed(levels, "then"),
        )


def written(policy: DiscountPolicyDefinition) -> str:
    """The policy as the YAML that one would publish it from: all that one may want to change in it."""
    said = _as_typed(policy.model_dump(mode="json", exclude_none=True, exclude={"version"}))
    said |= {name: _with_numbers(said[name]) for name in ("standard", "grant")}
    text: str = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)
    return text


def _as_typed(value: Any) -> Any:
    """What one would type: nothing that is empty."""
    if isinstance(value, dict):
        return {name: _as_typed(each) for name, each in value.items() if each not in ([], {}, "")}
    return [_as_typed(each) for each in value] if isinstance(value, list) else value


def _with_numbers(value: Any) -> Any:
    """Percentages as numbers, which need no quotes."""
    if isinstance(value, dict):
        return {name: _with_numbers(each) for name, each in value.items()}
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        number = float(value)
        return int(number) if number.is_integer() else number
    return value


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of a comparison: `same`, `added`, `removed`, or a `gap` of lines that are the same."""

    kind: str
    text: str = ""


_KINDS = {" ": "same", "+": "added", "-": "removed", "@": "gap"}


def differences(before: str, after: str) -> Sequence[Difference]:
    """What is different, line by line; nothing where nothing is."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=AROUND)
    return [
        Difference(_KINDS[line[0]], "" if line[0] == "@" else line[1:])
        for line in list(lines)[2:]  # after the names of the files
    ]
