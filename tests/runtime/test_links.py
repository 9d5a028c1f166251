"""Signed links: whoever lacks the key makes none."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.notice import NoticeKind
from runtime import instance
from runtime.errors import CannotStart
from runtime.ids import new_id
from runtime.links import Links, Unsubscribing
from runtime.settings import Settings


def links(home: Path, key: str | None = None) -> Links:
    secret = SecretStr(key) if key else None
    return Links(Settings(home=home, public_url="https://tandem.example/", secret_key=secret))


def test_a_token_names_its_link_and_when_it_was_signed(tmp_path: Path):
    link = new_id()
    found = links(tmp_path).read(links(tmp_path).token(link))
    assert found is not None
    assert found[0] == link
    assert abs(found[1] - datetime.now(UTC)) < timedelta(minutes=1)
    assert links(tmp_path).address(link).startswith("https://tandem.example/decide/")


def test_a_token_that_we_did_not_make_names_nothing(tmp_path: Path):
    ours = links(tmp_path)
    token = ours.token(new_id())
    other = links(tmp_path / "other")
    for forged in (
        "",
        "x",
        token[:-1],
        token + "a",
        token.replace(".", "", 1),
        "é" * 20,
        "\0",
        token * 5,
        other.token(new_id()),
        str(new_id()),
    ):
        assert ours.read(forged) is None, forged


def test_the_key_that_is_set_counts_and_none_is_kept(tmp_path: Path):
    one, same = links(tmp_path, "k" * 32), links(tmp_path / "elsewhere", "k" * 32)
    assert same.read(one.token(new_id())) is not None
    assert not (tmp_path / "secret-key").exists()


def test_processes_that_start_at_once_keep_one_key_for_the_owner_alone(tmp_path: Path):
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as several:
        keys = set(several.map(lambda _: instance.secret_key(Settings(home=home)), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    assert [path.name for path in home.iterdir()] == ["secret-key"]
    assert stat.S_IMODE((home / "secret-key").stat().st_mode) == 0o600


def test_a_home_that_takes_no_key_is_said(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="TANDEM_SECRET_KEY"):
        instance.secret_key(Settings(home=tmp_path / "file"))


def test_a_way_out_names_a_person_and_kinds_and_is_good_for_nothing_else(tmp_path: Path):
    ours, person = links(tmp_path), new_id()
    kinds = [NoticeKind.TASK_DUE, NoticeKind.APPROVED, NoticeKind.TASK_DUE]
    token = ours.unsubscribe(person, kinds).removeprefix("https://tandem.example/unsubscribe/")
    found = ours.read_unsubscribe(token)
    assert found == Unsubscribing(person, (NoticeKind.APPROVED, NoticeKind.TASK_DUE))
    assert ours.read(token) is None
    every = ours.unsubscribe(person, list(NoticeKind)).rpartition("/")[2]
    assert ours.read_unsubscribe(every) == Unsubscribing(person, tuple(NoticeKind))
    other = links(tmp_path / "other")
    for forged in ("", "x", token[:-2], ours.token(person), token * 20, "\0", other.token(person)):
        assert ours.read_unsubscribe(forged) is None, forged
    assert other.read_unsubscribe(token) is None
