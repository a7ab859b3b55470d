"""Whether a pod fits on the node: the part of a scheduler that decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction

from ..units import parse_quantity
from .resources import Object

Amounts = Mapping[str, Fraction]
"""Resource name → how much of it."""

PODS_PER_NODE = 110
"""How many pods a kubelet takes by default."""


def parse_amounts(quantities: Mapping[str, str]) -> dict[str, Fraction]:
    """Read a mapping of quantities, such as a container's requests.

    Raises
    ------
    ValueError
        When one of them is no quantity.
    """
    return {name: parse_quantity(quantity) for name, quantity in quantities.items()}


def requests(pod: Object) -> dict[str, Fraction]:
    """Return what a pod asks for: the sum of its containers, or its greediest init container.

    A limit without a request is a request, and the pod itself is one of the node's ``pods``.
    """
    total: defaultdict[str, Fraction] = defaultdict(Fraction)
    for container in pod["spec"].get("containers") or ():
        for name, amount in _container_requests(container).items():
            total[name] += amount
    for container in pod["spec"].get("initContainers") or ():
        for name, amount in _container_requests(container).items():
            total[name] = max(total[name], amount)
    return {**total, "pods": Fraction(1)}


def _container_requests(container: Object) -> dict[str, Fraction]:
    resources = container.get("resources") or {}
    return parse_amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def why_unschedulable(
    pod: Object, node_labels: Mapping[str, str], capacity: Amounts, running: Iterable[Object]
) -> str | None:
    """Return why the node cannot take a pod, in the words of a scheduler; None when it can.

    Parameters
    ----------
    running
        The pods that have a part of the capacity already.
    """
    selector = pod["spec"].get("nodeSelector") or {}
    if not selector.items() <= node_labels.items():
        return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    used: defaultdict[str, Fraction] = defaultdict(Fraction)
    for other in running:
        for name, amount in requests(other).items():
            used[name] += amount
    short = sorted(
        name
        for name, amount in requests(pod).items()
        if amount > 0 and amount > capacity.get(name, Fraction(0)) - used[name]
    )
    if not short:
        return None
    problems = ", ".join("1 Too many pods" if n == "pods" else f"1 Insufficient {n}" for n in short)
    return f"0/1 nodes are available: {problems}."
