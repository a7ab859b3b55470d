"""A private Prometheus that reads one exporter, each second."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from jhext.demo.processes import Child, Children, free_port


@contextmanager
def running(
    folder: Path, exporter: int, ready: Callable[[str], bool]
) -> Iterator[tuple[str, Child]]:
    """Run one; give its address and its process once it is ready by what its address answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    scrape = {"job_name": "exporter", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}
    config = folder / "prometheus.yml"
    config.write_text(
        yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]})
    )
    command = [
        *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    env = {"PATH": os.environ["PATH"]}
    with Children() as children:
        child = children.start("Prometheus", command, env=env, cwd=folder, log=folder / "log")
        child.wait_until(lambda: ready(url), 60)
        yield url, child
