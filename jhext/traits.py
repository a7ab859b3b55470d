"""What operators can configure on the spawner besides KubeSpawner's own traits."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from typing import Any

from kubespawner import KubeSpawner
from traitlets import Any as AnyTrait
from traitlets import Bool, Enum, Instance, List, Set, Unicode, default
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from .profiles.catalog import Policy
from .profiles.freeze import Shared, is_shared, share
from .profiles.lint import LintRules
from .profiles.sources import Sources
from .settings import Settings
from .upstream import KubeSpawnerSeams, overridable_traits


class ProfileList(List[Any]):
    """A ``profile_list``: taken as it is, so that all spawners share one."""

    info_text = "a list or a dict of profiles, or a callable that takes the spawner"

    def validate(self, obj: Any, value: Any) -> Any:
        """Accept the shapes that KubeSpawner documents."""
        if isinstance(value, Shared):
            return value.value
        if isinstance(value, list | dict) or callable(value):
            return value
        return self.error(obj, value)


class ConfiguredKubeSpawner(KubeSpawnerSeams):
    """A KubeSpawner with the traits that say who may start what, and how rules are read."""

    profile_list = ProfileList(
        config=True,
        help=KubeSpawner.profile_list.help
        + """

        On a profile, on a choice and on an `unlisted_choice`, these keys say who may use it:

        - `allow_all`: everybody
        - `allowed_users`, `allowed_groups`: names, compared exactly
        - `allow_if`: an expression in CEL over `user`, `groups`, `admin`, `server_name`,
          `claims` and `now`; it allows only when it is true
        - `blocked_users`, `blocked_groups`, `block_if`: the same, and they win

        A profile without an allowing rule follows `default_access`. A choice without one is open
        to whoever has the profile. May be a list, a dict, or a callable or async callable that
        takes the spawner and returns either. A list is read once: to change it while the hub
        runs, use a callable.
        """,
    )

    profile_files = List(
        Unicode(),
        config=True,
        help="""
        Files with a section `profiles` like that of `jhext.yaml`, or folders of such files, which
        are read in the order of their names. What they hold comes after `profile_list`.

        They are read again when they change, also as a mounted ConfigMap does.
        """,
    )

    profile_mapping_files = List(
        Unicode(),
        config=True,
        help="""
        Text files with a line `user:profile` for each right. They add to the rules of the
        profiles, and are read again when they change.
        """,
    )

    reload_policy = Enum(
        ["keep", "fail_closed"],
        default_value="keep",
        config=True,
        help="""
        What to do when profiles have changed and are faulty: go on with those before (`keep`) or
        start nothing until they are mended (`fail_closed`).
        """,
    )

    settings = Instance(
        Settings,
        allow_none=True,
        config=True,
        help="""
        What `jhext.configure` read. The traits below win over it.
        """,
    )

    default_access = Enum(
        ["deny", "allow"],
        default_value="deny",
        config=True,
        help="""
        Who may start a profile that has no allowing rule: nobody (`deny`) or everybody who is
        not blocked (`allow`).

        With no profiles configured at all, `allow` starts the configuration as it is and `deny`
        is a configuration error.
        """,
    )

    admin_bypass = Bool(
        config=True,
        help="""
        Whether admins may start what no rule blocks them from. Each use is logged.
        """,
    )

    claims_key = Unicode(
        config=True,
        help="""
        The key of auth_state whose dict rules see as `claims`, such as `oauth_user`.

        What is in `auth_state["jhext"]["claims"]` comes first. Name only a dict that holds no
        tokens.
        """,
    )

    allowed_sensitive_overrides = Set(
        Unicode(),
        config=True,
        help="""
        Traits that a `kubespawner_override` may set although they can widen rights, such as
        `service_account` or `extra_pod_config`.
        """,
    )

    extra_profile_keys = Set(
        Unicode(),
        config=True,
        help="""
        Keys of profiles, options and choices that a custom form template reads. Keys beginning
        with `x-` need no declaration.
        """,
    )

    extra_user_options = Set(
        Unicode(),
        config=True,
        help="""
        Keys of `user_options` that other code of yours reads, such as a hook. They are passed
        over; all other keys that the chosen profile does not have are refused.
        """,
    )

    # JupyterHub < 6 puts any JSON value here that REST brings; it shall be refused, not crash.
    user_options = AnyTrait(help=KubeSpawner.user_options.help)

    deciding_traits = frozenset(
        {
            "profile_list",
            "profile_files",
            "profile_mapping_files",
            "reload_policy",
            "settings",
            "default_access",
            "admin_bypass",
            "claims_key",
            "allowed_sensitive_overrides",
            "extra_profile_keys",
            "extra_user_options",
        }
    )
    """Traits that no profile can override."""

    _is_given_profiles = False

    @default("user_options")
    def _default_user_options(self) -> dict[str, Any]:
        return {}

    def share_config(self, section: Config) -> None:
        """Let all spawners have one profile list, and let the settings fill in for traits.

        What is not configured as a trait comes from the settings. It is put among the configured
        values because a dynamic default would be computed anew for every Spawner.
        """
        value = section.get("profile_list")
        if isinstance(value, LazyConfigValue):
            value = value.get_value([])
        # A hook that empties a list does not make it one that was never configured.
        self._is_given_profiles = bool(value)
        if isinstance(value, list | dict):
            section["profile_list"] = share(value)
        if isinstance(settings := section.get("settings"), Settings):
            for name, value in settings.traits.items():
                if isinstance(written := section.setdefault(name, value), LazyConfigValue):
                    section[name] = copy.deepcopy(written).get_value(value)

    @property
    def has_profiles(self) -> bool:
        """Whether there is any source of profiles, be it one that yields none."""
        return bool(
            self._is_given_profiles
            or self.profile_list
            or (self.settings and self.settings.has_profiles)
            or self._if_set("profile_files", [])
            or self._if_set("profile_mapping_files", [])
        )

    def _if_set(self, name: str, unset: Any) -> Any:
        # Each spawner would make a default of its own, which takes longer than all else here.
        return getattr(self, name) if self.trait_has_value(name) else unset

    @property
    def profile_sources(self) -> Sources:
        """Where profiles come from that are the same for all spawners."""
        return Sources.of(
            self.profile_list if is_shared(self.profile_list) else None,
            self.settings,
            self._if_set("profile_files", []),
            self._if_set("profile_mapping_files", []),
        )

    @property
    def has_profiles_by_hook(self) -> bool:
        """Whether a hook has set a list of profiles, for this start."""
        listed = self._if_set("profile_list", [])
        # What is configured is shared by all spawners.
        return bool(listed) and not is_shared(listed) and not callable(listed)

    @property
    def has_other_sources(self) -> bool:
        """Whether profiles or their rules come from elsewhere than the settings, too."""
        written = self.settings.traits if self.settings else {}
        return bool(self._if_set("profile_list", [])) or any(
            list(self._if_set(name, [])) != list(written.get(name, []))
            for name in ("profile_files", "profile_mapping_files")
        )

    @property
    def passed_over_options(self) -> frozenset[str]:
        """The keys of ``user_options`` that code of the operator reads."""
        return frozenset(self._if_set("extra_user_options", ()))

    @property
    def policy(self) -> Policy:
        """How rules are read."""
        return Policy(self._if_set("default_access", "deny"), self._if_set("admin_bypass", False))

    @property
    def lint_variant(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Give what the rules of the lint depend on and hooks may set for one spawner."""
        names = ("allowed_sensitive_overrides", "extra_profile_keys")
        return tuple((name, frozenset(self._if_set(name, ()))) for name in names)

    @property
    def watch_variant(self) -> Hashable:
        """Give what the sources and rules depend on besides, and hooks may set for one spawner."""
        files = ("profile_files", "profile_mapping_files")
        return (
            *(tuple(self._if_set(name, ())) for name in files),
            self.policy,
            self.lint_variant,
        )

    def lint_rules(self) -> LintRules:
        """Say how profiles are checked."""
        return LintRules(
            traits=overridable_traits(type(self)),
            default_access=self.policy.default_access,
            allowed_sensitive_overrides=frozenset(self.allowed_sensitive_overrides),
            extra_profile_keys=frozenset(self.extra_profile_keys),
        )
