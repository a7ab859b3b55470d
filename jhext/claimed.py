"""The spawner's part in claims: they are there before the pod is, and no one is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException

from .claim_overrides import ClaimOverrides
from .errors import faulty_configuration
from .failure import api_failure
from .identified import IdentifiedKubeSpawner
from .profiles.access import Person
from .storage import claims as wanting
from .storage import labels
from .storage.claims import Wanted
from .storage.cluster import Claims, claims_in
from .storage.deletion import to_delete
from .storage.guards import Choice, Known, choose, in_use
from .storage.merge import keep_together
from .storage.projects import Acting
from .storage.settings import StorageSettings
from .storage.volumes import Object, Owner
from .upstream import in_plain_form, states_of_servers

_STATE = "jhext_claims"
_HOME = "jhext_home"
_MAY_NOT_PATCH = "the hub may not patch claims"
_ROUNDS = 5
"""How often a choice is made anew because somebody else was quicker."""


class ClaimedKubeSpawner(IdentifiedKubeSpawner):
    """A KubeSpawner that finds the claims of a server, makes missing ones, and keeps them all.

    Without a section ``storage`` in the settings it does about claims what KubeSpawner does.
    """

    storage_claims = ClaimOverrides(
        config=True,
        help="""
        What a profile changes about the claims of `jhext.yaml`, by their keys, such as
        `{"home": {"size": "50Gi"}}`. A claim that exists can only grow.
        """,
    )

    acting = Acting()
    """As which project the server works, and what asks for that."""

    home_place = ""
    """Where the home is, a path or a claim, since the last start; empty before."""

    _claim_names: Mapping[str, str] = {}
    _may_patch = True

    @property
    def granted_profile(self) -> str:
        """The slug of the profile that was granted; empty where there are none."""
        return ""

    @property
    def _storage(self) -> StorageSettings | None:
        return self.settings.storage if self.settings else None

    @property
    def _cluster(self) -> Claims:
        return Claims(
            self.api,
            self.namespace,
            timeout=self.k8s_api_request_timeout,
            deadline=self.k8s_api_request_retry_timeout,
        )

    def _owner(self) -> Owner:
        identity = self.own_identity
        person = Person(
            user=self.user.name,
            groups=frozenset(group.name for group in self.user.groups),
            admin=bool(self.user.admin),
            server_name=self.name,
            claims=identity.claims if identity else {},
        )
        project = self.identity if self.acting.project else None
        return Owner(person, identity, self.granted_profile, project)

    # Which there are, and which it gets

    def home_before(self, settings: StorageSettings) -> str:
        """Say where the home was until now, a path or a claim; empty where there was none."""
        if self.home_place or not settings.home or settings.home.is_per_server:
            return self.home_place
        return next((state[_HOME] for state in self._other_states() if _HOME in state), "")

    def _wanted(self, settings: StorageSettings, owner: Owner) -> list[Wanted]:
        claims = dict(settings.claims)
        for key, override in self.storage_claims.items():
            if key not in claims:
                raise faulty_configuration(f"storage_claims: there is no claim {key!r}")
            try:
                claims[key] = wanting.overridden(claims[key], override)
            except ValueError as error:
                raise faulty_configuration(f"storage_claims.{key}.{error}") from None
        try:
            settings.check_shown(claims)
        except ValueError as error:
            raise faulty_configuration(f"storage_claims: {error}") from None
        common = in_plain_form(self, self.get_pvc_manifest())["metadata"]
        try:
            return list(wanting.wanted_of(claims, owner, common))
        except ValueError as error:
            raise faulty_configuration(f"storage.{error}") from None

    @property
    def home_claim(self) -> str:
        """The name of the claim that the home is in, or would be; empty where it is in none."""
        settings = self._storage
        key = settings.home.claim if settings and settings.home else ""
        if not settings or not key:
            return ""
        wanted = self._wanted(settings, self._owner())
        names = {one.key: one.name for one in wanted} | self._remembered(wanted, key)
        return names[key]

    async def ensure_claims(
        self, settings: StorageSettings, owner: Owner, manifest: Any
    ) -> dict[str, str]:
        """Have all claims, and give their names by what mounts call them."""
        wanted = self._wanted(settings, owner)
        if not wanted:
            return {}
        known = await self._known(settings, wanted)
        names = {one.id: await self._ensure_one(one, owner, known, settings) for one in wanted}
        await self._share(wanted, names, known, manifest)
        self._claim_names = {**self._claim_names, **names}
        return {one.mounted_as: names[one.id] for one in wanted}

    async def _ensure_one(
        self, wanted: Wanted, owner: Owner, known: Known, settings: StorageSettings
    ) -> str:
        for _ in range(_ROUNDS):
            choice = choose(wanted, owner, known)
            if choice.create is None:
                await self._grow(choice, known.claims[choice.name])
                await self._note_use(choice.name)
                return choice.name
            self.log.info("Creating claim %s for %s", choice.name, self._log_name)
            if await self._cluster.create(choice.create) is not None:
                return choice.name
            known = await self._known(settings, [wanted])
        raise TimeoutError(f"the claim {wanted.name} comes and goes")

    async def _known(self, settings: StorageSettings, wanted: list[Wanted]) -> Known:
        home = settings.home.claim if settings.home else ""
        remembered = self._remembered(wanted, home)
        claims = {
            one["metadata"]["name"]: one for one in await self._cluster.of_user(self.user.name)
        }
        missing = {
            name for one in wanted for name in (one.name, remembered.get(one.id), *one.older)
        }
        for name in missing - set(claims) - {None}:
            if (found := await self._cluster.read(str(name))) is not None:
                claims[str(name)] = found
        before = self.home_before(settings)
        directory = before if before.startswith("/") else ""
        return Known(claims, remembered, self._elsewhere(), home, directory)

    def _remembered(self, wanted: list[Wanted], home: str) -> dict[str, str]:
        """Give the names that this server had, and what all servers of the person have."""
        shared = {one.id for one in wanted if one.settings.per == "user"}
        found = {
            key: name
            for state in self._other_states()
            for key, name in state.get(_STATE, {}).items()
            if key in shared
        }
        if home and self.ensured_pvc_name:
            found[home] = self.ensured_pvc_name
        return {**found, **self._claim_names}

    def _other_states(self) -> list[Mapping[str, Any]]:
        return [state for name, state in states_of_servers(self).items() if name != self.name]

    def _elsewhere(self) -> frozenset[str]:
        """The names of the claims that other servers of the person remember."""
        states = self._other_states()
        named = [state["pvc_name"] for state in states if "pvc_name" in state]
        return frozenset(named).union(*(state.get(_STATE, {}).values() for state in states))

    async def _share(
        self, wanted: list[Wanted], names: Mapping[str, str], known: Known, manifest: Any
    ) -> None:
        """Come to the node of another server that uses a claim, or refuse."""
        alone = {}
        for one in wanted:
            name = names[one.id]
            modes = known.claims[name]["spec"]["accessModes"] if name in known.claims else ()
            if set(modes) <= {"ReadWriteOnce", "ReadWriteOncePod"} and modes:
                alone[name] = one, modes
        if not alone:
            return
        are_mine = all(one.is_personal for one, _ in alone.values())
        for pod in await self._cluster.pods(self.user.name if are_mine else ""):
            if pod["metadata"]["name"] == self.pod_name:
                continue
            for name in claims_in(pod) & set(alone):
                one, modes = alone[name]
                if one.settings.when_in_use == "refuse" or "ReadWriteOncePod" in modes:
                    raise in_use(name, pod)
                keep_together(manifest, pod)

    async def _grow(self, choice: Choice, claim: Object) -> None:
        """Let a claim grow; that it cannot is not worth a failed start."""
        if choice.patch is None:
            return
        problem = await self._patch(choice.name, choice.patch)
        if problem:
            self.log.warning(
                "The claim %s has %s and should have %s: %s; jhext storage grow %s",
                choice.name,
                claim["spec"]["resources"]["requests"]["storage"],
                choice.patch["spec"]["resources"]["requests"]["storage"],
                problem,
                choice.name,
            )

    async def _note_use(self, name: str) -> None:
        """Say in a claim that it is used now, where the hub may."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        await self._patch(name, {"metadata": {"annotations": {labels.LAST_USED: now}}})

    async def _patch(self, name: str, body: Mapping[str, Any]) -> str:
        """Change a claim, or say why not; a stock Role does not allow it, and is asked once."""
        if not self._may_patch:
            return _MAY_NOT_PATCH
        try:
            await self._cluster.patch(name, body)
        except ApiException as error:
            refusal = api_failure(error.status or 0, error.body or "")
            if error.status == 403 and "cannot patch resource" in refusal.detail:
                self._may_patch = False
                return _MAY_NOT_PATCH
            return refusal.detail
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return f"no answer: {type(error).__name__}"
        return ""

    # What becomes of them

    async def stop(self, now: bool = False) -> None:
        """Stop the server; what it used until now is not long unused."""
        await super().stop(now)
        if self._storage is not None:
            for name in self._claim_names.values():
                await self._note_use(name)

    def get_state(self) -> dict[str, Any]:
        """Add the names of the claims and where the home is: no changed template hides files."""
        state: dict[str, Any] = super().get_state()
        if self._claim_names:
            state[_STATE] = dict(self._claim_names)
        if self.home_place:
            state[_HOME] = self.home_place
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up the names of the claims, and where the home was."""
        super().load_state(state)
        self._claim_names = state.get(_STATE, {})
        self.home_place = state.get(_HOME, "")

    async def rename(self, old_name: str, new_name: str) -> None:
        """Have the claims of a renamed server say its new name, where the hub may change them.

        The server keeps them either way, for their names are part of its state.
        """
        if before := getattr(super(), "rename", None):
            await before(old_name, new_name)
        settings = self._storage
        for key, name in self._claim_names.items():
            claim = settings.claims.get(key) if settings else None
            if claim is not None and claim.per == "server":
                marks = {
                    "labels": {labels.SERVER: labels.label(new_name)},
                    "annotations": {labels.SERVERNAME: new_name},
                }
                await self._patch(name, {"metadata": marks})

    async def delete_forever(self) -> None:
        """Delete the claims that are to go with this server, or with the person."""
        if self._storage is None:
            await super().delete_forever()
        else:
            await self._logged(self._delete_claims(), "deleted")

    async def _delete_claims(self) -> None:
        claims = await self._cluster.of_user(self.user.name)
        doomed = to_delete(claims, self.user.name, self.name, self._elsewhere())
        if not doomed:
            return
        mounted = {name for pod in await self._cluster.pods() for name in claims_in(pod)}
        for claim in doomed:
            name = claim["metadata"]["name"]
            if name in mounted:
                self.log.warning("The claim %s is kept, for a pod mounts it", name)
            elif await self._cluster.delete(claim):
                self.log.info("The claim %s of %s is deleted", name, self._log_name)
            else:
                self.log.warning("The claim %s is kept, for it has just changed", name)
