"""Handlers that ``configure()`` adds to the hub under ``/hub/api/jhext/``."""

from __future__ import annotations

from typing import Any


def handlers() -> list[tuple[str, type[Any]]]:
    """Give the handlers with their paths, as ``JupyterHub.extra_handlers`` takes them."""
    from .idle import IdleHandler  # noqa: PLC0415 - only a hub needs them
    from .notices import NoticesHandler  # noqa: PLC0415
    from .revoked import RevokedHandler  # noqa: PLC0415
    from .server import ServerHandler  # noqa: PLC0415

    return [
        ("/api/jhext/idle", IdleHandler),
        ("/api/jhext/notices", NoticesHandler),
        ("/api/jhext/revoked", RevokedHandler),
        ("/api/jhext/servers/([^/]+)/([^/]*)", ServerHandler),
    ]
