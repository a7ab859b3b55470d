"""A container image of one layer, written from a directory in the format of `docker save`."""

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_image(root: Path, name: str, settings: dict[str, Any], archive: Path) -> None:
    """Pack `root` as image `name`; `settings` are the image's (``Cmd``, ``Env``, ``User``, …)."""
    with tempfile.NamedTemporaryFile(dir=archive.parent) as layer:
        with tarfile.open(fileobj=layer, mode="w") as tar:
            tar.add(root, arcname=".")
        layer.seek(0)
        digest = hashlib.file_digest(layer, "sha256").hexdigest()
        image = _json(
            {
                "architecture": ARCHITECTURES[platform.machine()],
                "os": "linux",
                "config": settings,
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            }
        )
        image_name = f"{hashlib.sha256(image).hexdigest()}.json"
        layers = [f"{digest}/layer.tar"]
        manifest = _json([{"Config": image_name, "RepoTags": [name], "Layers": layers}])
        with tarfile.open(archive, "w") as tar:
            for path, content in ((image_name, image), ("manifest.json", manifest)):
                member = tarfile.TarInfo(path)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            tar.add(layer.name, arcname=layers[0])


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
