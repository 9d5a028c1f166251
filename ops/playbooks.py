"""`tandem playbook`: check playbook files, export their schema, publish them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from runtime.documents import Problem
from runtime.playbooks import InvalidPlaybook, playbook_schema, read_playbook

app = typer.Typer(no_args_is_help=True, help="Check, describe and publish playbooks.")

SHIPPED = Path(__file__).resolve().parent.parent / "examples" / "playbooks"


def shipped_playbooks() -> list[Path]:
    """The playbook files that come with Tandem, by name."""
    return sorted(SHIPPED.glob("*.yaml"))


def problems_in(files: Sequence[Path]) -> list[Problem]:
    """Everything that is wrong with these files; empty when all of them can be published."""
    found: list[Problem] = []
    for file in files:
        try:
            read_playbook(file)
        except InvalidPlaybook as invalid:
            found.extend(invalid.problems)
    return found


def schema_text() -> str:
    """The JSON Schema of a playbook file, as it is committed beside the examples."""
    return json.dumps(playbook_schema(), indent=2) + "\n"


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Playbook files (YAML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer the problems as JSON.")] = False,
) -> None:
    """Check playbook files, down to every CEL rule, without publishing them."""
    problems = problems_in(files)
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in problems], indent=2))
    for problem in problems if not as_json else []:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{len(files)} {'playbook is' if len(files) == 1 else 'playbooks are'} valid.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of playbook files, for editors."""
    typer.echo(schema_text(), nl=False)
