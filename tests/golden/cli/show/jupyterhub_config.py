import jhext

c = get_config()  # noqa: F821 - JupyterHub defines it


def pre_spawn(spawner):
    """Do what operators do."""


c.JupyterHub.db_url = "postgresql://hub:hunter2@db/hub"
c.KubeSpawner.pre_spawn_hook = pre_spawn
c.JupyterHub.load_roles.append({"name": "mine", "users": ["ada"], "scopes": ["self"]})
settings = {
    "profiles": [{"display_name": "Small", "allow_all": True}],
    "hub": {"default_access": "allow"},
    "culler": {"timeout": "1h"},
}
jhext.configure(c, settings)
c.KubeSpawner.default_access = "deny"
c.JupyterHub.services = [{"name": "mine", "url": "http://127.0.0.1:1"}]
