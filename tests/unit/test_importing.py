"""Importing any module of jhext does nothing but define names."""

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys, threading

import jhext

# What others do when they are imported is not ours to judge.
import jupyterhub.app, kubespawner, ldapauthenticator, oauthenticator.generic  # noqa: F401


def refuse(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes or event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.system"):
        raise AssertionError(f"importing {name} does {event}{args}")


name = "jhext"
sys.addaudithook(refuse)
threads = threading.active_count()
found = [module.name for module in pkgutil.walk_packages(jhext.__path__, "jhext.")]
for name in found:
    if not name.endswith("__main__"):
        importlib.import_module(name)
assert threading.active_count() == threads, threading.enumerate()
print(len(found))
"""


def test_d32_importing_has_no_side_effects_and_needs_no_cluster() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL],
        env={"PATH": "", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_d32_importing_the_package_loads_nothing() -> None:
    code = "import sys, jhext; print([m for m in sys.modules if m.startswith('jupyterhub')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PATH": ""}
    )
    assert done.stdout.strip() == "[]"
