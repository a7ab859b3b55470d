import jhext

c = get_config()  # noqa: F821 - JupyterHub defines it
jhext.configure(c, "jhext.yaml")
c.JupyterHub.internal_ssl = True
c.JupyterHub.hub_port = 8085
c.KubeSpawner.enable_user_namespaces = True
c.KubeSpawner.port = 9999
c.KubeSpawner.component_label = "notebook"
