"""Build what the cluster tests need: ``python -m tests.cluster.kubernetes.build``."""

from tests.cluster.kubernetes.binaries import build

if __name__ == "__main__":
    print("Kubernetes:", build())
