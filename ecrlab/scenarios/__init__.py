"""What the builds of a made-up shop push to a registry, day by day: a past, and futures at the same rate.

    draw(seed, last) ──► Shop ─┬ past      a Day for each day: pushes and pulls, in the order of their instants
                               ├ tasks     what runs in ECS when the past ends, forgotten or not
                               └ future(n) days that go on from there; another n, another future

Everything follows from the seed: the same seed makes the same shop on every machine and in every Python. Manifests are
real JSON with right digests; layers have a digest and a size, but no bytes. This room knows no registry:
`ecrlab.lessons.loading` loads a past into a lab, and `ecrlab.analysis` simulates policies in its futures.

>>> from datetime import date
>>> shop = draw(seed=7, last=date(2026, 9, 30), days=14)
>>> push = shop.past[0].pushes[0]
>>> push.repository_name, push.pushed_at.isoformat(), push.image_tags
('bike/admin', '2026-09-17T02:30:00+00:00', ('nightly-20260917',))
>>> next(shop.future()).date.isoformat()
'2026-10-01'
"""

from ecrlab.scenarios.days import Blob, Day, Pull, Push, Repository, Task
from ecrlab.scenarios.shop import Shop, draw

__all__ = ["Blob", "Day", "Pull", "Push", "Repository", "Shop", "Task", "draw"]
