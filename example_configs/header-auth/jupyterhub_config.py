"""A hub on Kubernetes. Everything that is yours to say is in jhext.yaml beside this file."""

from pathlib import Path

import jhext

c = get_config()
jhext.configure(c, Path(__file__).with_name("jhext.yaml"))

# Servers find the hub by its Service. The proxy has a pod of its own, so that nobody loses a
# connection while the hub restarts.
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
