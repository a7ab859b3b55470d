"""`ProfileKubeSpawner`: KubeSpawner in which each person can start only what is theirs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, Template
from jupyterhub.utils import maybe_future
from kubernetes_asyncio.client import V1Pod
from kubespawner.slugs import is_valid_label, safe_slug
from traitlets import TraitError, default

from . import audit, upstream
from .errors import SpawnRefused, faulty_configuration
from .overrides import AppliedOverrides
from .pod.environment import check_names
from .profiles.amounts import read_amounts
from .profiles.catalog import Catalog
from .profiles.fields import unread_fields
from .profiles.form import FormPages
from .profiles.model import walk_options
from .profiles.selection import NOTHING_PERMITTED, Selection, refuse_profile, select
from .recorded import RecordedKubeSpawner
from .refusal import Reason, Refusal
from .storage.projects import Acting

_PAGES = FormPages()
_STALE_NOTICE = (
    '<div class="alert alert-warning" role="status">'
    "What you started last time is no longer available to you. Please choose again.</div>"
)


class ProfileKubeSpawner(RecordedKubeSpawner):
    """A KubeSpawner whose profiles say who may start them.

    One place decides, `load_user_options`, on the profile that would really start and before
    anything of it is applied. The form shows what that place would allow.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._granted: Selection | None = None
        self._catalog_of_start: Catalog | None = None
        self._overrides = AppliedOverrides(self)
        super().__init__(*args, **kwargs)
        self._options_before = self.user_options

    # The form

    @default("options_form")
    def _default_options_form(self) -> Any:
        if not self.has_profiles and self.default_access == "allow":
            return ""
        return type(self)._render_permitted

    async def _render_permitted(self) -> str:
        """Render the form of this person, or refuse where there is nothing to show.

        Raises
        ------
        SpawnRefused
            Nothing is permitted, or the configuration is faulty.
        """
        catalog = None
        try:
            catalog = await self.catalog()
            if catalog is None:
                return ""
            permitted = catalog.permitted(await self.person(catalog))
            if not permitted:
                raise Refusal(Reason.NONE_PERMITTED, NOTHING_PERMITTED)
        except Refusal as refusal:
            self._audit(catalog, refusal)
            raise SpawnRefused(refusal) from None
        template = form_template(
            tuple(self.additional_profile_form_template_paths), self.profile_form_template
        )
        page, stale = _PAGES.render(
            template, catalog, permitted, self.user_options, self.passed_over_options
        )
        # What was refused just now was never started; JupyterHub shows why.
        stale = stale and self.user_options == self.orm_spawner.user_options
        notices = (_STALE_NOTICE if stale else "") + await self.fullness_notice(permitted)
        return notices + page

    def form_options(self, fields: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Read a form or a link, with what means nothing in it, so that it is refused."""
        if not self.has_profiles:
            return super().form_options(fields)
        unread = unread_fields(fields)
        read = {name: values for name, values in fields.items() if name not in unread}
        return {**unread, **super().form_options(read)}

    # The decision

    def run_pre_spawn_hook(self) -> Awaitable[None] | None:
        """Run the hook, and then have the ``start_timeout`` of the profile waited for.

        JupyterHub reads it as soon as it has called ``start()``, before profiles are applied.
        """
        waiting = super().run_pre_spawn_hook()
        self._catalog_of_start = settled = self.settled_catalog()
        if waiting is None and settled is not None and not _sets_start_timeout(settled):
            return None  # a task of its own would cost more than the decision
        return self._set_start_timeout(waiting)

    async def _set_start_timeout(self, waiting: Any) -> None:
        if waiting is not None:
            await maybe_future(waiting)
        try:
            self._catalog_of_start = await self.catalog()
            if self._catalog_of_start is None or not _sets_start_timeout(self._catalog_of_start):
                return
            selection = await self._select(self._catalog_of_start)
        except Refusal:
            return  # the start is about to say so
        for overrides in selection.overrides if selection else ():
            if isinstance(timeout := overrides.get("start_timeout"), int):
                self._overrides.apply({"start_timeout": timeout})

    async def load_user_options(self) -> None:
        """Decide what is started, and apply it.

        Every way to a start leads through here: the form, a link, the REST API, stored options,
        named servers, an admin acting for somebody. Called more than once in a start, by a hook
        say, it decides each time and applies once.

        Raises
        ------
        SpawnRefused
            It may not be started; nothing was applied.
        """
        catalog = selection = None
        try:
            identity = await self.identify()
            catalog = self._catalog_of_start or await self.catalog()
            self._catalog_of_start = None
            selection = await self._select(catalog)
            if catalog is not None and selection is not None:
                await self.leave_room(catalog, selection.profile)
            if selection is None:
                self._forget_grant()
            elif not selection.starts_the_same(self._granted):
                self._apply(selection)
            self._granted = selection
            self.run_as(identity, selection.profile.act_as if selection else None)
        except Refusal as refusal:
            self._forget_grant()
            self._forget_request()
            self._audit(catalog, refusal)
            upstream.forget_failure(self)
            upstream.set_status(self, refusal.status_code)
            raise SpawnRefused(refusal) from None
        self._options_before = self.user_options
        await self.record(self._what_is_granted(catalog))
        if selection is not None or self.acting.project is not None:
            self._audit(catalog, selection)

    async def _select(self, catalog: Catalog | None) -> Selection | None:
        """Decide what the options start; None for the configuration as it is."""
        if catalog is None:
            refuse_profile(self.user_options)
            return None
        person = await self.person(catalog)
        extra = self.passed_over_options
        return select(catalog, person, self.user_options, extra_options=extra)

    def _what_is_granted(self, catalog: Catalog | None) -> dict[str, Any]:
        """What the culler and a restarted hub read: not what was asked for."""
        record: dict[str, Any] = {}
        if catalog is not None and self._granted is not None:
            record |= {"profile": self._granted.profile.slug, "choices": self._granted.choices}
            record |= {"policy": catalog.version}
        if self.identity is not None:
            record |= {"uid": self.identity.uid, "gid": self.identity.gid}
        return {"version": 1, **record} if record else {}

    def _apply(self, selection: Selection) -> None:
        self._forget_grant()
        try:
            self._overrides.apply(selection.profile.kubespawner_override)
            for item in selection.chosen:
                try:
                    overrides = item.overrides
                    if item.free_text:
                        overrides = read_amounts(upstream.format_free_text(overrides, item.value))
                        check_names(item.overrides, overrides)
                    self._overrides.apply(overrides)
                except (TraitError, ValueError, TypeError, OverflowError):
                    if item.free_text:
                        message = "The value you gave does not fit."
                        raise Refusal(Reason.OPTIONS, message, detail=item.key) from None
                    raise
        except Refusal:
            raise
        except Exception as error:
            what = f"An override of profile {selection.profile.slug}"
            raise self.refused_by_code(what, error) from error

    def _forget_grant(self) -> None:
        self._overrides.undo()
        self._granted = None
        self.identity = self.own_identity = None
        self.acting = Acting()
        self._record = {}

    def _forget_request(self) -> None:
        """Have the next start without options ask for what was granted last, not for this.

        JupyterHub has stored it already. What was granted once and is no longer stays, so that
        the form can say so.
        """
        if self.user_options != self._options_before:
            self.orm_spawner.user_options = self._options_before

    def _audit(self, catalog: Catalog | None, outcome: Selection | Refusal | None) -> None:
        authenticator = self.user.authenticator
        event = audit.decision_event(
            user=self.user.name,
            server=self.name,
            user_options=self.user_options,
            outcome=outcome,
            acting=self.acting,
            groups_managed=authenticator is not None and authenticator.manage_groups,
            policy=catalog.version if catalog else "",
        )
        log = self.log.warning if isinstance(outcome, Refusal) else self.log.info
        log("spawn-decision %s", json.dumps(event))
        if self.handler is not None and "eventlog" in self.handler.settings:
            audit.emit(self.handler.settings["eventlog"], event)

    @property
    def granted_profile(self) -> str:
        """The slug of the profile that was granted; empty where there are none."""
        return self._granted.profile.slug if self._granted else ""

    def clear_state(self) -> None:
        """Forget the last start, before the hooks of the next one run."""
        self._catalog_of_start = None
        self._forget_grant()
        super().clear_state()

    # What is sent

    async def before_pod_create(self, pod: Any) -> Any:
        """Label the pod with what was granted.

        Raises
        ------
        Refusal
            A hook made something else of the pod.
        """
        if not isinstance(pod, V1Pod) or pod.metadata is None:
            raise faulty_configuration(f"modify_pod_hook gives {type(pod).__name__}, not a V1Pod")
        if self._granted is not None:
            pod.metadata.labels = (pod.metadata.labels or {}) | self._labels(self._granted)
        return await super().before_pod_create(pod)

    def _labels(self, granted: Selection) -> dict[str, str]:
        values = {
            "profile": granted.profile.slug,
            "user": self.user.name,
            "server": self.name,
            "component": self.component_label,
        }
        return {
            f"jhext.io/{key}": safe_slug(value, is_valid=is_valid_label) if value else ""
            for key, value in values.items()
        }


@lru_cache(maxsize=128)
def _sets_start_timeout(catalog: Catalog) -> bool:
    """Tell whether any profile or choice says how long a start may take."""
    return any("start_timeout" in overrides for overrides in _all_overrides(catalog))


def _all_overrides(catalog: Catalog) -> Iterator[Mapping[str, Any]]:
    for profile in catalog.profiles:
        yield profile.kubespawner_override
        for _, _, option in walk_options(profile.profile_options):
            yield option.unlisted_choice.kubespawner_override
            for choice in option.choices.values():
                yield choice.kubespawner_override


@cache
def form_environment(paths: tuple[str, ...]) -> Environment:
    """Keep one environment for each set of paths, and with it the compiled templates."""
    return upstream.form_environment(list(paths))


@lru_cache(maxsize=16)
def _inline_template(paths: tuple[str, ...], source: str) -> Template:
    return form_environment(paths).from_string(source)


def form_template(paths: tuple[str, ...], source: str) -> Template:
    """Find the template of the form: one that is written in the configuration comes first."""
    if source:
        return _inline_template(paths, source)
    return form_environment(paths).get_template("form.html")
