"""Who is asked, and until when: a policy's steps, the directory and the facts brought together.

Pure: an activity reads the directory, passes the CEL evaluator in as `Judge`, and
keeps the answer in the approval. Four eyes: whoever asked is left out everywhere,
and so is whoever would stand in for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.approval.clocks import clocks
from domain.approval.directory import Directory, PersonEntry
from domain.approval.policy import FINAL_BACKUP, ApproverRule, Needs, StepTemplate
from domain.approval.state import Alarm, Approver, Facts, HandedSeat, Step, StepState
from domain.errors import TandemError
from domain.made import made
from domain.opportunity.state import Person
from domain.principal import Side
from domain.value import Value

Judge = Callable[[str, Facts], Any]
"""Evaluates a CEL expression over the facts; raises a `TandemError` where it cannot."""


class Want(Value):
    """A step whose approvers are to be found: as it opens, as it escalates, or anew.

    `wanted` is None as it opens; `wanted_before` is what it was where an offer had closed it. `approvals`
    have been given; who is in `decided` is out: they or their stand-ins have decided.
    """

    template: StepTemplate
    level: int = 0
    wanted: int | None = None
    wanted_before: int | None = None
    approvals: int = 0
    decided: tuple[UUID, ...] = ()
    handed: tuple[HandedSeat, ...] = ()


class Resolving(Value):
    """What the directory is asked for one approval, as of `at` (UTC).

    `owned` is a deal in whose owner's name it is asked, whoever owns it by then: see `barring`.
    """

    wants: tuple[Want, ...]
    facts: Facts
    askers: tuple[UUID, ...]
    requester_id: UUID | None
    backup: tuple[ApproverRule, ...] = ()
    at: AwareDatetime
    owned: UUID | None = None

    def barring(self, owner_id: UUID | None) -> Resolving:
        """The same without the person who owns the deal now: nobody decides on what is theirs."""
        if owner_id is None or owner_id in self.askers:
            return self
        return self.but(askers=(*self.askers, owner_id))


class Resolved(Value):
    """Who may decide on a step. Not `enough` when no level has as many people as have to agree.

    `due_at` and `alarms` are given as the step opens; `recheck_at` says when a stand-in comes or goes.
    """

    key: str
    approvers: tuple[Approver, ...]
    level: int
    wanted: int
    enough: bool
    due_at: AwareDatetime | None = None
    alarms: tuple[Alarm, ...] = ()
    recheck_at: AwareDatetime | None = None


class Resolution(Value):
    """The answer for each step that was asked for."""

    steps: tuple[Resolved, ...]


class Judged(Value):
    """What a request is judged by as it is submitted again, or an offer is taken, and the steps it needs.

    `terms` say what would be granted then; none where nothing about that is known anew.
    """

    facts: Facts
    fired: tuple[str, ...]
    terms: dict[str, str] = Field(default={})


def fired(templates: Sequence[StepTemplate], facts: Facts, judge: Judge) -> tuple[str, ...]:
    """The keys of the steps that these facts need. What cannot be judged is needed: better asked in vain."""
    return tuple(each.key for each in templates if each.when is None or _holds(each.when, facts, judge))


def _holds(expression: str, facts: Facts, judge: Judge) -> bool:
    try:
        return judge(expression, facts) is not False
    except TandemError:
        return True


def steps_of(templates: Sequence[StepTemplate], keys: Iterable[str]) -> tuple[Step, ...]:
    """The steps with these keys as they begin.

    One that comes after a step that is not needed waits for what that one would have waited for.
    """
    by_key = {template.key: template for template in templates}
    needed = frozenset(keys)
    return tuple(
        made(
            Step,
            key=each.key,
            title=each.title,
            rule=each.words,
            needs=each.needs,
            after=_before(each, by_key, needed),
        )
        for each in templates
        if each.key in needed
    )


def _before(step: StepTemplate, by_key: dict[str, StepTemplate], needed: frozenset[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for key in step.after:
        if key in needed:
            found[key] = None
        else:
            found.update(dict.fromkeys(_before(by_key[key], by_key, needed)))
    return tuple(found)


def resolve(request: Resolving, directory: Directory, judge: Judge) -> Resolution:
    """Who may decide on each step, with the clocks of those that open."""
    return Resolution(
        steps=tuple(_Seating(want, request, directory, judge).found() for want in request.wants)
    )


def preview(
    templates: Sequence[StepTemplate],
    keys: Iterable[str],
    request: Resolving,
    directory: Directory,
    judge: Judge,
) -> tuple[Step, ...]:
    """Who would be asked if it were submitted now: the steps as they would open, in order.

    A step without approvers is one that nobody may decide. `due_at` of a later step is what
    it would be if it began now.
    """
    shown = []
    for step in steps_of(templates, keys):
        template = next(each for each in templates if each.key == step.key)
        found = _Seating(Want(template=template), request, directory, judge).found()
        state = StepState.WAITING if step.after else StepState.OPEN
        shown.append(
            step.but(
                state=state,
                approvers=found.approvers if found.enough else (),
                wanted=found.wanted,
                level=found.level,
                due_at=found.due_at,
                alarms=found.alarms,
            )
        )
    return tuple(shown)


def wanted_of(needs: Needs, people: int) -> int:
    """How many have to agree where so many are asked."""
    if needs == "all":
        return max(people, 1)
    return 1 if needs == "one" else needs


class _Seating:
    """Fills the seats of one step, level by level."""

    def __init__(self, want: Want, request: Resolving, directory: Directory, judge: Judge) -> None:
        self.want = want
        self.request = request
        self.directory = directory
        self.judge = judge
        self.barred = frozenset(request.askers)
        self.backup = want.template.backup or request.backup or FINAL_BACKUP
        self.seats: dict[UUID, Approver] = {}
        self.absent: dict[UUID, Approver] = {}
        """Whose stand-in sits there already: asked themselves only where nobody else is left."""
        self.nominal: dict[UUID, None] = {}

    def found(self) -> Resolved:
        template = self.want.template
        last = len(template.escalate) + 1
        self._sit(0)
        want = self.want
        people = len(self.seats) + want.approvals
        wanted = want.wanted or want.wanted_before or wanted_of(template.needs, people)
        needed = max(wanted - want.approvals, 1)
        level = 0
        while level < last and (level < self.want.level or len(self.seats) < needed):
            level += 1
            self._sit(level)
        for seat in self.absent.values():
            if len(self.seats) < needed:
                self.seats[seat.id] = seat
        enough = len(self.seats) >= needed
        due_at, alarms = self._clocks(level, needed) if self.want.wanted is None and enough else (None, ())
        return Resolved(
            key=template.key,
            approvers=tuple(self.seats.values()),
            level=level,
            wanted=wanted,
            enough=enough,
            due_at=due_at,
            alarms=alarms,
            recheck_at=self._recheck_at(),
        )

    def _clocks(self, level: int, needed: int) -> tuple[datetime, tuple[Alarm, ...]]:
        calendars = [
            person.calendar for seat in self.seats if (person := self.directory.person(seat)) is not None
        ]
        return clocks(self.want.template, calendars, needed, self.request.at, level)

    def _recheck_at(self) -> datetime | None:
        ends = [
            each.until for each in self.want.handed if each.until is not None and self.request.at < each.until
        ]
        change = self.directory.next_change(self.nominal, self.request.at)
        return min([*ends, change] if change is not None else ends, default=None)

    def _sit(self, level: int) -> None:
        """Seat whom this level names: first who is there, then who stands in for somebody away."""
        people = self._of_level(level)
        self.nominal.update(dict.fromkeys(person.id for person, _ in people))
        away: list[tuple[PersonEntry, str, Approver]] = []
        for person, via in people:
            if not self._may_sit(person) or person.id in self.want.decided or person.id in self.seats:
                continue
            other = self._instead(person, via, level)
            if other is None:
                self.seats[person.id] = _seat(person, via, level)
            else:
                away.append((person, via, other))
        for person, via, other in away:
            if other.id in self.seats or other.id in self.want.decided:
                self.absent[person.id] = _seat(person, via, level)
            else:
                self.seats[other.id] = other

    def _instead(self, person: PersonEntry, via: str, level: int) -> Approver | None:
        """Who sits in this person's place: by hand for this step, or while the person is away."""
        at = self.request.at
        places: list[tuple[UUID, datetime | None]] = [
            (each.to.id, each.until)
            for each in self.want.handed
            if each.from_id == person.id and each.holds(at)
        ]
        if away := self.directory.stand_in(person.id, at, self.barred):
            places.append((away.person_id, away.until))
        for other_id, until in places:
            other = self.directory.person(other_id)
            if other is not None and self._may_sit(other):
                absent = made(Person, id=person.id, name=person.name)
                return _seat(other, via, level).but(stands_in_for=absent, until=until)
        return None

    def _may_sit(self, person: PersonEntry) -> bool:
        """Whether somebody may decide on this request at all (four eyes; the vendor's people only)."""
        return person.active and person.side is Side.VENDOR and person.id not in self.barred

    def _is_left(self, person: PersonEntry) -> bool:
        """Whether somebody can still be asked."""
        asked = person.id in self.seats or person.id in self.want.decided
        return self._may_sit(person) and not asked

    def _of_level(self, level: int) -> list[tuple[PersonEntry, str]]:
        """The people whom a level names, each with the rule in words, in the rules' order."""
        template = self.want.template
        if level == 0:
            return self._named(template.approvers)
        if level <= len(template.escalate):
            return self._named((template.escalate[level - 1].to,))
        for rule in self.backup:
            people = self._named((rule,))
            if any(self._is_left(person) for person, _ in people):
                return people
        return []

    def _named(self, rules: Iterable[ApproverRule]) -> list[tuple[PersonEntry, str]]:
        found: dict[UUID, tuple[PersonEntry, str]] = {}
        for rule in rules:
            for person in self._people(rule):
                found.setdefault(person.id, (person, rule.words))
        return list(found.values())

    def _people(self, rule: ApproverRule) -> Sequence[PersonEntry]:
        if rule.role is not None:
            return self.directory.with_role(rule.role)
        if rule.manager:
            asker = self.request.requester_id
            manager = self.directory.manager_of(asker) if asker is not None else None
            return [manager] if manager is not None else []
        asked = self.request
        by_mail = [rule.person] if rule.person else addresses(rule.rule or "", asked.facts, self.judge)
        people = (self.directory.by_email(address) for address in by_mail)
        return [person for person in people if person is not None]


def addresses(expression: str, facts: Facts, judge: Judge) -> list[str]:
    """Whom a rule names by e-mail; nobody, where it cannot be judged or answers something else."""
    try:
        answer = judge(expression, facts)
    except TandemError:
        return []
    return [each for each in answer if isinstance(each, str)] if isinstance(answer, list) else []


def _seat(person: PersonEntry, via: str, level: int) -> Approver:
    return made(Approver, id=person.id, name=person.name, via=via, level=level)
