"""How Sphinx builds these pages."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "jhext"
author = "the jhext contributors"
copyright = f"{author}, BSD-3-Clause"
release = version = installed("jhext")

extensions = [
    "audit_event",
    "autodoc_traits",
    "command_table",
    "model_table",
    "myst_parser",
    "sphinx.ext.napoleon",
    "trait_list",
]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "jhext"
exclude_patterns = ["_build"]
