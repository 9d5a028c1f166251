"""What a stage's triggers leave people to do: to ask again for an approval that was not given."""

from __future__ import annotations

from collections.abc import Sequence

from api.web import actions as offer
from api.web.actions import Action, Asked, Field
from api.web.forms import Form
from domain.errors import NotFound
from domain.opportunity import commands as ask
from domain.opportunity.blockers import awaited_approvals
from domain.opportunity.trigger_state import StageApproval
from runtime.ids import new_id


def _approval(asked: Asked) -> StageApproval:
    found = next((each for each in awaited_approvals(asked.deal) if str(each.id) == asked.of), None)
    if found is None:
        raise NotFound("This stage waits for no such approval.")
    return found


async def _no_fields(asked: Asked) -> Sequence[Field]:
    _approval(asked)
    return ()


async def _ask_again(asked: Asked, form: Form) -> ask.Command:
    del form
    return ask.AskStageApproval(approval_id=_approval(asked).id, id=new_id())


TRIGGER_ACTIONS = (
    Action(
        "ask-again",
        lambda asked: f"Ask again: {_approval(asked).title}",
        "Ask again",
        "rotate-ccw",
        _no_fields,
        _ask_again,
        done="It is asked for again.",
        lede=lambda asked: f"Another request goes to {_approval(asked).asked}.",
        offered=offer.offers_move,
    ),
)
