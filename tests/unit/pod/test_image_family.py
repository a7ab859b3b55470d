"""What ``pod.image_family: docker-stacks`` adds."""

from __future__ import annotations

from datetime import UTC, datetime

from jhext.identity.model import Identity
from jhext.pod.finish import expected_of
from jhext.pod.settings import PodSettings
from jhext.settings import load_settings

ADA = Identity(username="ada", uid=1500, gid=1500, resolved_at=datetime(2026, 1, 1, tzinfo=UTC))
PEOPLE = {"sources": [{"type": "fixed", "values": {"gid": 100}}]}


def test_docker_stacks_get_their_group_and_umask():
    expected = expected_of(ADA, "/home/jovyan", PodSettings(image_family="docker-stacks"))
    assert expected.ids.supplemental == (100,)
    assert expected.variables["NB_UMASK"] == "002"


def test_other_images_get_neither():
    expected = expected_of(ADA, "/home/jovyan", PodSettings())
    assert expected.ids.supplemental == ()
    assert "NB_UMASK" not in expected.variables


def test_docker_stacks_get_time_to_be_pulled_where_none_is_configured():
    family = {"pod": {"image_family": "docker-stacks"}}
    assert load_settings(family | {"identity": PEOPLE}).traits == {"start_timeout": 300}
    assert load_settings(family).traits == {}  # without identities the section says nothing
