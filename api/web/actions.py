"""The commands of a deal as small forms: what each asks for, who is offered it, what it sends.

What a page offers is a courtesy. Whether a command is allowed is decided by the deal's
own rules when it arrives.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.web.forms import Form
from db.session import Database
from domain.errors import NotFound
from domain.opportunity import commands as ask
from domain.opportunity.state import Opportunity, Status
from domain.principal import Action as Right
from domain.principal import Principal, Side


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; `kind` is an input's type, or area, choose, money or suggest (with a list)."""

    kind: str
    name: str
    words: str
    hint: str | None = None
    required: bool = True
    options: Sequence[tuple[Any, str]] = ()
    blank: str | None = None
    maxlength: int | None = None


@dataclass(frozen=True, slots=True)
class SheetWords:
    """What stands around the fields of a form; `hasty` where one may send it without filling in any."""

    title: str
    words: str
    lede: str = ""
    danger: bool = False
    hasty: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that somebody is about to give: on which deal, about what (a task's key, a partner's id)."""

    deal: Opportunity
    principal: Principal
    database: Database
    of: str = ""

    @property
    def of_id(self) -> UUID:
        """What it is about, as an id. Raises `NotFound` for anything else."""
        try:
            return UUID(self.of)
        except ValueError as wrong:
            raise NotFound("There is no such partner on this deal.") from wrong

    @property
    def task_title(self) -> str:
        """The title of the task that it is about. Raises `NotFound`."""
        task = self.deal.tasks.get(self.of)
        if task is None:
            raise NotFound("This deal has no such task.")
        return task.title


Words = str | Callable[[Asked], str]
Fields = Callable[[Asked], Awaitable[Sequence[Field]]]
MakeCommand = Callable[[Asked, Form], Awaitable[ask.Command]]


def _anybody(deal: Opportunity, principal: Principal) -> bool:
    del deal, principal
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """A command with its form. `done` is said on the next page, where the deal's own move does not say it."""

    name: str
    title: Words
    words: Words
    icon: str
    fields: Fields
    command: MakeCommand
    done: Words = "Done."
    lede: Words = ""
    offered: Callable[[Opportunity, Principal], bool] = _anybody
    initial: Callable[[Asked], Mapping[str, Any]] = lambda _: {}
    danger: bool = False
    guarded: bool = False


def said(words: Words, asked: Asked) -> str:
    """The words, made for the deal where they depend on it."""
    return words if isinstance(words, str) else words(asked)


@dataclass(frozen=True, slots=True)
class Offer:
    """A command in a deal's head: its most likely next step (`primary`), or one of the menu."""

    href: str
    words: str
    icon: str
    style: str = ""
    first: bool = False


def _is_working(deal: Opportunity) -> bool:
    return not deal.is_closed and deal.hold is None


def may_manage(deal: Opportunity, principal: Principal) -> bool:
    """Change, move, hold, close: the vendor's sales people, on a deal that is not closed."""
    return principal.may(Right.MANAGE_OPPORTUNITY) and not deal.is_closed


def offers_edit(deal: Opportunity, principal: Principal) -> bool:
    return may_manage(deal, principal)


def offers_move(deal: Opportunity, principal: Principal) -> bool:
    return may_manage(deal, principal) and deal.status is Status.OPEN


def offers_hold(deal: Opportunity, principal: Principal) -> bool:
    return may_manage(deal, principal) and deal.status is Status.OPEN


def offers_resume(deal: Opportunity, principal: Principal) -> bool:
    return principal.may(Right.MANAGE_OPPORTUNITY) and deal.status is Status.ON_HOLD


def offers_reopen(deal: Opportunity, principal: Principal) -> bool:
    return principal.may(Right.MANAGE_OPPORTUNITY) and deal.status is Status.LOST


def offers_lose(deal: Opportunity, principal: Principal) -> bool:
    return may_manage(deal, principal) and deal.status in (Status.OPEN, Status.ON_HOLD)


def offers_win(deal: Opportunity, principal: Principal) -> bool:
    return offers_move(deal, principal) and deal.playbook.next_stage(deal.stage.key) is None


def offers_advance(deal: Opportunity, principal: Principal) -> bool:
    """A sign-off is both sides' to give; else the vendor moves the deal on."""
    if deal.status is not Status.OPEN or not principal.may(Right.ADVANCE):
        return False
    if signs_off(deal):
        return all(not _is_mine(sign.side, principal) for sign in deal.stage.sign_offs)
    return principal.side is Side.VENDOR and deal.playbook.next_stage(deal.stage.key) is not None


def _is_mine(side: Side, principal: Principal) -> bool:
    return side is principal.side


def signs_off(deal: Opportunity) -> bool:
    """Whether the current stage is left by joint agreement."""
    stage = deal.playbook.stage(deal.stage.key)
    return stage is not None and stage.exit.by.value == "sign_off"


def offers_work(deal: Opportunity, principal: Principal) -> bool:
    return principal.may(Right.WORK_TASKS) and _is_working(deal)


def offers_check_in(deal: Opportunity, principal: Principal) -> bool:
    return principal.may(Right.NOTE) and deal.status is Status.OPEN


def offers_handoff(deal: Opportunity, principal: Principal) -> bool:
    return principal.may(Right.ACCEPT_HANDOFF) and deal.status is Status.WON and deal.handoff is not None
