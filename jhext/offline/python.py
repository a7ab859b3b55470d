"""A ``jupyterhub_config.py``, read as JupyterHub reads it."""

from __future__ import annotations

import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

from jupyterhub.app import JupyterHub
from traitlets.config import Config

from ..profiles.finding import ConfigurationError, Finding
from ..spawner import ProfileKubeSpawner


def read_python(path: Path) -> tuple[Config, type[ProfileKubeSpawner]]:
    """Run a ``jupyterhub_config.py`` as JupyterHub does, and go no further.

    Returns
    -------
    tuple
        The configuration, and the class of the spawners.

    Raises
    ------
    ConfigurationError
        It fails, or names another spawner than jhext's.
    """
    hub = JupyterHub(log_level="ERROR")
    try:
        # What the file prints must not get into the output for machines.
        with redirect_stdout(sys.stderr):
            hub.load_config_file(str(path.absolute()))
        spawner_class = hub.spawner_class
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigurationError([_failure(path, error)]) from error
    if not issubclass(spawner_class, ProfileKubeSpawner):
        name = f"{spawner_class.__module__}.{spawner_class.__qualname__}"
        message = f"{name} is no jhext.ProfileKubeSpawner: jhext decides nothing in this hub"
        where, suggestion = "c.JupyterHub.spawner_class", "call jhext.configure, or name jhext"
        raise ConfigurationError(
            [Finding("error", where, "", message, str(path), suggestion=suggestion)]
        )
    return hub.config, spawner_class


def _failure(path: Path, error: BaseException) -> Finding:
    """Say which line of the file failed."""
    file, text = str(path.absolute()), str(error)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines, text = [error.lineno or 0], error.msg
    message = f"{type(error).__name__}: {text}"
    line = lines[-1] if lines else 0
    suggestion = "mend this line, or what it calls" if line else "run it with python to see where"
    return Finding("error", "", "", message, str(path), line, suggestion=suggestion)
