"""The `tandem` command: wiring only. What a command does is in `ops`, `worker` and `api`.

Each command imports what it needs when it runs, so that `tandem up` and
`tandem --help` do not wait for the libraries of all the others.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer
from typer.exceptions import TyperException

from domain.errors import TandemError
from ops import file_commands
from ops.file_commands import AsJson
from runtime.settings import Settings, load

if TYPE_CHECKING:
    from db.session import Database

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tandem: a vendor and its partners work one opportunity together.",
)

app.add_typer(file_commands.playbook, name="playbook")
app.add_typer(file_commands.policy, name="policy")
app.add_typer(file_commands.behaviour, name="behaviour")
app.command()(file_commands.simulate)

keys = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(keys, name="keys")


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


WhenTold = Annotated[
    bool, typer.Option("--when-told", hidden=True, help="Take settings from standard input, as JSON.")
]


@app.command()
def worker(when_told: WhenTold = False) -> None:
    """Run workflows and activities until told to stop."""
    from runtime import aio
    from worker import work

    aio.run(work(_started("worker", when_told=when_told)))


@app.command()
def api(
    migrate: Annotated[bool, typer.Option(help="Bring the database up to date first.")] = False,
    when_told: WhenTold = False,
) -> None:
    """Serve the web and the API until told to stop."""
    from api.serve import serve
    from ops.setup import make_ready
    from runtime import aio

    settings = _started("api", when_told=when_told)
    if migrate:
        aio.run(make_ready(settings.database_url or ""))
    aio.run(serve(settings))


@app.command()
def migrate(when_told: WhenTold = False) -> None:
    """Bring the database's schema up to date; a new one gets the playbooks that ship."""
    from ops.setup import make_ready
    from runtime import aio

    settings = _started("migrate", when_told=when_told)
    aio.run(make_ready(settings.database_url or ""))
    if not when_told:
        typer.echo("The database is up to date.")


@app.command()
def health(process: Annotated[Literal["api", "worker"], typer.Argument(help="Which one to ask.")]) -> None:
    """Say whether the API or the worker of this machine does its work: exit code 0 when it does."""
    if process == "api":
        from ops.health_api import check_api

        check_api(load())
    else:
        from ops.health_worker import check_worker
        from runtime import aio, instance

        settings = load()
        aio.run(check_worker(settings if settings.temporal_address else instance.located(settings)))


@app.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(help="The folder of the export, or its CSV of opportunities; the CSV of products."),
    ],
    *,
    mapping: Annotated[
        Path | None, typer.Option(help="How to read it (YAML); mapping.yaml beside the export if not given.")
    ] = None,
    layout: Annotated[
        Literal["csv", "products"],
        typer.Option("--format", help="csv: an export of opportunities. products: a price list (CSV)."),
    ] = "csv",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    rejects: Annotated[Path, typer.Option(help="Where rows that are not taken go, with the reason.")] = Path(
        "import-rejects.csv"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Answer the numbers as JSON.")] = False,
) -> None:
    """Take over the opportunities of another CRM, or a price list; the same again changes nothing."""
    from runtime import aio

    if layout == "products":
        from ops import product_import

        settings = _started("import")
        aio.run(
            product_import.import_and_show(
                settings, source, dry_run=dry_run, rejects=rejects, as_json=as_json
            )
        )
        return
    from ops.crm_import import Wanted, import_and_show

    wanted = Wanted.of(source, mapping, dry_run=dry_run, rejects=rejects)
    aio.run(import_and_show(_started("import"), wanted, as_json=as_json))


@app.command()
def demo() -> None:
    """Make demo people, playbooks and deals; what is there already stays as it is."""
    from rich.progress import Progress

    from ops.demo import demo as make
    from runtime import aio

    settings = _started("demo")
    with Progress(disable=not sys.stdout.isatty(), transient=True) as progress:
        new = aio.run(make(settings, progress))
    typer.echo(f"The demo is ready: {new} new deals.")


@app.command()
def setup(
    vendor: Annotated[str, typer.Option(help="The vendor's name.")],
    email: Annotated[str, typer.Option(help="The first administrator's address.")],
    name: Annotated[str, typer.Option(help="The first administrator's name.")],
    password: Annotated[
        str,
        typer.Option(
            prompt=True, hide_input=True, envvar="TANDEM_SETUP_PASSWORD", help="Asked for if not given."
        ),
    ],
) -> None:
    """Prepare an empty database: the vendor and a first administrator."""
    from ops.setup import setup as prepare
    from runtime import aio

    async def run() -> None:
        async with _database("setup") as database:
            await prepare(database, vendor=vendor, email=email, name=name, password=password)

    aio.run(run())
    typer.echo(f"{vendor} is ready; sign in as {email}.")


