"""What the sandbox loads again for each process that it begins."""

from __future__ import annotations

import ast
from pathlib import Path

import workflows
from workflows.registry import WORKFLOWS


def test_a_process_does_not_load_the_others_with_it():
    files = {Path(f"{each.__module__.replace('.', '/')}.py") for each in WORKFLOWS}
    root = Path(workflows.__file__).parents[1]
    others = {".".join(file.with_suffix("").parts) for file in files} | {"workflows.registry"}
    for file in (Path("workflows/__init__.py"), *files):
        found = ast.walk(ast.parse((root / file).read_text()))
        imported = {each.module for each in found if isinstance(each, ast.ImportFrom)}
        assert not imported & others, file
