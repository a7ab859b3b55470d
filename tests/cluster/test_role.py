"""The Role that is documented and printed: enough, nothing superfluous, and missed by name."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from jhext.cluster.features import Features
from jhext.cluster.rbac import manifests, rules_of
from jhext.delegation.secret import secret_of
from jhext.demo.accounts import Account
from jhext.demo.client import ServerFailed
from tests.cluster.bench import STUB, ClusterBench, stop, until_ready
from tests.cluster.conftest import RunHub
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.namespace import Manifest, Namespace, namespace

Verb = tuple[str, str]
FEATURES = Features(claims=True, tokens=True)
VERBS: list[Verb] = [
    (resource, verb)
    for rule in rules_of(FEATURES)
    for resource in rule["resources"]
    for verb in rule["verbs"]
]
COMPLETE: Verb = ("nothing", "missing")
SETTINGS = {
    "profiles": [{"display_name": "Small", "allow_all": True}],
    "storage": {"claims": {"home": {"size": "1M", "retention": "delete_with_user"}}},
    "identity": {"mode": "platform"},
    "pod": {"token": {}},
}
ADMIN = Account(name="ada", uid=2001, admin=True)
CONFIG = """
class SpawnerWithNamespaceOfItsUser(jhext.ProfileKubeSpawner):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.namespace = {namespaces}.get(self.user.name, self.namespace)

class AuthenticatorWithTokens(DemoAuthenticator):
    async def authenticate(self, handler, data):
        model = await super().authenticate(handler, data)
        return model and {{**model, "auth_state": {{"access_token": "secret"}}}}

c.JupyterHub.spawner_class = SpawnerWithNamespaceOfItsUser
c.JupyterHub.authenticator_class = AuthenticatorWithTokens
c.Authenticator.enable_auth_state = True
c.CryptKeeper.keys = ["{key}"]
c.KubeSpawner.cmd = {stub}
"""


def user_of(case: Verb) -> str:
    return "-".join(case)


def role_without(case: Verb, namespace: str) -> Manifest:
    role, _ = copy.deepcopy(list(manifests(FEATURES, namespace)))
    for rule in role["rules"]:
        if case[0] in rule["resources"]:
            rule["verbs"].remove(case[1])
    return role


@dataclass(frozen=True)
class Outcome:
    """What became of a hub that may do all but one thing: in each namespace it lacks another."""

    bench: ClusterBench
    spaces: Mapping[Verb, Namespace]
    answers: Mapping[Verb, str]

    def named(self, case: Verb) -> list[str]:
        """Return the verbs that the hub missed, as its log has them: "watch pods"."""
        said = rf'cannot (\w+) resource \\?"(\w+)\\?" .* namespace \\?"{self.spaces[case].name}\\?"'
        return [" ".join(found) for found in re.findall(said, self.bench.log)]


@pytest.fixture(scope="module")
def outcome(node: Node, run_hub: RunHub) -> Iterator[Outcome]:
    cases = [*VERBS, COMPLETE]
    with ExitStack() as stack:
        client = stack.enter_context(node.client())
        spaces = {case: stack.enter_context(namespace(client)) for case in cases}
        namespaces = {user_of(case): space.name for case, space in spaces.items()}
        people = [Account(name=name, uid=2002) for name in namespaces]
        config = CONFIG.format(namespaces=namespaces, stub=STUB, key="00" * 32)
        bench = run_hub([ADMIN, *people], SETTINGS, config)
        for case, space in spaces.items():
            space.create(secret_of(user_of(case), "", {}))  # left over by a hub that was killed
            space.grant(role_without(case, space.name), bench.namespace.name)
        answers = asyncio.run(life_of_all(bench, cases))
        yield Outcome(bench, spaces, dict(zip(cases, answers, strict=True)))


async def life_of_all(bench: ClusterBench, cases: list[Verb]) -> list[str]:
    return await asyncio.gather(*(life(bench, user_of(case)) for case in cases))


async def life(bench: ClusterBench, name: str) -> str:
    """Have a server started, stopped, and its owner deleted; return what was answered last."""
    async with bench.program(name) as program:
        answer = await program.api("POST", f"/users/{name}/server", {})
        try:
            await until_ready(program, name)
        except ServerFailed:
            return answer.text
        await stop(program, name)
    async with bench.program(ADMIN.name) as admin:
        return (await admin.api("DELETE", f"/users/{name}")).text


def test_documented_role_is_enough(outcome: Outcome) -> None:
    assert outcome.named(COMPLETE) == []
    assert outcome.answers[COMPLETE] == ""
    space = outcome.spaces[COMPLETE]
    assert space.find("Pod") == []
    assert claims_that_stay(space) == []
    assert not [item for item in space.find("Secret") if item["type"] == "Opaque"]


def claims_that_stay(space: Namespace) -> list[str]:
    """Return the claims for whose end nobody has asked; a controller looks before they go."""
    items = space.find("PersistentVolumeClaim")
    return [i["metadata"]["name"] for i in items if "deletionTimestamp" not in i["metadata"]]


@pytest.mark.parametrize("case", VERBS, ids=user_of)
def test_missing_verb_is_named(outcome: Outcome, case: Verb) -> None:
    assert set(outcome.named(case)) == {f"{case[1]} {case[0]}"}
