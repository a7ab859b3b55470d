"""Kubernetes' programs: from `KUBEBUILDER_ASSETS`, or built once from Debian's source package."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.kubernetes.apiserver import ControlPlane
from tests.cluster.kubernetes.cache import cache_root, kept

VERSION = "1.20.2"  # what Debian 12 has
PROGRAMS = ("kube-apiserver", "kubelet", "kube-scheduler", "kube-controller-manager")
PACKAGE = "k8s.io/kubernetes"
VENDORED = f"{PACKAGE}/vendor/k8s.io"
BUILD_HINT = "`python -m tests.cluster.kubernetes.build` (ten minutes, once, on Debian 12)"


def built() -> Path | None:
    """Return the directory with our build of `PROGRAMS`, or None when it was not built yet."""
    directory = cache_root() / f"kubernetes-{VERSION}"
    return directory if directory.is_dir() else None


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
    own, etcd = built(), shutil.which("etcd")
    return ControlPlane(own / "kube-apiserver", Path(etcd)) if own and etcd else None


def build() -> Path:
    """Build `PROGRAMS` unless the cache has them; return their directory.

    It needs apt with a Debian 12 source, and Go; no root.
    """
    return kept(f"kubernetes-{VERSION}", _build_into)


def _build_into(target: Path) -> None:
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
    parts = work / "sources"
    parts.mkdir()
    (work / "lists" / "partial").mkdir(parents=True)
    for source in debian_sources():
        (parts / source.name).write_text(only_sources(source.read_text()))
    apt = [
        "apt-get",
        "-q",
        "-o=Dir::Etc::sourcelist=/dev/null",
        f"-o=Dir::Etc::sourceparts={parts}",
        f"-o=Dir::State::lists={work / 'lists'}",
        "-o=Dir::Cache::srcpkgcache=",
        "-o=Dir::Cache::pkgcache=",
        "-o=APT::Sandbox::User=root",
    ]
    subprocess.run([*apt, "update"], cwd=work, check=True)
    subprocess.run([*apt, "source", "--download-only", "kubernetes"], cwd=work, check=True)
    archives = list(work.glob(f"kubernetes_*{VERSION}.orig.tar.gz"))
    if len(archives) != 1:
        found = sorted(path.name for path in work.glob("kubernetes_*"))
        raise RuntimeError(f"no source of Kubernetes {VERSION}: apt has {found}")
    return archives[0]


def debian_sources() -> list[Path]:
    """Return apt's source files that name a Debian archive."""
    apt = Path("/etc/apt")
    files = [apt / "sources.list", *apt.glob("sources.list.d/*.sources")]
    files += apt.glob("sources.list.d/*.list")
    return [file for file in files if file.is_file() and re.search(r"/debian\b", file.read_text())]


def only_sources(text: str) -> str:
    """Turn an apt source file, of either format, from binary packages to source packages."""
    text = re.sub(r"(?m)^Types:.*", "Types: deb-src", text)
    text = re.sub(r"(?m)^deb-src\s.*\n?", "", text)
    return re.sub(r"(?m)^deb\s", "deb-src ", text)


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
