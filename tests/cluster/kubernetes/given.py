"""A cluster that somebody gives us by a kubeconfig: kind, k3s, OpenShift Local, a real one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import certifi
from kubernetes_asyncio import client, config

from tests.cluster.kubernetes.kubeconfig import Cluster, reachable_as

NAMESPACE = "default"
TOKEN_SECONDS = 8 * 3600


@contextmanager
def given_cluster(kubeconfig: Path, directory: Path) -> Iterator[Cluster]:
    """Yield a way in by token, whichever way in `kubeconfig` describes (certificate, plugin, …).

    The token is that of a service account, a cluster administrator, that ends with the block.
    """
    account = f"jhext-tests-{token_hex(4)}"
    host, authority, token = asyncio.run(_create(kubeconfig, account))
    try:
        yield reachable_as(host, authority, token, directory / "kubeconfig")
    finally:
        asyncio.run(_delete(kubeconfig, account))


async def _create(kubeconfig: Path, name: str) -> tuple[str, Path, str]:
    metadata = client.V1ObjectMeta(name=name)
    async with await config.new_client_from_config(str(kubeconfig)) as api:
        core = client.CoreV1Api(api)
        await core.create_namespaced_service_account(
            NAMESPACE, client.V1ServiceAccount(metadata=metadata)
        )
        await client.RbacAuthorizationV1Api(api).create_cluster_role_binding(
            client.V1ClusterRoleBinding(
                metadata=metadata,
                role_ref=client.V1RoleRef(
                    api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="cluster-admin"
                ),
                subjects=[
                    client.RbacV1Subject(kind="ServiceAccount", name=name, namespace=NAMESPACE)
                ],
            )
        )
        answer = await core.create_namespaced_service_account_token(
            name,
            NAMESPACE,
            client.AuthenticationV1TokenRequest(
                spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=TOKEN_SECONDS)
            ),
        )
        settings = api.configuration
        return settings.host, Path(settings.ssl_ca_cert or certifi.where()), answer.status.token


async def _delete(kubeconfig: Path, name: str) -> None:
    async with await config.new_client_from_config(str(kubeconfig)) as api:
        await client.RbacAuthorizationV1Api(api).delete_cluster_role_binding(name)
        await client.CoreV1Api(api).delete_namespaced_service_account(name, NAMESPACE)
