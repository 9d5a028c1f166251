"""The commands about files that people write: playbooks, discount policies, and behaviours to try them with.

Wiring only, like `cli`; each command imports what it needs when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

playbook = typer.Typer(no_args_is_help=True, help="Check, describe and publish playbooks.")
policy = typer.Typer(no_args_is_help=True, help="Check, describe, publish and try discount policies.")
behaviour = typer.Typer(no_args_is_help=True, help="Check and describe behaviours, for `tandem simulate`.")

PlaybookFiles = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Playbook files (YAML).")]
PolicyFiles = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Discount policy files (YAML).")]
BehaviourFiles = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Behaviour files (YAML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


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


@policy.command("validate")
def validate_policies(files: PolicyFiles, as_json: AsJson = False) -> None:
    """Check policy files, down to every rule, without publishing them."""
    from ops import policies

    policies.validate(files, as_json=as_json)


@policy.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from ops import policies

    typer.echo(policies.schema_text(), nl=False)


@policy.command("publish")
def publish_policies(files: PolicyFiles, as_json: AsJson = False) -> None:
    """Publish policy files, each as the next version; deals that run keep theirs."""
    from ops import policies

    policies.publish(files, as_json=as_json)


@policy.command("replay")
def replay_policy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A draft of a policy (YAML).")],
    as_json: AsJson = False,
) -> None:
    """Run all past requests through a draft, before it is published: what would change?"""
    from ops import policies

    policies.try_on(file, as_json=as_json)


@behaviour.command("validate")
def validate_behaviours(files: BehaviourFiles, as_json: AsJson = False) -> None:
    """Check behaviour files."""
    from ops import simulate as simulation

    simulation.validate(files, as_json=as_json)


@behaviour.command("schema")
def behaviour_schema() -> None:
    """Print the JSON Schema of behaviour files, for editors."""
    from ops import simulate as simulation

    typer.echo(simulation.schema_text(), nl=False)


def simulate(
    playbook: Annotated[str, typer.Argument(help="A playbook file (YAML), or the key of one that ships.")],
    *,
    behaviour: Annotated[str, typer.Option(help="How people behave: a file (YAML), or one that ships.")],
    deals: Annotated[int, typer.Option(help="How many deals.")] = 100,
    policy: Annotated[
        str | None,
        typer.Option(help="A discount policy: a file, or one that ships; the playbook's if not given."),
    ] = None,
    days: Annotated[int, typer.Option(help="How long, in days.")] = 365,
    seed: Annotated[int, typer.Option(help="The same seed answers the same.")] = 1,
    through_temporal: Annotated[
        int, typer.Option(help="Play so many of them through the real processes too, and compare.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Try a playbook and a policy on made-up deals, before they are published."""
    from ops.simulate import Wanted, run

    wanted = Wanted(playbook, behaviour, policy, deals, days, seed)
    run(wanted, through_temporal=through_temporal, as_json=as_json)
