"""A hub configured as the chart of Zero to JupyterHub does it: values first, extraConfig last.

What needs the chart's Services, such as addresses, is left out: the tests say where everything is.
"""

import re
import sys
from pathlib import Path

from jupyterhub.utils import url_path_join
from kubernetes_asyncio import client

HERE = str(Path(__file__).parent)
FOLDER = Path.cwd().parent  # a hub runs in a folder of its own in there
if HERE not in sys.path:
    sys.path.insert(0, HERE)  # so that extraConfig can import what is beside this file

from z2jh import get_config, set_config_if_not_none  # noqa: E402

c = globals()["c"]  # JupyterHub defines it


def camel_case(name):
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.last_activity_interval = 60
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"

for trait in (
    *("concurrent_spawn_limit", "active_server_limit", "base_url", "allow_named_servers"),
    *("named_server_limit_per_user", "authenticate_prometheus", "redirect_to_server"),
    *("shutdown_on_logout", "template_paths", "template_vars"),
):
    set_config_if_not_none(c.JupyterHub, trait, f"hub.{camel_case(trait)}")

c.KubeSpawner.common_labels = {
    "app.kubernetes.io/name": "jupyterhub",
    "app.kubernetes.io/managed-by": "kubespawner",
    "app": "jupyterhub",
    "chart": "jupyterhub-4.3.0",
    "release": "jhub",
}
set_config_if_not_none(c.Spawner, "consecutive_failure_limit", "hub.consecutiveFailureLimit")

for trait, key in (
    *(("pod_name_template", None), ("start_timeout", None), ("image_pull_policy", None)),
    *(("events_enabled", "events"), ("extra_labels", None), ("extra_annotations", None)),
    *(("uid", None), ("fs_gid", None), ("service_account", "serviceAccountName")),
    *(("storage_extra_labels", "storage.extraLabels"), ("node_selector", None)),
    *(("node_affinity_required", "extraNodeAffinity.required"), ("lifecycle_hooks", None)),
    *(("node_affinity_preferred", "extraNodeAffinity.preferred"), ("init_containers", None)),
    *(("extra_containers", None), ("mem_limit", "memory.limit"), ("cmd", None)),
    *(("mem_guarantee", "memory.guarantee"), ("cpu_limit", "cpu.limit")),
    *(("cpu_guarantee", "cpu.guarantee"), ("extra_resource_limits", "extraResource.limits")),
    *(("extra_resource_guarantees", "extraResource.guarantees"), ("environment", "extraEnv")),
    *(("profile_list", None), ("extra_pod_config", None), ("default_url", None)),
    ("allow_privilege_escalation", None),
):
    set_config_if_not_none(c.KubeSpawner, trait, f"singleuser.{key or camel_case(trait)}")

image, tag = get_config("singleuser.image.name"), get_config("singleuser.image.tag")
c.KubeSpawner.image = f"{image}:{tag}" if tag else image

if get_config("scheduling.userScheduler.enabled"):
    c.KubeSpawner.scheduler_name = "jhub-user-scheduler"

tolerations = get_config("scheduling.userPods.tolerations", [])
c.KubeSpawner.tolerations = tolerations + get_config("singleuser.extraTolerations", [])

if get_config("scheduling.userPods.nodeAffinity.matchNodePurpose") == "prefer":
    purpose = {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}
    c.KubeSpawner.node_affinity_preferred.append(
        {"weight": 100, "preference": {"matchExpressions": [purpose]}}
    )

if get_config("singleuser.storage.type") == "dynamic":
    set_config_if_not_none(
        c.KubeSpawner, "pvc_name_template", "singleuser.storage.dynamic.pvcNameTemplate"
    )
    set_config_if_not_none(c.KubeSpawner, "storage_capacity", "singleuser.storage.capacity")
    c.KubeSpawner.storage_access_modes = get_config("singleuser.storage.dynamic.storageAccessModes")
    c.KubeSpawner.storage_pvc_ensure = True
    volume = get_config("singleuser.storage.dynamic.volumeNameTemplate")
    c.KubeSpawner.volumes = {
        volume: {"name": volume, "persistentVolumeClaim": {"claimName": "{pvc_name}"}}
    }
    c.KubeSpawner.volume_mounts = {
        volume: {"name": volume, "mountPath": get_config("singleuser.storage.homeMountPath")}
    }

if get_config("singleuser.cloudMetadata.blockWithIptables"):
    tools = get_config("singleuser.networkTools.image")
    c.KubeSpawner.init_containers.append(
        client.V1Container(
            name="block-cloud-metadata",
            image=f"{tools['name']}:{tools['tag']}",
            command=["iptables", "--append", "OUTPUT", "--jump", "DROP"],
            security_context=client.V1SecurityContext(
                privileged=True,
                run_as_user=0,
                capabilities=client.V1Capabilities(add=["NET_ADMIN"]),
            ),
        )
    )

c.JupyterHub.services = []
c.JupyterHub.load_roles = []
if get_config("cull.enabled"):
    name = "jupyterhub-idle-culler"
    command = [sys.executable, "-m", "jupyterhub_idle_culler"]
    url = url_path_join(get_config("hub.baseUrl"), "hub/api")
    command += [f"--url=http://localhost:8081{url}", f"--timeout={get_config('cull.timeout')}"]
    c.JupyterHub.services.append({"name": name, "command": command})
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    c.JupyterHub.load_roles.append({"name": name, "services": [name], "scopes": scopes})
for name, service in get_config("hub.services", {}).items():
    c.JupyterHub.services.append({"name": name, **service})
for name, role in get_config("hub.loadRoles", {}).items():
    c.JupyterHub.load_roles.append({"name": name, **role})

for section, traits in get_config("hub.config", {}).items():
    c[section].update(traits)

for _, text in sorted(get_config("hub.extraConfig", {}).items()):
    exec(text)
