"""The scan after a push, and the nightly job of continuous scanning.

On AWS an image is scanned soon after its push; here before the push is answered, outside of its transaction, so that
the first poll finds the scan complete. An index or an artifact is skipped without an event, as on AWS.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from ecrlab.registry import scan_rules, scans
from ecrlab.registry.images import Image
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry, World

log = logging.getLogger("ecrlab.scans")


@dataclass(frozen=True, slots=True)
class ScanOnPush:
    """Scans pushed images of the repositories that are scanned on push."""

    def __call__(self, registry: Registry, repository: Repository, image: Image) -> None:
        """Scan an image that was just pushed, if it is due."""
        if not scan_rules.is_due_on_push(registry, repository) or not scans.is_image(image):
            return
        # The scanner takes a moment to import, and most labs never need it.
        from ecrlab.simulator.jobs.scans import scanner

        scanner.scan_pushed(registry, repository, image)


@dataclass(frozen=True, slots=True)
class Nightly:
    """Scans all images under continuous scanning again, at midnight."""

    world: World

    def __call__(self, midnight: datetime) -> datetime | None:
        """Announce what became known since the night before; return the night that has more to announce."""
        scans.forget_inventories(self.world)
        nights = [self._watch(registry, midnight) for registry in scan_rules.enhanced(self.world)]
        return min((again for again in nights if again is not None), default=None)

    def _watch(self, registry: Registry, midnight: datetime) -> datetime | None:
        from ecrlab.simulator.jobs.scans import watch

        try:
            return watch.night(registry, midnight)
        except Exception:
            log.exception("the night of %s in %s failed", registry.account_id, registry.region)
            return None
