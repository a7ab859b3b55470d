"""The Templates of the example openshift: processed, and what plain Kubernetes says of them."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubernetes.dryrun import dry_runner, not_stored
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.openshift import Object, faults_of_route, processed
from tests.pod_security import violations

FOLDER = Path(__file__).parents[2] / "example_configs" / "openshift"
GIVEN = {"HOST": "jupyter.apps.example.org", "JUPYTERHUB_IMAGE": "registry.example.org/hub:1"}
TEMPLATE = yaml.safe_load((FOLDER / "template.yaml").read_text())
PARAMETERS = TEMPLATE["parameters"]
SECRETS = yaml.safe_load((FOLDER / "secrets.yaml").read_text())
SETTINGS = yaml.safe_load((FOLDER / "jhext.yaml").read_text())
OBJECTS = [*processed(TEMPLATE, GIVEN), *processed(SECRETS, {})]
PLAIN = [item for item in OBJECTS if ".openshift.io/" not in item["apiVersion"]]


def named(item: Object) -> str:
    return f"{item['kind']}:{item['metadata']['name']}"


def found(kind: str, name: str) -> Any:
    (item,) = [item for item in OBJECTS if named(item) == f"{kind}:{name}"]
    return item


@pytest.mark.parametrize("item", PLAIN, ids=named)
def test_taken_as_it_is(apiserver: Cluster, item: Object) -> None:
    with apiserver.client() as client:
        # It is for the token of a service account that is there; the rest of it is checked.
        if item.get("type") == "kubernetes.io/service-account-token":
            item = {**item, "type": "Opaque"}
        sent = {key: value for key, value in item.items() if key != "stringData"}
        assert not_stored(sent, dry_runner(client)(item)) == set()


@pytest.mark.parametrize("item", [i for i in PLAIN if i["kind"] == "Deployment"], ids=named)
def test_restricted_scc_admits_the_pods(item: Object) -> None:
    """It wants what Pod Security's "restricted" wants, and assigns uids and groups itself."""
    template = item["spec"]["template"]
    assert violations(template) == []
    spec = template["spec"]
    inside = [*spec.get("initContainers", ()), *spec["containers"]]
    contexts = [spec["securityContext"], *(one["securityContext"] for one in inside)]
    assigned = {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"}
    assert not [keys for context in contexts if (keys := assigned & context.keys())]
    assert template["metadata"]["labels"]["app"] == "jupyterhub"


def test_route() -> None:
    route = found("Route", "jupyterhub")
    assert faults_of_route(route) == []
    service = found("Service", route["spec"]["to"]["name"])
    assert route["spec"]["port"]["targetPort"] in [
        port["name"] for port in service["spec"]["ports"]
    ]
    assert SETTINGS["hub"]["public_url"] == f"https://{route['spec']['host']}/"
    account = found("ServiceAccount", "hub")
    (reference,) = account["metadata"]["annotations"].values()
    assert json.loads(reference)["reference"] == {"kind": "Route", "name": "jupyterhub"}


@pytest.mark.parametrize(
    ("path", "value"),
    [("to", {"kind": "Pod", "name": "a"}), ("to", {}), ("tls", {}), ("port", {})],
)
def test_faulty_routes_are_found(path: str, value: Object) -> None:
    route = deepcopy(found("Route", "jupyterhub"))
    route["spec"][path] = value
    assert faults_of_route(route)


@pytest.mark.parametrize(
    ("parameters", "given", "told"),
    [
        ([*PARAMETERS, {"name": "MORE", "value": "1"}], GIVEN, "declared and not used"),
        (PARAMETERS[1:], {"JUPYTERHUB_IMAGE": "a"}, "used and not declared"),
        (PARAMETERS, {**GIVEN, "OTHER": "1"}, "given and not declared"),
        (PARAMETERS, {"HOST": "a"}, "required"),
    ],
)
def test_faulty_templates_are_found(
    parameters: list[Object], given: dict[str, str], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        processed({**TEMPLATE, "parameters": parameters}, given)


def test_everything_that_the_settings_ask_for_is_there() -> None:
    """Variables, the Service of the database, and its user and name."""
    (hub,) = found("Deployment", "hub")["spec"]["template"]["spec"]["containers"]
    wanted = set(re.findall(r"\{env: ([A-Z_]+)\}", (FOLDER / "jhext.yaml").read_text()))
    secret = found("Secret", "hub")["stringData"]
    assert wanted <= secret.keys() | {variable["name"] for variable in hub["env"]}
    database = SETTINGS["hub"]["database"]
    (container,) = found("Deployment", "db")["spec"]["template"]["spec"]["containers"]
    variables = {item["name"]: item.get("value") for item in container["env"]}
    assert found("Service", database["host"])["spec"]["ports"] == [{"port": 5432}]
    assert (database["name"], database["user"]) == (
        variables["POSTGRESQL_DATABASE"],
        variables["POSTGRESQL_USER"],
    )
    files = re.findall(r"\{file: /etc/jupyterhub/(\S+)\}", (FOLDER / "jhext.yaml").read_text())
    commands = (FOLDER / "README.md").read_text()
    for name in (*files, *SETTINGS["hub"]["profile_mapping_files"]):
        assert (FOLDER / name).is_file()
        assert f"--from-file={name}" in commands
    lengths = {name: len(value) for name, value in secret.items()}
    assert lengths["JUPYTERHUB_COOKIE_SECRET"] == lengths["JUPYTERHUB_CRYPT_KEY"] == 64
