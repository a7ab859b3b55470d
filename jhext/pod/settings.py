"""The section ``pod`` of the settings: what a person's pod may do, and what is in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jhext.delegation.settings import TokenSettings
from jhext.identity.ids import KUBERNETES_MAX_ID
from jhext.section import Section

DOCKER_STACKS_GID = 100
"""The group ``users``, which owns what can be written in Jupyter's docker-stacks images."""

DOCKER_STACKS_VARIABLES = {"NB_UMASK": "002"}
"""What docker-stacks' start script reads, so that the group can write what a person makes."""

DOCKER_STACKS_START_TIMEOUT = 300
"""Seconds: these images are several GB, and KubeSpawner's 60 s are over before they are pulled."""

BASE_PASSWD = """\
root:x:0:0:root:/root:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""  # noqa: S105 - nobody's password

BASE_GROUP = """\
root:x:0:
users:x:100:
nogroup:x:65534:
"""

GroupId = Annotated[int, Field(ge=1, le=KUBERNETES_MAX_ID)]


def _base(text: str, fields: int) -> str:
    if not text.isascii() or not text.replace("\n", "").isprintable():
        raise ValueError("may only have printable ASCII characters")
    for line in text.splitlines():
        if line.count(":") != fields - 1:
            raise ValueError(f"{line!r} has not {fields} fields")
    return text


def _base_passwd(text: str) -> str:
    return _base(text, 7)


def _base_group(text: str) -> str:
    return _base(text, 4)


class PodSettings(Section):
    """The section ``pod``. It counts where there is a section ``identity``."""

    privileged_containers: frozenset[str] = Field(
        default=frozenset(),
        strict=False,
        description="Init containers and sidecars of your own configuration that keep what they "
        "ask for: root, capabilities. Each must be sent exactly as you configured it.",
        examples=[["block-cloud-metadata"]],
    )
    supplemental_gids: frozenset[GroupId] = Field(
        default=frozenset(),
        strict=False,
        description="Groups that everybody's processes are in besides their own.",
        examples=[[100]],
    )
    fs_group: Literal["primary", "none"] | GroupId = Field(
        default="primary",
        description="The group that Kubernetes gives the files of a volume: the person's primary "
        "one, none, or this one. It does nothing on NFS. With volumes that several people share, "
        "say `none` or a common group.",
        examples=["none", 100],
    )
    supplemental_groups_policy: Literal["Strict", "Merge"] | None = Field(
        default=None,
        description="Whether /etc/group inside the image may add groups. `Strict` keeps images "
        "that people choose from giving them groups; it needs Kubernetes 1.33 and containerd 2 or "
        "CRI-O 1.31.",
        examples=["Strict"],
    )
    base_passwd: Annotated[str, AfterValidator(_base_passwd)] = Field(
        default=BASE_PASSWD,
        description="The lines of /etc/passwd before the person's own.",
        examples=["root:x:0:0:root:/root:/bin/bash\n"],
    )
    base_group: Annotated[str, AfterValidator(_base_group)] = Field(
        default=BASE_GROUP,
        description="The lines of /etc/group before the person's own.",
        examples=["root:x:0:\nusers:x:100:\n"],
    )
    image_family: Literal["docker-stacks"] | None = Field(
        default=None,
        description="What the images are made from. `docker-stacks` adds the group 100, which "
        "owns what can be written in them, NB_UMASK 002, and a start_timeout of 300 s where none "
        "is configured.",
        examples=["docker-stacks"],
    )
    token: TokenSettings | None = Field(
        default=None,
        description="Gives pods the token of the person's login, as a file. The hub needs rights "
        "on Secrets for it.",
        examples=[{"git_urls": ["https://github.com"]}],
    )

    @property
    def traits(self) -> dict[str, int]:
        """What these settings say of the spawner's traits, where those are not configured."""
        if self.image_family == "docker-stacks":
            return {"start_timeout": DOCKER_STACKS_START_TIMEOUT}
        return {}
