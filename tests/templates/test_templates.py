"""Every template compiles, every page has a title, and every asset is what the manifest says."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from jinja2 import meta

from api.web.filters import STATIC
from api.web.rendering import TEMPLATES, environment

ALL = sorted(
    name
    for name in environment().list_templates(extensions=["html"])
    if not name.startswith("mail/")  # no pages: `test_mail_templates` looks at them
)
PAGES = [name for name in ALL if '{% extends "layouts/base.html" %}' in (TEMPLATES / name).read_text()]
REGISTRIES = re.compile(r"npmjs|registry\.|jsdelivr|unpkg|sourceMappingURL", re.IGNORECASE)


@pytest.mark.parametrize("name", ALL)
def test_every_template_compiles(name: str):
    assert environment().get_template(name).name == name


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_a_title_of_its_own(name: str):
    title = re.search(r"{% block title %}(.+?){% endblock %}", (TEMPLATES / name).read_text())
    assert title is not None
    assert title[1].strip()


@pytest.mark.parametrize("name", ALL)
def test_no_template_carries_script_or_style_inside(name: str):
    """The content security policy forbids both; so they would silently do nothing."""
    text = (TEMPLATES / name).read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("name", ALL)
def test_every_template_that_is_named_exists(name: str):
    source = (TEMPLATES / name).read_text()
    named = meta.find_referenced_templates(environment().parse(source))
    assert set(named) <= set(ALL)


def test_vendored_files_are_those_of_the_manifest():
    vendor = STATIC / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text())
    said = {path: digest for package in manifest for path, digest in package["sha256"].items()}
    there = {
        str(path.relative_to(vendor)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert there == said
    assert all(package["licence"] and f"{folder(package)}/LICENSE" in said for package in manifest)


def folder(package: dict[str, str]) -> str:
    return package["name"].rsplit("/", 1)[-1]


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.*")), ids=lambda path: str(path.relative_to(STATIC)))
def test_no_asset_points_to_a_registry(path: Path):
    if path.suffix in {".js", ".css", ".html", ".json", ".svg"}:
        assert not REGISTRIES.search(path.read_text(errors="replace"))
