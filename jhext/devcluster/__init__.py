"""A Kubernetes API and a pod runner in one process, for the demo and the fast tests."""

from .cluster import DevCluster

__all__ = ["DevCluster"]
