"""Random valid playbooks, for properties that hold whatever a playbook says."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from domain.playbook import Phase, Playbook

_durations = st.sampled_from([None, None, "8h", "3d", "2w", "6bh", "2bd"])
_roles = st.sampled_from([None, "reseller", "technology", "distributor"])


@st.composite
def _tasks(draw: st.DrawFn, prefix: str, least: int = 0) -> list[dict[str, Any]]:
    tasks = []
    for number in range(draw(st.integers(least, 3))):
        side = draw(st.sampled_from(["vendor", "partner"]))
        task: dict[str, Any] = {
            "key": f"{prefix}-{number}",
            "title": f"Task {prefix} {number}",
            "side": side,
            "required": number < least or draw(st.booleans()),
            "due": draw(_durations),
        }
        if side == "partner":
            task["partner_role"] = draw(_roles)
        if draw(st.booleans()):
            task["waive_by"] = draw(st.lists(st.sampled_from(["sales_rep", "partner_seller"]), max_size=2))
        tasks.append(task)
    return tasks


_exits = st.sampled_from(
    [
        {"by": "tasks"},
        {"by": "tasks", "advance": "automatic"},
        {"by": "tasks", "discount": "settled"},
        {"by": "sign_off"},
        {"by": "sign_off", "discount": "settled"},
        {"by": "sign_off", "advance": "automatic"},
        {"by": "rule", "rule": "deal.amount > 0.0"},
        {"by": "rule", "rule": "deal.amount > 0.0", "advance": "automatic"},
    ]
)


_spans = st.sampled_from([None, "1h", "3bh", "1bd", "1w"])
_rungs = st.one_of(
    st.fixed_dictionaries({"tell": st.sampled_from(["assignee", "other_side", "owner", "manager"])}),
    st.fixed_dictionaries(
        {"tell": st.sampled_from(["assignee", "owner"]), "before": st.sampled_from(["2h", "1d"])}
    ),
    st.fixed_dictionaries(
        {"tell": st.sampled_from(["other_side", "manager"]), "after": st.sampled_from(["2h", "1bd"])}
    ),
)
_ladders = st.fixed_dictionaries(
    {},
    optional={name: st.lists(_rungs, max_size=3) for name in ("task", "check_in", "stage", "close", "stale")},
)
_clocks = st.fixed_dictionaries(
    {"stale": _spans, "missed": _spans},
    optional={"close_near": st.sampled_from(["3d", "2w"]), "grant_near": st.sampled_from(["1d", "1w"])},
)


_rules = st.sampled_from([None, None, "deal.amount > 0.0", "deal.amount > 100000.0", "size(partners) > 1"])
_words = st.sampled_from(["Look here.", "It begins"])
_deeds = st.one_of(
    st.fixed_dictionaries(
        {"to": st.sampled_from(["owner", "assignees", "partners", "manager"]), "words": _words}
    ).map(lambda notify: {"notify": notify}),
    _words.map(lambda words: {"notify": {"to": "role", "role": "finance", "words": words}}),
    st.just({"approval": {"title": "Review", "role": "sales_director"}}),
    st.just({"approval": {"title": "Check", "approvers": [{"manager": True}], "due": "4h"}}),
    st.just({"campaign": {"key": "launch", "step": "invite"}}),
    st.just({"webhook": {"url": "https://hooks.example/x", "event": "stage.moved"}}),
)


@st.composite
def _triggers(draw: st.DrawFn, prefix: str, *, last: bool) -> list[dict[str, Any]]:
    deeds = draw(st.lists(_deeds, max_size=2)) if draw(st.booleans()) else []
    deeds += [{"task": task} for task in draw(_tasks(prefix))[:1]]
    found = [{**deed, "when": draw(_rules)} for deed in deeds]
    return [each for each in found if not (last and "approval" in each)]


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """One to four stages with any exit, up to three tasks each, and a hand-off."""
    phases = sorted(
        draw(st.lists(st.sampled_from(list(Phase)), min_size=1, max_size=4)), key=list(Phase).index
    )
    stages = []
    for number, phase in enumerate(phases):
        leaves = draw(_exits)
        least = 1 if leaves == {"by": "tasks", "advance": "automatic"} else 0
        stages.append(
            {
                "key": f"stage-{number}",
                "title": f"Stage {number}",
                "phase": phase,
                "probability": draw(st.integers(0, 100)),
                "target": draw(_durations),
                "check_in": draw(_durations),
                "exit": leaves,
                "tasks": draw(_tasks(f"s{number}", least)),
                "on_enter": draw(_triggers(f"enter{number}", last=False)),
                "on_leave": draw(_triggers(f"leave{number}", last=number == len(phases) - 1)),
            }
        )
    return Playbook.model_validate(
        {
            "key": "random",
            "version": 1,
            "title": "Random",
            "stages": stages,
            "clock": draw(_clocks),
            "ladders": draw(_ladders),
            "handoff": {"target": draw(_durations), "tasks": draw(_tasks("handoff"))},
        }
    )
