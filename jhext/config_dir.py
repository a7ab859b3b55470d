"""A folder of configuration files, which are run in the order of their numbers."""

from __future__ import annotations

import re
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

_NAME = re.compile(r"(?P<number>\d+)-[^/]*\.py")


def load_config_dir(c: Config, path: str | Path) -> list[Path]:
    """Run the files ``NN-name.py`` of a folder, the smallest number first.

    All of them have the same ``c``, so each sees what those before have set. Other files, such as
    modules that these import, are not run.

    Parameters
    ----------
    c
        The configuration, as ``get_config()`` gives it.
    path
        The folder. A relative one is looked up from the folder that the hub runs in.

    Returns
    -------
    list
        The files that were run.

    Raises
    ------
    OSError
        There is no such folder. An error in a file comes out as it is, too.
    """
    folder = Path(path).absolute()
    found = sorted(
        (int(name["number"]), file)
        for file in folder.iterdir()
        if (name := _NAME.fullmatch(file.name)) and file.is_file()
    )
    files = [file for _, file in found]
    for file in files:
        _SharedLoader(c, file).load_config()
    return files


class _SharedLoader(PyFileConfigLoader):
    """Runs a file with a configuration that is there already, instead of one of its own."""

    def __init__(self, c: Config, file: Path) -> None:
        self._shared = c
        super().__init__(file.name, str(file.parent))

    def clear(self) -> None:
        """Begin with what is configured."""
        self.config = self._shared

    def load_subconfig(self, fname: str, path: str | None = None) -> None:
        """Run another file, as JupyterHub's own loader does."""
        loader = PyFileConfigLoader(fname, path if path is not None else self.path)
        loader.load_subconfig(fname)
        self.config.merge(loader.config)
