"""The tree of errors: stable codes, sentences, and the way back from a code."""

from __future__ import annotations

import pytest

from domain.errors import BY_CODE, InvalidInput, StaleVersion, TandemError, from_code


def every(kind):
    return [kind, *(found for child in kind.__subclasses__() for found in every(child))]


ALL = [kind for kind in every(TandemError) if kind.__module__ == "domain.errors"]


def test_no_two_errors_share_a_code():
    assert len({kind.code for kind in ALL}) == len(ALL)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_every_error_says_what_it_is(kind):
    assert kind.__doc__
    assert kind.__doc__.strip().endswith(".")
    assert kind.title
    assert 400 <= kind.status < 600
    assert BY_CODE[kind.code] is kind


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_an_error_crosses_a_process_as_its_code(kind):
    error = from_code(kind.code, "Try it tomorrow.", {"version": 3})
    assert type(error) is kind
    assert (error.detail, str(error), error.extra) == ("Try it tomorrow.", "Try it tomorrow.", {"version": 3})


def test_a_code_from_a_newer_version_is_a_plain_error():
    error = from_code("not_invented_yet", "Update first.")
    assert (type(error), error.detail, error.extra) == (TandemError, "Update first.", {})


def test_invalid_input_points_to_where():
    error = InvalidInput("Give a title.", pointer="/title")
    assert error.extra == {"errors": [{"pointer": "/title", "detail": "Give a title."}]}
    assert InvalidInput("Give a title.").extra == {}


def test_what_was_pointed_at_survives_the_crossing():
    error = InvalidInput("Give a title.", pointer="/title")
    assert from_code(error.code, error.detail, error.extra).extra == error.extra


def test_further_members_ride_along():
    assert StaleVersion("It has changed.", version=7).extra == {"version": 7}
