"""What all hubs of the tests have in common; each test module adds to it."""

import os
import sys
from pathlib import Path

import jhext
from jhext.demo.accounts import load
from jhext.demo.authenticator import DemoAuthenticator

FOLDER = Path.cwd().parent  # a hub runs in a folder of its own in there
ACCOUNTS = FOLDER / "accounts.json"

c = get_config()  # noqa: F821 (JupyterHub defines it)
jhext.configure(c, FOLDER / "jhext.yaml")

c.JupyterHub.authenticator_class = DemoAuthenticator
c.DemoAuthenticator.accounts_file = str(ACCOUNTS)
c.JupyterHub.allow_named_servers = True

c.KubeSpawner.start_timeout = 30
c.KubeSpawner.delete_grace_period = 1
c.KubeSpawner.cmd = [sys.executable, str(FOLDER / "stub_server.py")]
if os.geteuid() == 0:
    c.KubeSpawner.uid = lambda spawner: load(ACCOUNTS)[spawner.user.name].uid
