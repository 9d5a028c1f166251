"""How several things are named, what belongs to whom, and what is long."""

from __future__ import annotations

import pytest

from domain.opportunity.wording import listed, possessive, shortened


@pytest.mark.parametrize(
    ("items", "sentence"),
    [([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")],
)
def test_several_things_are_named_as_people_do(items, sentence):
    assert listed(items) == sentence
    assert listed(iter(items), "and") == sentence.replace(" or ", " and ")


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("Aster Integrators", "Aster Integrators'"),
        ("BOREALIS", "BOREALIS'"),
        ("the vendor", "the vendor's"),
    ],
)
def test_what_belongs_to_whom(name, whose):
    assert possessive(name) == whose


@pytest.mark.parametrize(
    ("text", "short"),
    [("as it is", "as it is"), ("on\ntwo  lines", "on two lines"), ("much too long for it", "much too lo…")],
)
def test_what_is_long_is_cut_and_says_so(text, short):
    assert shortened(text, 12) == short
