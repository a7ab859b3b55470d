"""A real Kubernetes API server, a real node, and hubs on it."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from jhext.demo.accounts import Account
from jhext.demo.processes import Children
from jhext.demo.proxy import Proxy
from tests.cluster.api_client import (  # noqa: F401 - fixtures
    cluster_api,
    compared,
    complete,
    devcluster,
    full_api,
)
from tests.cluster.bench import ClusterBench, start_cluster_bench
from tests.cluster.kubernetes.apiserver import running_apiserver
from tests.cluster.kubernetes.binaries import control_plane
from tests.cluster.kubernetes.build import HINT
from tests.cluster.kubernetes.dryrun import Manifest, dry_runner
from tests.cluster.kubernetes.given import given_cluster
from tests.cluster.kubernetes.kubeconfig import Cluster, Node
from tests.cluster.kubernetes.node import node_is_unavailable
from tests.cluster.kubernetes.pki import Authority
from tests.cluster.kubernetes.shared import Share, alone, among_others, shared_node
from tests.cluster.line import Line
from tests.cluster.namespace import namespace
from tests.proxy import kept_proxy

RunHub = Callable[..., ClusterBench]
STARTS = pytest.StashKey[list[str]]()
SHARE = pytest.StashKey[Share]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTS] = []
    config.stash[SHARE] = Share()
    config.addinivalue_line("markers", "node_alone: it ends the pods of others, so none may run")


# Files in the order in which they begin, what waits longest first; others come before the last.
FIRST = (
    *("outages", "git_push", "prepared_homes", "homes", "failures", "manifests"),
    *("conformance_pods", "conformance_containers", "storage_claims", "role", "identity"),
    *("restart", "real_pods"),
)
LAST = ("lost_node",)

# Files that one process runs one after the other, since they share clusters of their own.
TOGETHER = {
    "objects": (
        *("apiserver", "conformance_create", "conformance_delete", "conformance_discovery"),
        *("conformance_list", "conformance_watch", "conformance_write", "doctor", "golden_pods"),
        *("hub_manifests", "manifests"),
    ),
    "pods": ("conformance_init", "conformance_pods", "conformance_scheduling"),
    "containers": ("conformance_containers", "conformance_ends"),
    "storage": (
        *("storage_chaos", "storage_claims", "storage_command", "storage_lost"),
        *("storage_traps", "token_secrets"),
    ),
}
GROUPS = {name: group for group, names in TOGETHER.items() for name in names}
NODE_FIXTURES = {"node", "complete"}


def name_of(item: pytest.Item) -> str:
    return item.path.stem.removeprefix("test_")


class Schedule(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process the tests of a file, or of the files that belong together."""

    def _split_scope(self, nodeid: str) -> str:
        name = Path(nodeid.partition("::")[0]).stem.removeprefix("test_")
        return GROUPS.get(name, name)

    def _reschedule(self, node: Any) -> None:
        # The last test only, which is kept until it is known what follows, may have more behind it.
        if node.shutting_down or self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule:
    return Schedule(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest, and end with what waits for all others."""
    place = {name: number - len(FIRST) for number, name in enumerate(FIRST)}
    place |= dict.fromkeys(LAST, 1)
    items.sort(key=lambda item: place.get(name_of(item), 0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Use the node among other processes.

    A module's pods live from one of its tests to the next, so its share is held as long.
    """
    share = item.config.stash[SHARE]
    if not NODE_FIXTURES.isdisjoint(item.fixturenames):  # type: ignore[attr-defined]
        share.take(among_others)
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            share.release()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Wait until the node is this test's alone; its hub has been started meanwhile."""
    if item.get_closest_marker("node_alone"):
        item.config.stash[SHARE].take(alone)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how long each part took."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.fspath.startswith("tests/cluster"):
                seconds[report.fspath] += report.duration
    for line in config.stash[STARTS] + [f"{s:.0f} s in {path}" for path, s in seconds.items()]:
        terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controller of pytest-xdist, if there is one, what the summary needs."""
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput["starts"] = session.config.stash[STARTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[STARTS] += node.workeroutput["starts"]


@contextmanager
def start_of(part: str, config: pytest.Config) -> Iterator[None]:
    """Have the summary say how long the block took."""
    start = time.monotonic()
    yield
    config.stash[STARTS].append(f"{time.monotonic() - start:.0f} s until {part}")


@pytest.fixture(scope="session")
def apiserver(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Yield an administrator's way into an API server; it may have no node and no controllers."""
    directory = tmp_path_factory.mktemp("apiserver")
    if given := os.environ.get("JHEXT_TEST_KUBECONFIG"):
        with given_cluster(Path(given), directory) as cluster:
            yield cluster
        return
    programs = control_plane()
    if programs is None:
        pytest.skip(
            "no Kubernetes API server: set JHEXT_TEST_KUBECONFIG or KUBEBUILDER_ASSETS, or install "
            f"etcd; {HINT}"
        )
    authority = Authority(directory)
    accounts = authority.issue("service-accounts")
    with ExitStack() as stack:
        with start_of("an API server answered", pytestconfig):
            running = running_apiserver(programs, directory, authority, accounts)
            cluster = stack.enter_context(running)
        yield cluster


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Yield an administrator's way into a cluster that runs pods."""
    if given := os.environ.get("JHEXT_TEST_KUBECONFIG"):
        image, hub_ip = os.environ.get("JHEXT_TEST_IMAGE"), os.environ.get("JHEXT_TEST_HUB_IP")
        if not (image and hub_ip):
            pytest.skip(
                "pods in the cluster of JHEXT_TEST_KUBECONFIG need JHEXT_TEST_IMAGE, with "
                "JupyterHub and JupyterLab, and JHEXT_TEST_HUB_IP, this machine as they see it"
            )
        with given_cluster(Path(given), tmp_path_factory.mktemp("node")) as cluster:
            yield Node(**vars(cluster), image=image, hub_ip=hub_ip)
        return
    if reason := node_is_unavailable():
        pytest.skip(reason)
    with ExitStack() as stack:
        with start_of("the node was there", pytestconfig):
            shared = stack.enter_context(shared_node())
        yield shared


@pytest.fixture(scope="session")
def dry_run(apiserver: Cluster) -> Iterator[Callable[[Manifest], Manifest]]:
    """Yield a function: manifest → the object as the real API server would store it."""
    with apiserver.client() as client:
        yield dry_runner(client)


@pytest.fixture(scope="session")
def proxy(pytestconfig: pytest.Config) -> Proxy:
    return kept_proxy(pytestconfig)


@pytest.fixture(scope="module")
def run_hub(node: Node, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunHub]:
    """Start hubs, each with a namespace of its own, and end them after the module."""
    with ExitStack() as stack:
        client = stack.enter_context(node.client())

        def run(
            people: Iterable[Account],
            settings: Mapping[str, Any],
            config: str = "",
            line: Line | None = None,
        ) -> ClusterBench:
            space = stack.enter_context(namespace(client))
            folder = tmp_path_factory.mktemp("hub")
            children = stack.enter_context(Children())
            return start_cluster_bench(
                children, folder, proxy, node, space, people, settings, config, line
            )

        yield run
