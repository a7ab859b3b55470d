"""How Sphinx builds these pages."""

from importlib.metadata import version as installed

project = "jhext"
author = "the jhext contributors"
copyright = f"{author}, BSD-3-Clause"
release = version = installed("jhext")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "jhext"
exclude_patterns = ["_build"]
