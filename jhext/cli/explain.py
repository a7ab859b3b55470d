"""``jhext explain``: what somebody may start, why, and the pod that would be sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._output import ExitCode, Output, OutputOption, cannot, print_json, screen

if TYPE_CHECKING:
    from rich.console import Console

    from ..offline.explain import Explanation
    from ..offline.view import OptionView
    from ..profiles.access import Decision

CONFIG_FILES = (Path("jhext.yaml"), Path("jupyterhub_config.py"))
"""Where a configuration is looked for, in this order."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: jhext explain ada --groups staff,lab:gpu --profile gpu --option size=large"
    app.command("explain", epilog=epilog)(explain)


def explain(
    user: Annotated[str, typer.Argument(help="The name, as JupyterHub has it.")],
    groups: Annotated[
        list[str] | None,
        typer.Option(help="Groups, separated by commas; if missing, those in load_groups."),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="The user is an admin.")] = False,
    claim: Annotated[
        list[str] | None, typer.Option(help="A claim as KEY=VALUE; the value may be JSON.")
    ] = None,
    server: Annotated[str, typer.Option(help="The name of a named server.")] = "",
    profile: Annotated[
        str | None, typer.Option(help="Start this profile, and show the pod that would be sent.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option of the profile as KEY=CHOICE.")
    ] = None,
    uid: Annotated[
        int | None, typer.Option(help="The uid, for a configuration with a section identity.")
    ] = None,
    gid: Annotated[int | None, typer.Option(help="The primary gid, likewise.")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="The time, such as 2026-10-01T09:00+02:00; UTC without a zone."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A jhext.yaml or a jupyterhub_config.py; if missing, the one in this folder.",
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Tell what somebody may start and why, what not and why not.

    With a profile, the pod that would be sent is shown, without secrets. Nothing is asked of a
    cluster or any other server. Ends with 0 when it may be started (or, without a profile, when
    anything may), with 1 when not, with 2 when the configuration cannot be read.
    """
    from ..offline.explain import Question, answer
    from ..profiles.access import Person
    from ..profiles.finding import ConfigurationError

    person = Person(
        user,
        frozenset(
            name.strip() for item in groups or () for name in item.split(",") if name.strip()
        ),
        admin,
        server,
        {key: _json(value) for key, value in _pairs(claim)},
        _time(at),
    )
    question = Question(person, groups is not None, profile, dict(_pairs(option)), uid, gid)
    try:
        explanation = answer(config or _found(), question)
    except ConfigurationError as error:
        cannot(error)
    if output is Output.JSON:
        print_json(asdict(explanation))
    else:
        _print(explanation, screen())
    raise typer.Exit(ExitCode.FINE if explanation.allowed else ExitCode.FOUND)


def _found() -> Path:
    for path in CONFIG_FILES:
        if path.exists():
            return path
    names = " or ".join(map(str, CONFIG_FILES))
    raise typer.BadParameter(f"there is no {names} in this folder", param_hint="--config")


def _pairs(values: Iterable[str] | None) -> Iterable[tuple[str, str]]:
    for item in values or ():
        key, equals, value = item.partition("=")
        if not equals:
            raise typer.BadParameter(f"{item!r} is not KEY=VALUE")
        yield key, value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time in ISO 8601", param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print(explanation: Explanation, console: Console) -> None:
    from ..offline.view import because

    # What is not the pod is a comment in YAML, so that all of it can be given to kubectl.
    mark = "# " if explanation.pod else ""
    groups = ", ".join(explanation.groups) or "no group"
    admin = "; an admin" if explanation.admin else ""
    console.print(f"{mark}{explanation.user} (in {groups}{admin})")
    verdict = explanation.start
    if verdict is None:
        for profile in explanation.profiles:
            _print_decision(profile.slug, profile.decision, 0, console)
            if profile.decision.allowed or profile.decision.rule == "profile_options":
                _print_options(profile.options, 1, console)
    elif verdict.allowed:
        what = verdict.profile or "the base configuration"
        console.print(f"{mark}may start {what}: {because(verdict.decision)}")
        for key, value in verdict.choices.items():
            console.print(f"{mark}  {key}={value}")
    else:
        _print_decision(explanation.asked, verdict.decision, 0, console)
        console.print(f"    the user reads: {verdict.told}")
    for note in explanation.notes:
        console.print(f"{mark}note: {note}", style="yellow")
    if explanation.pod:
        import yaml

        text = yaml.safe_dump(explanation.pod, sort_keys=False, allow_unicode=True)
        typer.echo(text, nl=False)


def _print_options(options: Iterable[OptionView], depth: int, console: Console) -> None:
    for option in options:
        console.print(f"{'    ' * depth}{option.key}")
        for choice in option.choices:
            _print_decision(choice.name, choice.decision, depth + 1, console)
            if choice.decision.allowed:
                _print_options(choice.options, depth + 2, console)


def _print_decision(name: str, decision: Decision, depth: int, console: Console) -> None:
    from ..offline.view import because

    word, style = ("yes", "green") if decision.allowed else ("no ", "red")
    console.print(f"{'    ' * depth}", end="")
    console.print(word, style=style, end="")
    console.print(f" {name}: {because(decision)}")
