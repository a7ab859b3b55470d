"""What the unit tests make, written down for a real API server: ``pytest -p`` this module.

Each pod and claim that would be sent becomes a line of JSON in the file that
``JHEXT_RECORD_MANIFESTS`` names.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

from kubernetes_asyncio.client import ApiClient

import jhext.pod.finish
from jhext import ProfileKubeSpawner

FILE = "JHEXT_RECORD_MANIFESTS"


def pytest_configure() -> None:
    """Listen to what makes manifests, and to what lets them be sent."""
    verify = jhext.pod.finish.verify

    @functools.wraps(verify)
    def listening(manifest: Any, *more: Any) -> Any:
        violations = verify(manifest, *more)
        if not violations:
            _record(manifest, hardened=True)
        return violations

    jhext.pod.finish.verify = listening
    make_pod, make_claim = ProfileKubeSpawner.get_pod_manifest, ProfileKubeSpawner.get_pvc_manifest

    async def pod(spawner: Any) -> Any:
        made = await make_pod(spawner)
        if not (spawner.settings and spawner.settings.identity):  # else `verify` is asked
            _record(made, hardened=False)
        return made

    def claim(spawner: Any) -> Any:
        made = make_claim(spawner)
        if spawner.storage_capacity:  # else there is no claim
            _record(made, hardened=False)
        return made

    ProfileKubeSpawner.get_pod_manifest = pod
    ProfileKubeSpawner.get_pvc_manifest = claim


def _record(manifest: Any, *, hardened: bool) -> None:
    """Write down a manifest with the test that it is from."""
    plain = ApiClient.sanitize_for_serialization(ApiClient.__new__(ApiClient), manifest)
    test, _, _ = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")
    line = {"test": test, "hardened": hardened, "manifest": plain}
    with Path(os.environ[FILE]).open("a") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
