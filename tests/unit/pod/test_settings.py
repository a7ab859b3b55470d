"""The section ``pod``."""

from typing import Any

import pytest
from pydantic import ValidationError

from jhext.pod.settings import PodSettings


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"privileged_container": ["x"]}, "not permitted"),
        ({"supplemental_gids": [0]}, "greater than or equal"),
        ({"supplemental_gids": [2**31]}, "less than or equal"),
        ({"supplemental_gids": ["100"]}, "valid integer"),
        ({"fs_group": "users"}, "'primary'"),
        ({"fs_group": 0}, "greater than or equal"),
        ({"fs_group": True}, "valid integer"),
        ({"base_passwd": "root:x:0:0"}, "has not 7 fields"),
        ({"base_group": "root:x:0:\n\n"}, "has not 4 fields"),
        ({"base_group": "a\x0b:x:0:"}, "printable ASCII"),
        ({"base_group": "ä:x:7:"}, "printable ASCII"),
        ({"image_family": "other"}, "'docker-stacks'"),
    ],
)
def test_mistakes_are_told(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as error:
        PodSettings.model_validate(wrong)
    assert why in str(error.value)


def test_lists_of_yaml_are_taken() -> None:
    settings = PodSettings.model_validate(
        {"privileged_containers": ["block-cloud-metadata"], "supplemental_gids": [100]}
    )
    assert settings.supplemental_gids == {100}


def test_every_field_is_described() -> None:
    assert all(field.description for field in PodSettings.model_fields.values())
