"""The spawner's part in WHAT: which profiles there are now, and for whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from jupyterhub.utils import maybe_future
from tornado import web

from .delegating import DelegatingKubeSpawner
from .errors import faulty_configuration, from_http_error
from .profiles.access import Person
from .profiles.catalog import Catalog
from .profiles.finding import ConfigurationError, Finding
from .profiles.freeze import is_shared
from .profiles.library import Library
from .profiles.sources import Version
from .profiles.watch import Watch
from .refusal import Refusal

LIBRARY = Library()
"""The catalogues of this process."""
_TOLD: WeakKeyDictionary[Watch, deque[tuple[Finding, ...]]] = WeakKeyDictionary()
"""What has been logged about the lists of callables and hooks, by the sources they are added to."""


class CatalogedKubeSpawner(DelegatingKubeSpawner):
    """A KubeSpawner that knows the catalogue of profiles, and who asks for it."""

    async def catalog(self) -> Catalog | None:
        """Give the catalogue as it is now; None where no profiles are configured, nor needed.

        Raises
        ------
        Refusal
            The configuration is faulty, or a callable of the operator refuses.
        """
        if not self.has_profiles:
            if self.default_access == "allow":
                return None
            raise faulty_configuration("no profiles are configured and default_access is deny")
        watch = self._watch()
        version = await self._version(watch)
        listed = self.profile_list
        if is_shared(listed) or not listed:
            return version.catalog
        if callable(listed):
            listed = await self._call_profile_list(listed)
        try:
            catalog, _ = LIBRARY.catalog(
                [listed, version.profiles],
                self.lint_rules,
                self.policy,
                mappings=version.mappings,
                configuration=(type(self), self.config, version),
                variant=self.lint_variant,
            )
        except ConfigurationError as error:
            self._tell(watch, error.findings)
            raise faulty_configuration(str(error)) from None
        except Exception as error:
            raise self.refused_by_code("Reading the profiles", error) from error
        self._tell(watch, catalog.findings)
        if catalog.errors and not callable(self.profile_list):
            # What a callable returns is only known now, and what is faulty in it is left out.
            raise faulty_configuration("; ".join(map(str, catalog.errors)))
        return catalog

    def settled_catalog(self) -> Catalog | None:
        """Give the catalogue where that takes no waiting: no file and no callable has a part."""
        listed = self.profile_list
        if not self.has_profiles or (listed and not is_shared(listed)):
            return None
        watch = self._watch()
        version = watch.settled
        return self._take_up(watch, version).catalog if version else None

    def _watch(self) -> Watch:
        """Give the watch over the sources that all spawners share."""
        listed = self.profile_list if is_shared(self.profile_list) else None
        return LIBRARY.watch(
            (type(self), self.config, self.settings, listed),
            self.watch_variant,
            lambda: (self.profile_sources, self.lint_rules(), self.policy),
        )

    async def _version(self, watch: Watch) -> Version:
        """Give the version of the watched sources that holds now."""
        try:
            current = await watch.current()
        except Exception as error:
            raise self.refused_by_code("Reading the profiles", error) from error
        if current.version is None or (current.problems and self.reload_policy == "fail_closed"):
            self._tell_messages(watch)
            raise faulty_configuration("; ".join(map(str, current.problems)))
        return self._take_up(watch, current.version)

    def _take_up(self, watch: Watch, version: Version) -> Version:
        self._tell_messages(watch)
        self.mount_rules = version.mounts
        return version

    def _tell_messages(self, watch: Watch) -> None:
        for level, message in watch.messages():
            self.log.log(level, "%s", message)

    def _tell(self, watch: Watch, findings: tuple[Finding, ...]) -> None:
        """Log findings, the same ones once: a callable may make the same list at each call."""
        told = _TOLD.setdefault(watch, deque(maxlen=128))
        if findings in told:
            return
        told.append(findings)
        for finding in findings:
            log = self.log.critical if finding.level == "error" else self.log.warning
            log("%s", finding)

    async def _call_profile_list(self, profile_list: Any) -> Any:
        try:
            return await maybe_future(profile_list(self))
        except Exception as error:
            raise self.refused_by_code("The callable profile_list", error) from error

    def refused_by_code(self, what: str, error: Exception) -> Refusal:
        """Answer what code of the operator raised: with its words if it refuses."""
        if isinstance(error, web.HTTPError) and error.status_code < 500:
            return from_http_error(error)
        self.log.error("%s failed for %s", what, self._log_name, exc_info=error)
        return faulty_configuration(f"{what} failed: {type(error).__name__}")

    async def person(self, catalog: Catalog) -> Person:
        """Say for whom the catalogue is asked."""
        return Person(
            user=self.user.name,
            groups=frozenset(group.name for group in self.user.groups),
            admin=bool(self.user.admin),
            server_name=self.name,
            claims=await self._claims() if catalog.needs_claims else {},
        )

    async def _claims(self) -> Mapping[str, Any]:
        if (identity := await self.identify()) is not None:
            return identity.claims
        auth_state = await self.user.get_auth_state()
        if not isinstance(auth_state, Mapping):
            return {}
        own = auth_state.get("jhext")
        claims = own.get("claims") if isinstance(own, Mapping) else None
        if claims is None and self.claims_key:
            claims = auth_state.get(self.claims_key)
        if not isinstance(claims, Mapping):
            return {}
        # Rules never see tokens, whichever dict claims_key names.
        shown: Mapping[str, Any] = _without_tokens(claims)
        return shown


def _without_tokens(value: Any) -> Any:
    """Copy claims without whatever is called a token, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: _without_tokens(item)
            for key, item in value.items()
            if "token" not in str(key).lower()
        }
    if isinstance(value, list):
        return [_without_tokens(item) for item in value]
    return value
