"""Kubernetes' programs: from ``KUBEBUILDER_ASSETS``, or built from Debian's source package."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.kubernetes.apiserver import ControlPlane
from tests.cluster.kubernetes.cache import Build
from tests.cluster.kubernetes.debian import KEYRING, SUITE, mirror

VERSION = "1.20.2"  # what Debian 12 has
PROGRAMS = ("kube-apiserver", "kubelet", "kube-scheduler", "kube-controller-manager")
PACKAGE = "k8s.io/kubernetes"
VENDORED = f"{PACKAGE}/vendor/k8s.io"


def control_plane() -> ControlPlane | None:
    """Return envtest's programs when `KUBEBUILDER_ASSETS` is set, otherwise our build's, or None.

    Raises
    ------
    FileNotFoundError
        When `KUBEBUILDER_ASSETS` names a directory without the two programs.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        programs = ControlPlane(Path(assets) / "kube-apiserver", Path(assets) / "etcd")
        for program in (programs.kube_apiserver, programs.etcd):
            if not program.is_file():
                raise FileNotFoundError(f"KUBEBUILDER_ASSETS is set, but there is no {program}")
        return programs
    own, etcd = KUBERNETES.directory, shutil.which("etcd")
    return ControlPlane(own / "kube-apiserver", Path(etcd)) if own.is_dir() and etcd else None


def _make(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="jhext-kubernetes-") as temporary:
        work = Path(temporary)
        gopath = work / "gopath"
        tree = gopath / "src" / PACKAGE
        tree.mkdir(parents=True)
        archive = _download(work)
        subprocess.run(["tar", "-xzf", archive, "-C", tree, "--strip-components=1"], check=True)
        environment = os.environ | {
            "GOPATH": str(gopath),
            "GOCACHE": str(work / "go-cache"),
            "GO111MODULE": "off",
            "CGO_ENABLED": "0",
            "GOFLAGS": "",
        }
        _generate_openapi(tree, environment)
        major, minor, _ = VERSION.split(".")
        version = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
        values = [f"-X {VENDORED}/component-base/version.{k}={v}" for k, v in version.items()]
        subprocess.run(
            ["go", "build", "-ldflags", " ".join(["-s", "-w", *values]), "-o", f"{target}/"]
            + [f"./cmd/{program}" for program in PROGRAMS],
            cwd=tree,
            env=environment,
            check=True,
        )


def _download(work: Path) -> Path:
    """Fetch Debian's source package with apt, which verifies it; return the upstream archive."""
    (work / "lists" / "partial").mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    apt = [
        "apt-get",
        "-q",
        f"-o=Dir::Etc::sourcelist={sources}",
        "-o=Dir::Etc::sourceparts=/dev/null",
        f"-o=Dir::State::lists={work / 'lists'}",
        "-o=Dir::Cache::srcpkgcache=",
        "-o=Dir::Cache::pkgcache=",
        "-o=APT::Sandbox::User=root",
    ]
    subprocess.run([*apt, "update"], cwd=work, check=True)
    subprocess.run([*apt, "source", "--download-only", "kubernetes"], cwd=work, check=True)
    [archive] = work.glob(f"kubernetes_*{VERSION}.orig.tar.gz")
    return archive


def _generate_openapi(tree: Path, environment: dict[str, str]) -> None:
    """Write the OpenAPI definitions as the Makefile does: the tree comes without them."""
    generator = str(tree.parents[3] / "openapi-gen")
    command = ["go", "build", "-o", generator, "./vendor/k8s.io/kube-openapi/cmd/openapi-gen"]
    subprocess.run(command, cwd=tree, env=environment, check=True)
    inputs = ",".join(sorted({_import_path(tree, file) for file in _tagged_files(tree)}))
    subprocess.run(
        [
            generator,
            "--output-file-base=zz_generated.openapi",
            f"--input-dirs={inputs}",
            f"--output-package={PACKAGE}/pkg/generated/openapi",
            f"--output-base={tree.parents[1]}",
            "--go-header-file=hack/boilerplate/boilerplate.generatego.txt",
            f"--report-filename={generator}.report",
        ],
        cwd=tree,
        env=environment,
        check=True,
    )


def _tagged_files(tree: Path) -> list[Path]:
    skipped = re.compile(r"_test\.go$|/sample-|code-generator|/testdata/")
    tag = re.compile(r"(?m)^// *\+k8s:openapi-gen=true")
    return [
        file
        for part in ("pkg", "cmd", "staging/src/k8s.io")
        for file in (tree / part).rglob("*.go")
        if not skipped.search(str(file)) and tag.search(file.read_text())
    ]


def _import_path(tree: Path, file: Path) -> str:
    folder = str(file.parent.relative_to(tree))
    staged = folder.removeprefix("staging/src/k8s.io/")
    return f"{VENDORED}/{staged}" if staged != folder else f"{PACKAGE}/{folder}"


KUBERNETES = Build(f"kubernetes-{VERSION}", _make)
