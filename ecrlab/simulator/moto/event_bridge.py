"""Delivery of the registry's events to EventBridge rules.

On AWS every push, deletion, archiving and scan is an event on the default bus of its account and Region. Rules select
events by a pattern and send them to targets (AWS user guide, Amazon ECR events and EventBridge). Here EventBridge is
moto's: moto matches the patterns, and the targets are moto's queues (SQS) and log groups. No rule exists before the
first use of moto's EventBridge; until then an event costs one lookup in a table and does not load moto.
"""

import logging
import sys
from dataclasses import dataclass
from typing import Any

from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import World
from ecrlab.simulator.moto import seams

EVENTBRIDGE = "moto.events.models"
"""The module that moto loads when EventBridge is first used."""

ALL_CALLS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""The state of a rule that also gets the calls that only read."""

log = logging.getLogger("ecrlab.events")


@dataclass(frozen=True, slots=True)
class EventsOut:
    """A listener that sends a world's events to the rules that match them."""

    world: World

    def __call__(self, event: ServiceEvent) -> None:
        """Deliver one event. A rule that fails is logged; the others still get the event."""
        if EVENTBRIDGE not in sys.modules:
            return
        rules = seams.event_rules(self.world, event.account_id, event.region)
        if not rules:
            return
        message = as_message(event, self.world.new_id())
        for rule in rules:
            # Calls that only read are for rules that ask for them (EventBridge user guide, management events).
            if event.detail.get("readOnly") and rule.state != ALL_CALLS:
                continue
            try:
                # Unchanged: input transformers would need another library.
                rule.send_to_targets(message, transform_input=False)
            except Exception:
                log.exception("EventBridge rule %s failed", rule.name)


def as_message(event: ServiceEvent, event_id: str) -> dict[str, Any]:
    """Return an event in EventBridge's form; `time` is in whole seconds since 1970, which moto writes as ISO 8601.

    >>> event = ServiceEvent("123456789012", "us-east-1", 0.5, "ECR Image Action", {"result": "SUCCESS"})
    >>> told = as_message(event, "7")
    >>> told["source"], told["time"], told["detail"]
    ('aws.ecr', 0, {'result': 'SUCCESS'})
    """
    return {
        "version": "0",
        "id": event_id,
        "detail-type": event.detail_type,
        "source": event.source,
        "account": event.account_id,
        "time": int(event.at),
        "region": event.region,
        "resources": list(event.resources),
        "detail": event.detail,
    }
