"""Under the chart of Zero to JupyterHub: its values come first, ``hub.extraConfig`` last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from jhext.doctor.plan import plan_of
from jhext.offline.configuration import Configuration, read_configuration
from jhext.offline.simulate import pod
from jhext.profiles.access import Person
from tests.hub.z2jh import over_defaults

ROOT = Path(__file__).parents[1]
CONFIGURE = "import jhext, z2jh\njhext.configure(c, z2jh.get_config('custom.jhext'))"
JHEXT = {
    "profiles": [{"display_name": "Small", "allow_all": True}],
    "culler": {"timeout": "1h"},
    "hub": {"config": {"JupyterHub": {"services": [{"name": "mine", "url": "http://mine"}]}}},
}
Read = Callable[[dict[str, Any]], Configuration]


@pytest.fixture
def under_the_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the configuration that the chart makes of its defaults and these values."""
    monkeypatch.syspath_prepend(ROOT / "hub")

    def read(values: dict[str, Any]) -> Configuration:
        schema = yaml.safe_load((ROOT / "data" / "z2jh" / "values.schema.yaml").read_text())
        assert list(Draft7Validator(schema).iter_errors(over_defaults(values))) == []
        (tmp_path / "jhext.yaml").write_text(yaml.safe_dump(values))
        (tmp_path / "hub").mkdir()
        monkeypatch.chdir(tmp_path / "hub")
        return read_configuration(ROOT / "hub" / "z2jh_config.py")

    return read


def values(jhext: dict[str, Any], **extra_config: str) -> dict[str, Any]:
    more = {"10-jhext": CONFIGURE} | extra_config
    return {"custom": {"jhext": jhext}, "hub": {"extraConfig": more}}


HOOK = "c.KubeSpawner.modify_pod_hook = lambda spawner, pod: pod"


@pytest.mark.parametrize("place", ["05-before", "15-after"])
def test_d28_what_the_chart_and_others_set_stays(under_the_chart: Read, place: str) -> None:
    """Services, roles, volumes, labels and hooks; only the chart's own culler gives way."""
    more = f"{HOOK}\nc.JupyterHub.services.append({{'name': 'theirs', 'url': 'http://theirs'}})"
    read = under_the_chart(values(JHEXT, **{place: more}))
    services = {service["name"] for service in read.hub_trait("services", [])}
    assert services == {"mine", "theirs", "jhext-culler"}
    assert [role["name"] for role in read.hub_trait("load_roles", [])] == ["jhext-culler"]
    assert read.config.KubeSpawner.modify_pod_hook
    assert read.trait("storage_pvc_ensure") is True
    plan = plan_of(read)
    assert (plan.lost, plan.culler_scopes, plan.hooks) == ((), (), {})
    sent = pod(read, Person("ada"), {"profile": "small"}, None)
    assert isinstance(sent, dict)
    assert sent["metadata"]["labels"]["release"] == "jhub"
    assert sent["metadata"]["labels"]["hub.jupyter.org/network-access-hub"] == "true"
    (container,) = sent["spec"]["containers"]
    assert container["volumeMounts"][0]["mountPath"] == "/home/jovyan"
    assert container["image"].startswith("quay.io/jupyterhub/k8s-singleuser-sample")
    assert [item["name"] for item in sent["spec"]["initContainers"]] == ["block-cloud-metadata"]
    assert {item["key"] for item in sent["spec"]["tolerations"]} == {
        "hub.jupyter.org/dedicated",
        "hub.jupyter.org_dedicated",
    }


def test_what_the_chart_does_to_root_is_named(under_the_chart: Read) -> None:
    """Its container is privileged, so an operator lets it pass by its name or does without it."""
    identity = {"sources": [{"type": "fixed", "values": {"uid": 2001, "gid": 2001}}]}
    listed = {"privileged_containers": ["block-cloud-metadata"]}
    read = under_the_chart(values(JHEXT | {"identity": identity, "pod": listed}))
    assert plan_of(read).privileged == ("the container block-cloud-metadata",)


def test_profiles_of_both(under_the_chart: Read) -> None:
    chart = {"singleuser": {"profileList": [{"display_name": "Theirs", "allow_all": True}]}}
    read = under_the_chart(values(JHEXT) | chart)
    assert {profile.slug for profile in read.catalog.profiles} == {"small", "theirs"}


def test_values_of_the_chart_win(under_the_chart: Read) -> None:
    config = {"KubeSpawner": {"start_timeout": 77, "image": "mine:1", "service_account": "mine"}}
    read = under_the_chart(values(JHEXT | {"hub": {"config": config}}))
    assert read.trait("start_timeout") == 300
    assert read.trait("image") != "mine:1"
    assert read.trait("service_account") == "mine", "the chart says nothing of it"
