"""Build what the cluster tests need: ``python -m tests.cluster.kubernetes.build``.

Takes about fifteen minutes the first time and nothing afterwards. Programs need apt and Go, images
need root and debootstrap.
"""

import time

from tests.cluster.kubernetes.binaries import KUBERNETES
from tests.cluster.kubernetes.image_store import STORE

BUILDS = (KUBERNETES, STORE)
HINT = "`python -m tests.cluster.kubernetes.build` makes it, once, in some minutes"

if __name__ == "__main__":
    for build in BUILDS:
        start = time.monotonic()
        print(f"{build.ensure()}: {time.monotonic() - start:.0f} s", flush=True)
