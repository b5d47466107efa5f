"""What tests of lifecycle policies share: short ways to set a policy, and to have images of certain ages."""

from datetime import UTC, datetime, timedelta

from tests.lifecycle.builders import text

ACCOUNT, REGION = "123456789012", "us-east-1"
EVE = datetime(2026, 10, 20, 23, 59, 50, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 21, tzinfo=UTC)
DAY = timedelta(days=1)


def put(app, *rules):
    app.put_lifecycle_policy(lifecyclePolicyText=text(*rules))


def pushed_on_days(app, clock, images):
    """Push images so many days before EVE, a moment less; name -> digest."""
    digests = {}
    for name, (tags, days) in images.items():
        clock.travel_to(max(clock.now(), EVE - days * DAY + timedelta(seconds=30)))
        for tag in tags.split() or [None]:
            digests[name] = app.push(name.encode(), tag=tag)
    clock.travel_to(EVE)
    return digests


def status_of_all(app):
    details = app.describe_images(filter={"imageStatus": "ANY"})["imageDetails"]
    return {one["imageDigest"]: one["imageStatus"] for one in details}
