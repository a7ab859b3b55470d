"""Whether a pod fits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from jhext.devcluster.scheduling import parse_amounts, requests, why_unschedulable

LABELS = {"kubernetes.io/os": "linux"}
CAPACITY = parse_amounts({"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "2", "pods": "110"})


def pod(*containers: dict[str, Any], init: tuple[Any, ...] = (), **spec: Any) -> Any:
    return {
        "spec": {
            "containers": [{"resources": resources} for resources in containers],
            "initContainers": [{"resources": resources} for resources in init],
            **spec,
        }
    }


def test_requests_are_added() -> None:
    assert requests(
        pod({"requests": {"cpu": "500m"}}, {"limits": {"cpu": "1", "memory": "1Gi"}}, {})
    ) == {"cpu": Fraction(3, 2), "memory": 2**30, "pods": 1}


def test_requests_win_over_limits() -> None:
    both = {"requests": {"cpu": "500m"}, "limits": {"cpu": "2"}}
    assert requests(pod(both))["cpu"] == Fraction(1, 2)


def test_init_containers_run_one_after_the_other() -> None:
    init = ({"requests": {"cpu": "1"}}, {"requests": {"cpu": "3"}})
    assert requests(pod({"requests": {"cpu": "2"}}, init=init))["cpu"] == 3


@pytest.mark.parametrize(
    ("asked", "others", "short"),
    [
        ({"cpu": "2"}, [], ""),
        ({"cpu": "2001m"}, [], "cpu"),
        ({"cpu": "1"}, [{"cpu": "1500m"}], "cpu"),
        ({"memory": "4Gi"}, [], ""),
        ({"memory": "5G"}, [], "memory"),
        ({"nvidia.com/gpu": "1"}, [{"nvidia.com/gpu": "1"}], ""),
        ({"nvidia.com/gpu": "2"}, [{"nvidia.com/gpu": "1"}], "nvidia.com/gpu"),
        ({"amd.com/gpu": "1"}, [], "amd.com/gpu"),
        ({"amd.com/gpu": "0"}, [], ""),
        ({}, [{}] * 109, ""),
    ],
)
def test_capacity(asked: Any, others: list[Any], short: str) -> None:
    running = [pod({"requests": other}) for other in others]
    problem = why_unschedulable(pod({"requests": asked}), LABELS, CAPACITY, running)
    expected = f"0/1 nodes are available: 1 Insufficient {short}." if short else None
    assert problem == expected


def test_too_many_pods() -> None:
    problem = why_unschedulable(pod({}), LABELS, CAPACITY, [pod({})] * 110)
    assert problem == "0/1 nodes are available: 1 Too many pods."


def test_all_that_is_short_is_named() -> None:
    asked = {"limits": {"cpu": "3", "memory": "9Gi"}}
    problem = why_unschedulable(pod(asked), LABELS, CAPACITY, [])
    assert problem == "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."


def test_node_selector() -> None:
    assert why_unschedulable(pod({}, nodeSelector=LABELS), LABELS, CAPACITY, []) is None
    for selector in ({"kubernetes.io/os": "windows"}, {"gpu": "yes"}):
        assert why_unschedulable(pod({}, nodeSelector=selector), LABELS, CAPACITY, [])
