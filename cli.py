"""The `tandem` command: wiring only. What a command does is in `ops`, `worker` and `api`.

Each command imports what it needs when it runs, so that `tandem up` and
`tandem --help` do not wait for the libraries of all the others.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import TandemError
from runtime.settings import Settings, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tandem: a vendor and its partners work one opportunity together.",
)

playbook = typer.Typer(no_args_is_help=True, help="Check, describe and publish playbooks.")
app.add_typer(playbook, name="playbook")

PlaybookFiles = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Playbook files (YAML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Make demo data on the first run.")] = True,
    stop_with_parent: Annotated[
        bool, typer.Option("--stop-with-parent", hidden=True, help="Stop when the calling process is gone.")
    ] = False,
) -> None:
    """Start everything in this terminal: PostgreSQL, Temporal, worker, API and web."""
    from ops.up import up as run_all
    from runtime import aio

    aio.run(run_all(load(), demo=demo, stop_with_parent=stop_with_parent))


@app.command()
def worker() -> None:
    """Run workflows and activities until told to stop."""
    from runtime import aio
    from worker import work

    aio.run(work(_started("worker")))


@app.command()
def api() -> None:
    """Serve the web and the API until told to stop."""
    from api.serve import serve
    from runtime import aio

    aio.run(serve(_started("api")))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from db.migrate import upgrade

    settings = _started("migrate")
    upgrade(settings.database_url or "")
    typer.echo("The database is up to date.")


@playbook.command()
def validate(files: PlaybookFiles, as_json: AsJson = False) -> None:
    """Check playbook files, down to every rule, without publishing them."""
    from ops import playbooks

    playbooks.validate(files, as_json=as_json)


@playbook.command()
def schema() -> None:
    """Print the JSON Schema of playbook files, for editors."""
    from ops import playbooks

    typer.echo(playbooks.schema_text(), nl=False)


@playbook.command()
def publish(files: PlaybookFiles, as_json: AsJson = False) -> None:
    """Publish playbook files, each as the next version; deals that run keep theirs."""
    from ops import playbooks

    playbooks.publish(files, as_json=as_json)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="The folder of the export, or its CSV of opportunities.")],
    mapping: Annotated[
        Path | None, typer.Option(help="How to read it (YAML); mapping.yaml beside the export if not given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    rejects: Annotated[Path, typer.Option(help="Where rows that are not taken go, with the reason.")] = Path(
        "import-rejects.csv"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Answer the numbers as JSON.")] = False,
) -> None:
    """Take over the opportunities of another CRM; what is there already stays as it is."""
    from ops.crm_import import Wanted, import_and_show
    from runtime import aio

    wanted = Wanted.of(source, mapping, dry_run=dry_run, rejects=rejects)
    aio.run(import_and_show(_started("import"), wanted, as_json=as_json))


def _started(role: str) -> Settings:
    """The settings, knowing the servers that `tandem up` runs, with the logs set up."""
    from runtime import instance, logging

    settings = instance.located(load())
    logging.configure(settings, role)
    return settings


def main() -> None:
    """The entry point: a refusal is one sentence and exit code 1, never a traceback."""
    try:
        app()
    except TandemError as refused:
        typer.echo(f"tandem: {refused.detail}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
