"""The spawner's part in WHERE that speaks before a start: a full home, and how to make room."""

from __future__ import annotations

from collections.abc import Iterable

from .cataloged import CatalogedKubeSpawner
from .profiles.catalog import Catalog, Permitted
from .profiles.model import Profile
from .refusal import Refusal
from .shared import Shared
from .storage.errors import StorageReason, StorageRefused
from .storage.quota import CLAIM, FullHome, full_home, placeholder_of
from .storage.quota_service import QuotaService

_SERVICES = Shared[QuotaService]()


class MeteredKubeSpawner(CatalogedKubeSpawner):
    """A KubeSpawner that tells people when their home is full.

    Who keeps the quota has no part in what is permitted: while it does not answer, servers start.
    """

    async def fullness_notice(self, permitted: Iterable[Permitted]) -> str:
        """Give what the form says above the profiles; empty where there is room."""
        full = await self._full_home()
        if full is None:
            return ""
        profiles = {item.profile.slug: item.profile for item in permitted}
        return full.notice(_shown(profiles.get(full.rescue)))

    async def leave_room(self, catalog: Catalog, profile: Profile) -> None:
        """Start nothing but the profile in which people make room, where they may start that.

        Raises
        ------
        StorageRefused
            The home is full, and it is another profile.
        """
        full = await self._full_home()
        if full is None or full.rescue in ("", profile.slug):
            return
        rescue = catalog.find(full.rescue, await self.person(catalog))
        if isinstance(rescue, Permitted):
            raise StorageRefused(StorageReason.FULL, full.text(_shown(rescue.profile)))

    async def _full_home(self) -> FullHome | None:
        storage = self._storage
        settings = storage.quota if storage else None
        if settings is None:
            return None
        service = _SERVICES.of(settings, lambda: QuotaService(settings))
        by_claim = placeholder_of(settings.url) == CLAIM
        try:
            document = await service.ask(self.home_claim if by_claim else self.user.name)
            return None if document is None else full_home(document, settings)
        except LookupError as error:
            self.log.info("Nobody says how full %s's home is: %s", self._log_name, error)
        except (Refusal, ValueError) as error:
            problem = error.detail if isinstance(error, Refusal) else error
            self.log.warning("It is not known how full %s's home is: %s", self._log_name, problem)
        return None


def _shown(profile: Profile | None) -> str:
    return profile.display_name if profile else ""
