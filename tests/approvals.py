"""An office for tests of approvals: its people, a policy's steps, and a request played without a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.approval import commands as ask
from domain.approval.agenda import fall_due, next_due
from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.approval.draft import ApprovalEntry, ApprovalOutcome
from domain.approval.policy import PolicyRef, StepTemplate
from domain.approval.resolve import Judged, resolve
from domain.approval.rules import decide, resolved, submit, to_resolve, withdraw
from domain.approval.state import Approval, ApprovalState, Facts, Step, Subject
from domain.principal import Actor, Role, Side

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""A Monday at nine, when the office opens."""

VENDOR = UUID(int=1)
PARTNER = UUID(int=2)
DEAL = UUID(int=3)


def person(number: int, name: str, *roles: Role, **more: Any) -> PersonEntry:
    side = more.pop("side", Side.VENDOR)
    first = name.split(maxsplit=1)[0].lower()
    return PersonEntry(
        id=UUID(int=100 + number),
        name=name,
        email=more.pop("email", f"{first}@{side.value}.example"),
        roles=roles,
        organisation_id=VENDOR if side is Side.VENDOR else PARTNER,
        side=side,
        **more,
    )


ADA = person(9, "Ada Admin", Role.ADMIN)
DIANA = person(6, "Diana Director", Role.SALES_DIRECTOR)
RITA = person(1, "Rita Rep", Role.SALES_REP, manager_id=DIANA.id)
DORA = person(2, "Dora Desk", Role.DEAL_DESK)
DIRK = person(3, "Dirk Desk", Role.DEAL_DESK)
DINA = person(4, "Dina Desk", Role.DEAL_DESK)
FRED = person(5, "Fred Finance", Role.FINANCE)
SAM = person(7, "Sam Seller", Role.PARTNER_SELLER, side=Side.PARTNER)

OFFICE = Directory(people=(ADA, DIANA, RITA, DORA, DIRK, DINA, FRED, SAM))


def actor(entry: PersonEntry) -> Actor:
    return Actor(
        id=entry.id,
        name=entry.name,
        side=entry.side,
        organisation_id=entry.organisation_id,
        roles=entry.roles,
    )


def without(directory: Directory, *people: PersonEntry) -> Directory:
    """The office after these have left."""
    gone = {each.id for each in people}
    left = tuple(each.model_copy(update={"active": each.id not in gone}) for each in directory.people)
    return replace(directory, people=left)


def away(
    directory: Directory, who: PersonEntry, to: PersonEntry, *, since: datetime, until: datetime | None = None
) -> Directory:
    """The office while somebody is out of it."""
    more = Delegation(user_id=who.id, to_id=to.id, starts_at=since, ends_at=until)
    return replace(directory, delegations=(*directory.delegations, more))


def step(key: str = "desk", *approvers: dict[str, Any], **more: Any) -> StepTemplate:
    wanted = approvers or ({"role": "deal_desk"},)
    return StepTemplate.model_validate(
        {"key": key, "title": key.replace("-", " ").capitalize(), "approvers": wanted, **more}
    )


DESK = step("desk", escalate=[{"to": {"role": "sales_director"}}])
FINANCE = step("finance", {"role": "finance"})
DIRECTOR = step("director", {"role": "sales_director"}, after=("desk", "finance"))
CHAIN = (DESK, FINANCE, DIRECTOR)

NO = ask.Reject(comment="Too much.")
LESS = ask.Counter(percent="20", comment="This is what we can do.")
BACK = ask.Return(comment="Who is the competitor?")
"""Deal desk and finance in parallel, and the sales director after both."""


def judge(expression: str, facts: Facts) -> Any:
    """Python in the place of CEL: the facts by name."""
    return eval(expression, {"__builtins__": {}}, dict(facts))


def submission(*steps: StepTemplate, **more: Any) -> ask.Submit:
    templates = steps or CHAIN
    wanted: dict[str, Any] = {
        "id": UUID(int=50),
        "subject": Subject(title="ERP rollout", opportunity_id=DEAL, opportunity="ERP rollout"),
        "facts": {"discount": {"percent": 27.5}},
        "policy": PolicyRef(key="standard", version=3),
        "steps": templates,
        "fired": tuple(each.key for each in templates),
        "reason": "A competitor offers less.",
        "percent": "27.5",
        "expires_at": MONDAY + timedelta(days=30),
    }
    return ask.Submit.model_validate({**wanted, **more})


@dataclass
class Game:
    """One request, its office and its clock; each move resolves who is asked, as the workflow does."""

    directory: Directory = OFFICE
    now: datetime = MONDAY
    entries: list[ApprovalEntry] = field(default_factory=list)
    known: Approval | None = None

    @property
    def approval(self) -> Approval:
        assert self.known is not None
        return self.known

    def submit(self, *steps: StepTemplate, by: PersonEntry = RITA, **more: Any) -> Game:
        self._keep(submit(submission(*steps, **more), self.now, actor(by)))
        return self

    def ask(self, command: ask.Command, by: PersonEntry, judged: Judged | None = None) -> Game:
        self._keep(decide(self.approval, ask.Request(command=command, by=actor(by)), self.now, judged))
        if isinstance(command, ask.DelegateSeat):
            self.people_change(self.directory)
        return self

    def approve(self, *people: PersonEntry, **more: Any) -> Game:
        for each in people:
            self.ask(ask.Approve(**more), each)
        return self

    def withdraw(self, reason: str = "The deal was lost.") -> Game:
        self._keep(withdraw(self.approval, reason, self.now))
        return self

    def people_change(self, directory: Directory) -> Game:
        self.directory = directory
        self._resolve(again=True)
        return self

    def pass_time(self, until: datetime | timedelta) -> Game:
        """Let every clock ring up to then, in order."""
        end = self.now + until if isinstance(until, timedelta) else until
        while self.approval.is_open and (due := next_due(self.approval)) is not None and due <= end:
            self.now = max(self.now, due)
            self._keep(fall_due(self.approval, self.now))
        self.now = max(self.now, end)
        return self

    def _keep(self, outcome: ApprovalOutcome) -> None:
        self.known = outcome.approval
        self.entries.extend(outcome.entries)
        self._resolve()

    def _resolve(self, *, again: bool = False) -> None:
        while wants := to_resolve(self.approval, self.now, again=again):
            outcome = resolved(self.approval, resolve(wants, self.directory, judge), self.now)
            self.known, again = outcome.approval, False
            self.entries.extend(outcome.entries)

    @property
    def state(self) -> ApprovalState:
        return self.approval.state

    @property
    def words(self) -> list[str]:
        return [entry.words for entry in self.entries]

    def step(self, key: str = "desk") -> Step:
        found = self.approval.step(key)
        assert found is not None
        return found

    def asked(self, key: str = "desk") -> list[str]:
        """First names of who may decide on the step."""
        return names(each.name for each in self.step(key).approvers)


def names(full: Iterable[str]) -> list[str]:
    return [each.split()[0] for each in full]
