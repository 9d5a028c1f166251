"""The `tandem` command: wiring only. What a command does is in `ops`, `worker` and `api`.

Each command imports what it needs when it runs, so that `tandem up` and
`tandem --help` do not wait for the libraries of all the others.
"""

from __future__ import annotations

import sys
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