@keys.command("create")
def create_key(
    email: Annotated[str, typer.Option(help="Whose key it is.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
) -> None:
    """Make an API key; prints its token alone. It is shown this once."""
    from ops.keys import create_key as make
    from runtime import aio

    async def run() -> str:
        async with _database("keys") as database:
            return await make(database, email=email, name=name)

    typer.echo(aio.run(run()))


@app.command()
def doctor(
    rebuild: Annotated[
        UUID | None, typer.Option(metavar="OPPORTUNITY", help="Restore a deal's rows from its workflow.")
    ] = None,
    recount: Annotated[bool, typer.Option("--recount", help="Add up the pipeline's totals anew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with this installation, and what to do; show the settings in effect."""
    from ops import doctor as look
    from runtime import aio

    if rebuild is not None:
        typer.echo(aio.run(look.rebuild_opportunity(_started("doctor"), rebuild)))
    if recount:
        typer.echo(aio.run(look.recount_pipeline(_started("doctor"))))
    if recount or rebuild is not None:
        return
    settings = _started("doctor")
    findings = aio.run(look.examine(settings))
    typer.echo(look.report(settings, findings, as_json=as_json))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def export(
    email: Annotated[str, typer.Option(help="Who exports: what this person sees is what is written.")],
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output if not given.")] = None,
    layout: Annotated[Literal["csv", "jsonl"], typer.Option("--format", help="CSV, or JSON lines.")] = "csv",
) -> None:
    """Write all opportunities to a file, for a spreadsheet or another system."""
    from ops.export import export_as, writable
    from runtime import aio

    async def run() -> int:
        async with _database("export") as database:
            with writable(file) as out:
                return await export_as(database, email, out, layout)

    count = aio.run(run())
    typer.echo(f"{count:,} opportunities are exported.", err=True)


@app.command()
def replay(
    limit: Annotated[int, typer.Option(min=1, help="How many workflows at most.")] = 1000,
) -> None:
    """Replay the deals that run now with this version, before it is deployed: would they go on?"""
    from rich.progress import Progress

    from ops.replay import replay as run_all
    from runtime import aio
    from runtime.temporal_client import connect

    settings = _started("replay")

    async def run() -> str:
        with Progress(disable=not sys.stdout.isatty(), transient=True) as progress:
            return str(await run_all(await connect(settings), progress, limit))

    typer.echo(aio.run(run()))


@app.command("replay-log")
def replay_log(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An event log (CSV, gzipped or not).")],
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say as which policy it is expressed.")] = False,
) -> None:
    """Play another organisation's approvals through Tandem's, and compare who was asked and how it ended."""
    from ops.replay_log import replay_log as play
    from ops.replay_log import report

    typer.echo(report(play(file), as_json=as_json, verbose=verbose))


@app.command()
def bench() -> None:
    """Measure Tandem on this machine, with a stack of its own; wants a source tree."""
    from runtime import aio
    from runtime.errors import CannotStart

    try:
        from tests.bench import commands, pipeline
    except ImportError as missing:
        raise CannotStart("Measuring wants a source tree with its test tools: make bench.") from missing
    aio.run(commands.main(rounds=300, clients=64, seconds=15))
    aio.run(pipeline.main(deals=100_000, requests=200, share=0.24))


def _started(role: str, *, when_told: bool = False) -> Settings:
    """The settings, knowing the servers that `tandem up` runs, with the logs set up."""
    from runtime import instance, logging

    if when_told:
        os.environ.update(json.loads(sys.stdin.readline() or sys.exit()))
    settings = instance.located(load())
    logging.configure(settings, role)
    return settings


@asynccontextmanager
async def _database(role: str) -> AsyncIterator[Database]:
    """The database of the settings, for one command."""
    from db.session import Database as Pool
    from runtime.errors import CannotStart

    settings = _started(role)
    if settings.database_url is None:
        raise CannotStart("No database is known: start one with `tandem up`, or set TANDEM_DATABASE_URL.")
    pool = Pool(settings.database_url, pool_size=2)
    try:
        yield pool
    finally:
        await pool.close()


def main() -> None:
    """The entry point: a refusal is one sentence and exit code 1, never a traceback."""
    gc.disable()  # loading libraries makes no garbage; `aio.run` has it looked for again
    try:
        sys.exit(app(prog_name="tandem", standalone_mode=False))
    except TyperException as misused:
        typer.echo(_usage(misused), err=True, nl=False)
        sys.exit(misused.exit_code)
    except TandemError as refused:
        typer.echo(f"tandem: {refused.detail}", err=True)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)


def _usage(misused: TyperException) -> str:
    """What was typed wrong and where to look, in a line; nothing where the help was printed instead."""
    said = misused.format_message().strip().removesuffix(".")
    context: typer.Context | None = getattr(misused, "ctx", None)
    where = context.command_path if context else "tandem"
    stop = "" if said.endswith("?") else "."
    return f"tandem: {said}{stop} Try `{where} --help`.\n" if said else ""


if __name__ == "__main__":
    main()
