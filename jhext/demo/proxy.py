"""Which configurable-http-proxy there is: npm's own, or the one in Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .processes import StartError

NPM_PACKAGE = "configurable-http-proxy@^5"
_OLDEST_NODE = 20
_LIMITS_OF_PYTHON = (
    "it holds back streamed answers until they end, drops websocket subprotocols and binary"
    " messages, and refuses large uploads"
)


@dataclass(frozen=True)
class Proxy:
    """How to run the proxy, and what to tell about it."""

    command: tuple[str, ...]
    description: str


def find_proxy(folder: Path) -> Proxy:
    """
    Return npm's proxy, installed into ``folder`` if it has to be; else the one in Python.

    Raises
    ------
    StartError
        There is neither.
    """
    proxy, reason = _npm_proxy(folder)
    return proxy or _python_proxy(reason)


def _npm_proxy(folder: Path) -> tuple[Proxy | None, str]:
    """Return npm's proxy, or None and why not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        return None, "Node is not installed"
    version = subprocess.run(  # noqa: S603
        [node, "--version"], capture_output=True, text=True, check=False, timeout=30
    ).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if major is None:
        return None, "Node is not working"
    if int(major[1]) < _OLDEST_NODE:
        return None, f"Node is {version}, which is older than {_OLDEST_NODE}"
    script = folder / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    if not script.exists():
        if npm is None:
            return None, "npm is not installed"
        failure = _install(npm, folder)
        if failure or not script.exists():
            return None, f"npm could not install it ({failure or 'it is not there'})"
    return Proxy((node, str(script)), f"npm's configurable-http-proxy on Node {version}"), ""


def _install(npm: str, folder: Path) -> str:
    """Install npm's proxy, whole or not at all; return why that failed, or nothing."""
    new = folder.with_name(f"{folder.name}.new")
    for left in (new, folder):
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    command = [npm, "install", "--prefix", str(new), "--no-audit", "--no-fund", NPM_PACKAGE]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=new, capture_output=True, text=True, check=False, timeout=180
        )
    except subprocess.TimeoutExpired:
        return "no answer in 180 s"
    if done.returncode == 0:
        new.rename(folder)
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _python_proxy(reason: str) -> Proxy:
    # beside this Python first: a PATH may name npm's, which has the same name, or another venv's
    script = shutil.which("configurable-http-proxy", path=str(Path(sys.executable).parent))
    if script is None:
        raise StartError(
            f"There is no configurable-http-proxy: {reason}, and the one in Python is missing;"
            " install jhext[demo], or Node 20 with npm."
        )
    return Proxy(
        (script,),
        f"the configurable-http-proxy in Python, since {reason}; {_LIMITS_OF_PYTHON}",
    )
