"""The form, and what operators configure."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

from jhext import ProfileKubeSpawner
from jhext.refusal import Reason
from tests.unit.spawning import (
    PROFILES,
    granted_to,
    refusal_of,
)

# The form


async def test_d48_stale_options_lead_to_the_form_with_a_message(make_spawner: Any) -> None:
    """F-10."""
    spawner = make_spawner(PROFILES, groups=["lab"], options={"profile": "gone"})
    html = await spawner.get_options_form()
    assert "no longer available" in html
    assert html.count(" checked") == 1
    spawner.user_options = {"profile": "small"}
    assert "no longer available" not in await spawner.get_options_form()


async def test_form_of_the_operator_wins_and_the_answer_is_the_same(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, options_form="<input name='profile'>")
    assert await spawner.get_options_form() == "<input name='profile'>"
    assert (await refusal_of(spawner, {"profile": "small"})).reason == Reason.NONE_PERMITTED


async def test_templates_of_the_operator(make_spawner: Any, tmp_path: Any) -> None:
    inline = "{{ profile_list[0].display_name }}|{{ user_options.profile }}"
    traits = {"profile_form_template": inline, "groups": ["lab"]}
    profiles = [PROFILES[0] | {"display_name": "<b>Small</b>"}]
    spawner = make_spawner(profiles, {"profile": "small"}, **traits)
    assert await spawner.get_options_form() == "&lt;b&gt;Small&lt;/b&gt;|small"
    (tmp_path / "form.html").write_text("mine: {{ profile_list | length }}")
    paths = [str(tmp_path)]
    spawner = make_spawner(PROFILES, groups=["lab"], additional_profile_form_template_paths=paths)
    assert await spawner.get_options_form() == "mine: 1"


# Configuration


@pytest.mark.parametrize("section", ["Spawner", "KubeSpawner", "ProfileKubeSpawner"])
async def test_traits_may_stand_in_any_section_and_the_nearest_wins(
    make_spawner: Any, section: str
) -> None:
    config = Config()
    config.Spawner.default_access = "deny"
    config[section].default_access = "allow"
    config.KubeSpawner.profile_list = [{"display_name": "P"}]
    if section == "KubeSpawner":
        config.ProfileKubeSpawner.profile_list = [{"display_name": "Q"}]
    wanted = "q" if section == "KubeSpawner" else "p"
    assert await granted_to(make_spawner(config=config), {}) == wanted


async def test_appended_list_is_read_once(make_spawner: Any) -> None:
    config = Config()
    config.KubeSpawner.profile_list.append(PROFILES[0])
    config.KubeSpawner.profile_list.extend([PROFILES[1]])
    one, other = make_spawner(config=config), make_spawner(config=config, groups=["gpu"])
    assert one.profile_list is other.profile_list
    assert await granted_to(other, {}) == "gpu"


async def test_subclass_with_traits_and_callables_of_its_own(make_spawner: Any) -> None:
    class Mine(ProfileKubeSpawner):
        extra_profile_keys = {"colour"}

        async def load_user_options(self) -> None:
            await super().load_user_options()
            self.image = "mine:1"

    config = Config()
    config.KubeSpawner.profile_list = [{"display_name": "P", "allow_all": True, "colour": "red"}]
    config.Mine.default_access = "allow"
    spawner = make_spawner(config=config, kind=Mine)
    assert await granted_to(spawner, {}) == "p"
    assert spawner.image == "mine:1"
    # What a subclass lets pass, its parent does not.
    assert (await refusal_of(make_spawner(config=config), {})).status_code == 503


async def test_options_of_hooks_are_declared(make_spawner: Any) -> None:
    options = {"profile": "small", "repo": "x"}
    assert (await refusal_of(make_spawner(PROFILES, options, groups=["lab"]))).status_code == 403
    spawner = make_spawner(PROFILES, options, groups=["lab"], extra_user_options={"repo"})
    assert await granted_to(spawner) == "small"


async def test_jupyterhub_does_not_warn_of_options_and_hooks_of_operators_win(
    make_spawner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    options, read = {"profile": "small"}, []

    def mine(spawner: Any, options: Any) -> None:
        """Read options of its own."""
        read.append(options)

    await make_spawner(PROFILES)._run_apply_user_options(options)
    assert not caplog.records
    await make_spawner(PROFILES, apply_user_options=mine)._run_apply_user_options(options)
    assert read == [options]
