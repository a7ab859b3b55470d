"""A real Kubernetes API server, a real node, and hubs on it."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from tests.cluster.kubernetes.shared import Share, shared_node
from tests.cluster.line import Line
from tests.cluster.namespace import namespace
from tests.proxy import kept_proxy

RunHub = Callable[..., ClusterBench]
STARTS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTS] = []
    config.addinivalue_line("markers", "node_alone: it ends the pods of others, so none may run")


# Files in the order in which they begin, what waits longest first; all others come after them.
FIRST = (
    *("lost_node", "storage_claims", "manifests", "outages", "failures", "git_push"),
    *("conformance_pods", "conformance_containers", "conformance_ends", "homes", "prepared_homes"),
    *("role", "identity", "restart", "real_pods"),
)

# Files that one process runs one after the other, since they share clusters of their own.
TOGETHER = {
    "objects": (
        *("apiserver", "conformance_create", "conformance_delete", "conformance_discovery"),
        *("conformance_list", "conformance_watch", "conformance_write", "doctor", "golden_pods"),
        *("hub_manifests", "manifests"),
    ),
    "pods": ("conformance_init", "conformance_scheduling"),
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
    """Begin with what waits longest, and in a file with what needs no node: it is not up yet."""
    place = {name: number - len(FIRST) for number, name in enumerate(FIRST)}
    files = {path: number for number, path in enumerate(dict.fromkeys(it.path for it in items))}
    items.sort(key=lambda it: (place.get(name_of(it), 0), files[it.path], runs_pods(it)))


def runs_pods(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get("complete") != "devcluster" and not NODE_FIXTURES.isdisjoint(
        item.fixturenames
    )


@pytest.fixture(scope="session")
def share(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Share:
    """Return this process' use of the node. Where one test wants it alone, that comes first."""
    is_one_of_many = hasattr(request.config, "workerinput")
    if is_one_of_many and any(it.get_closest_marker("node_alone") for it in request.session.items):
        return Share(tmp_path_factory.getbasetemp().parent / "node-was-taken")
    return Share()


@pytest.fixture(scope="module", autouse=True)
def _share_of_module(request: pytest.FixtureRequest, share: Share) -> Iterator[None]:
    """End the use of the node after a module: its pods live from one of its tests to the next."""
    if request.node.get_closest_marker("node_alone"):
        share.take_alone()
    yield
    share.release()


@pytest.fixture(autouse=True)
def _share_of_test(request: pytest.FixtureRequest, share: Share) -> None:
    if runs_pods(request.node):
        share.take_part()


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
def run_hub(
    node: Node, proxy: Proxy, share: Share, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunHub]:
    """Start hubs, each with a namespace of its own, and end them after the module.

    When one is there, so is the right to run pods.
    """
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
            bench = start_cluster_bench(
                children, folder, proxy, node, space, people, settings, config, line
            )
            share.take_part()
            return bench

        yield run
