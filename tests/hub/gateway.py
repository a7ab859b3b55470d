"""nginx with the configuration of an example, in front of a hub."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template

import pytest
import yaml

from jhext.demo.processes import Children, free_port, is_free
from tests.directories.folders import short_folder

PERSON = "person"
"""The cookie that the stand-in for oauth2-proxy tells people by."""

_MAIN = Template("""
daemon off;
pid $folder/pid;
events {}
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  map_hash_bucket_size 128;
  map $$cookie_$person $$given {
    default "";
    $tokens
  }
  server {
    listen 127.0.0.1:$asked;
    location / {
      if ($$given = "") { return 401; }
      add_header X-Auth-Request-Access-Token $$given always;
      return 202;
    }
  }
  $servers
}
""")


@contextmanager
def running_gateway(
    manifest: Path, hub: str, secret: str, tokens: Mapping[str, str]
) -> Iterator[str]:
    """
    Run what a ConfigMap says, and give its address.

    Parameters
    ----------
    manifest
        The file with the ConfigMap.
    hub
        Where the hub's proxy listens.
    secret
        What proves to the hub that it is the gateway.
    tokens
        What a stand-in for oauth2-proxy gives people, by their cookies.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    (config, *_) = yaml.safe_load_all(manifest.read_text())
    servers: str = config["data"]["default.conf.template"]
    port, asked = free_port(), free_port()
    places = {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "http://proxy-public": hub,
        "http://127.0.0.1:4180": f"http://127.0.0.1:{asked}",
        "${JHEXT_HEADER_SECRET}": secret,
    }
    for there, here in places.items():
        assert there in servers, f"{there!r} is not in {manifest.name} any more"
        servers = servers.replace(there, here)
    given = " ".join(f'{name} "{token}";' for name, token in tokens.items())
    with short_folder() as folder, Children() as children:
        main = folder / "nginx.conf"
        main.write_text(
            _MAIN.substitute(
                folder=folder, person=PERSON, tokens=given, asked=asked, servers=servers
            )
        )
        command = [nginx, "-p", str(folder), "-c", str(main), "-e", "stderr"]
        child = children.start("nginx", command, env={}, cwd=folder, log=folder / "log")
        child.wait_until(lambda: not is_free(port), 30)
        yield f"http://127.0.0.1:{port}"
