"""The demo's hub. Who may start what, and as whom, is in jhext.yaml beside this file."""

import os
from pathlib import Path

import jhext
from jhext.demo import directory
from jhext.demo.authenticator import DemoAuthenticator
from jhext.demo.directory_login import configure_login

FOLDER = Path(__file__).parent

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (JupyterHub defines it)
jhext.configure(c, FOLDER / "jhext.yaml")

if directory.ADDRESS in os.environ:  # 'jhext demo' runs OpenLDAP where that is installed
    configure_login(c)
else:
    c.JupyterHub.authenticator_class = DemoAuthenticator
    c.DemoAuthenticator.accounts_file = str(FOLDER / "accounts.json")
    c.DemoAuthenticator.enable_auth_state = True  # where rules find claims
c.JupyterHub.allow_named_servers = True

c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
# a login shell, as terminals start it otherwise, would lose the PATH to this Python
c.KubeSpawner.args = ['--ServerApp.terminado_settings={"shell_command": ["bash"]}']
c.KubeSpawner.start_timeout = 90
