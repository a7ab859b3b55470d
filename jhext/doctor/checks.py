"""The checks: pure, each from what a configuration needs and what was seen to lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..cluster.rbac import needs_of
from .model import Answer, Cluster, Level, Line, World
from .plan import Plan

OLDEST = (1, 20)
"""The oldest Kubernetes that jhext is tested with."""

SKEW_WARNING, SKEW_ERROR = 5.0, 60.0
"""Seconds: tokens and the ages of servers are compared across clocks."""

RBAC = "apply what `jhext rbac` prints"
INDEX = "CREATE INDEX ix_spawners_user_id ON spawners (user_id)"

Check = Callable[[Plan, World], Iterator[Line]]


def _reached(plan: Plan, world: World) -> Iterator[Line]:
    if world.cluster and world.cluster.problem:
        fix = "run this in the hub's pod, or name a kubeconfig"
        yield Line("cluster", "error", world.cluster.problem, fix)


def _version(plan: Plan, world: World) -> Iterator[Line]:
    if (cluster := _answering(world)) and cluster.version:
        text = f"Kubernetes {cluster.version[0]}.{cluster.version[1]}"
        if cluster.version < OLDEST:
            fix = f"update it: jhext is tested with {OLDEST[0]}.{OLDEST[1]} and newer"
            yield Line("version", "warning", text, fix)
        else:
            yield Line("version", "ok", text)


def _rights(plan: Plan, world: World) -> Iterator[Line]:
    if not (cluster := _answering(world)):
        return
    needs = {(need.resource, need.verb): need for need in needs_of(plan.features)}
    missing = [need for key, need in needs.items() if cluster.allowed.get(key) is False]
    for need in missing:
        text = f"the hub may not {need.verb} {need.resource}: {need.reason}"
        yield Line("rights", "error", text, RBAC)
    if unknown := [" ".join(reversed(key)) for key in needs if key not in cluster.allowed]:
        fix = "ask as the hub itself, or with more rights"
        yield Line("rights", "warning", f"not known whether it may: {', '.join(unknown)}", fix)
    elif not missing:
        yield Line("rights", "ok", f"the hub may do all {len(needs)} things that it does")


def _pod_security(plan: Plan, world: World) -> Iterator[Line]:
    if not (cluster := _answering(world)):
        return
    level = cluster.pod_security
    label = f"namespace {cluster.namespace} pod-security.kubernetes.io/enforce=restricted"
    refused = {"baseline": plan.privileged, "restricted": plan.privileged + plan.unrestricted}
    fits = plan.hardened and not refused["restricted"]
    if level is None:
        fix = f"look as an administrator: kubectl get namespace {cluster.namespace} --show-labels"
        yield Line("pod security", "warning", "the level of the namespace cannot be read", fix)
    elif names := ", ".join(refused.get(level, ())):
        fix = "do without, or use a namespace with a lower level"
        yield Line("pod security", "error", f"{level} refuses {names}", fix)
    elif level == "restricted" and not plan.hardened:
        fix = "write a section identity, or set what the level asks for in c.KubeSpawner"
        text = "restricted refuses pods as KubeSpawner makes them by default"
        yield Line("pod security", "warning", text, fix)
    elif level != "restricted" and fits:
        text = f"pods would pass restricted, the namespace enforces {level or 'nothing'}"
        yield Line("pod security", "warning", text, f"kubectl label --overwrite {label}")
    else:
        yield Line("pod security", "ok", f"the namespace enforces {level or 'nothing'}")


def _storage_classes(plan: Plan, world: World) -> Iterator[Line]:
    cluster = _answering(world)
    if not cluster or not plan.claims:
        return
    classes = cluster.storage_classes
    if classes is None:
        fix = "look as an administrator: kubectl get storageclass"
        yield Line("storage classes", "warning", "they cannot be read", fix)
        return
    default = next((name for name, found in classes.items() if found.is_default), None)
    for key, claim in plan.claims.items():
        name = default if claim.storage_class is None else claim.storage_class
        if name == "":
            yield Line("storage classes", "ok", f"{key}: none, for volumes that are there already")
        elif name is None:
            fix = f"name one in storage.claims.{key}.storage_class, or let the cluster have one"
            yield Line("storage classes", "error", f"{key}: the cluster has no default", fix)
        elif (found := classes.get(name)) is None:
            fix = f"name one of {', '.join(sorted(classes)) or 'those that there will be'}"
            yield Line("storage classes", "error", f"{key}: there is no {name}", fix)
        elif claim.grows and not found.expands:
            fix = f"set allowVolumeExpansion of {name}, or storage.claims.{key}.grow: never"
            yield Line("storage classes", "error", f"{key}: volumes of {name} do not grow", fix)
        else:
            yield Line("storage classes", "ok", f"{key}: {name}")


def _clock(plan: Plan, world: World) -> Iterator[Line]:
    cluster = _answering(world)
    if not cluster or cluster.skew is None:
        return
    away = abs(cluster.skew)
    text = f"the cluster's clock and this one are {away:.0f} s apart"
    if away <= SKEW_WARNING:
        yield Line("clock", "ok", text)
    else:
        level: Level = "error" if away > SKEW_ERROR else "warning"
        yield Line("clock", level, text, "let both follow the same time server")


def _directory(plan: Plan, world: World) -> Iterator[Line]:
    fix = "mend what it says, in identity.sources or at the directory"
    yield from _answered("directory", world.directory, fix)


def _login_directory(plan: Plan, world: World) -> Iterator[Line]:
    fix = "mend what it says, in c.LDAPAuthenticator or at the directory"
    yield from _answered("directory of logins", world.login_directory, fix)


def _provider(plan: Plan, world: World) -> Iterator[Line]:
    fix = "look at the address in the authenticator's traits, and at proxies and certificates"
    yield from _answered("provider of logins", world.provider, fix)


def _answered(check: str, answer: Answer | None, fix: str) -> Iterator[Line]:
    if answer is not None and answer.problem:
        yield Line(check, "error", f"{answer.asked}: {answer.problem}", fix)
    elif answer is not None:
        yield Line(check, "ok", f"{answer.asked}: {answer.answer}")


def _auth_state(plan: Plan, world: World) -> Iterator[Line]:
    if plan.needs_auth_state and not plan.enables_auth_state:
        text = f"it is not kept, but {plan.needs_auth_state}"
        yield Line("auth_state", "error", text, "set c.Authenticator.enable_auth_state = True")
    elif plan.enables_auth_state and world.keys_problem:
        fix = "make a key with `jhext crypt-keys rotate`, and name it in hub.crypt_keys"
        yield Line("auth_state", "error", f"it is to be kept, but {world.keys_problem}", fix)
    elif plan.enables_auth_state:
        yield Line("auth_state", "ok", "it is kept, and there is a key")


def _wiring(plan: Plan, world: World) -> Iterator[Line]:
    for finding in plan.lost:
        yield Line("wiring", "error", f"{finding.where} {finding.message}", finding.suggestion)


def _culler(plan: Plan, world: World) -> Iterator[Line]:
    for problem in plan.culler_scopes:
        fix = "leave the role to jhext.configure, or add them to its scopes"
        yield Line("culler", "error", f"its role lacks {problem}", fix)
    for name in plan.other_cullers:
        text, fix = f"the service {name} stops servers, too", "take it out, or know why both run"
        yield Line("culler", "warning", text, fix)


def _hooks(plan: Plan, world: World) -> Iterator[Line]:
    for hook, sections in plan.hooks.items():
        *others, last = sections
        text = f"{hook} is set for {' and '.join(others)} and for {last}: only the last one runs"
        yield Line("hooks", "warning", text, "let one of them call the other")


def _database(plan: Plan, world: World) -> Iterator[Line]:
    if world.spawners_indexed is False:
        text = f"{plan.database} reads all servers to find those of one person"
        yield Line("database", "warning", text, f'sqlite3 {plan.database} "{INDEX}"')
    elif world.spawners_indexed:
        yield Line("database", "ok", f"{plan.database} finds servers by an index")


def _answering(world: World) -> Cluster | None:
    return world.cluster if world.cluster and not world.cluster.problem else None


CHECKS: tuple[Check, ...] = (
    *(_reached, _version, _rights, _pod_security, _storage_classes, _clock),
    *(_directory, _login_directory, _provider, _auth_state, _wiring, _culler, _hooks, _database),
)
"""All checks, in the order in which they are told."""


def lines_of(plan: Plan, world: World) -> list[Line]:
    """Say what is well and what is not."""
    return [line for check in CHECKS for line in check(plan, world)]
