"""The classes that configuration in the pages is about."""

from jupyter_events import EventLogger
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from kubespawner import KubeSpawner
from traitlets.config import Configurable

import jhext

CONFIGURABLES: dict[str, type[Configurable]] = {
    kind.__name__: kind
    for kind in (Authenticator, EventLogger, JupyterHub, KubeSpawner, jhext.ProfileKubeSpawner)
} | {name: getattr(jhext, name) for name in jhext.__all__ if name.endswith("Authenticator")}
