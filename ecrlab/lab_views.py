"""What a lab shows: pictures, tables and records of its registry. Nothing here changes it, and no look is a pull."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.clock import LabClock
from ecrlab.errors import EcrLabError
from ecrlab.lessons.cells import Cells
from ecrlab.machine import environment

if TYPE_CHECKING:
    import pandas as pd

    from ecrlab.analysis.inventory.snapshot import Snapshot
    from ecrlab.analysis.plots.at_rest import AtRest
    from ecrlab.analysis.plots.show import Show
    from ecrlab.analysis.plots.trail import Trail
    from ecrlab.analysis.plots.transcripts import Transcript
    from ecrlab.analysis.widgets.policy_editor import PolicyEditor
    from ecrlab.registry.world import Registry, World
    from ecrlab.simulator.gallery_page.site import InCell
    from ecrlab.simulator.server import Server
    from ecrlab.simulator.stand_ins import StandIn


ACCOUNT = "123456789012"


class Views:
    """The part of a `Lab` that looks at it."""

    clock: LabClock
    _world: "World"
    _server: "Server"

    _cells: Cells

    @property
    def account_id(self) -> str:
        """The learner's account."""
        return ACCOUNT

    @property
    def region(self) -> str:
        """The Region that clients use unless told otherwise."""
        return environment.REGION

    def client(self, service: str, **settings: Any) -> Any:
        """A boto3 client for this lab; the same as `boto3.client(service)` while the lab runs.

        `settings` are those of `boto3.client` (`region_name`, `config` …).
        """
        import boto3

        return boto3.client(service, **settings)

    @property
    def _registry(self) -> "Registry":
        return self._world.registry(self.account_id, self.region)

    @contextlib.contextmanager
    def transcript(self) -> Iterator["Transcript"]:
        """Record requests and answers while the block runs: `with lab.transcript() as said:`."""
        from ecrlab.analysis.plots.transcripts import Transcript

        with self._server.recorder.recording() as exchanges:
            yield Transcript(exchanges)

    def show(self, repository: str | None = None) -> "Show":
        """The registry, or one repository of it, as a picture with a table: tags, digests, ages and shared layers.

        `.picture()` and `.table()` of the result return them separately. Showing is no pull.
        """
        from ecrlab.analysis.plots.show import show

        return show(self.client("ecr"), repository, now=self.clock.now(), manifests=self._manifests)

    def at_rest(self, *repositories: str) -> "AtRest":
        """What lies on the disk of some repositories, as a picture with a table: object, key, bytes, randomness.

        `.objects` of the result has the file of each, and the header of an encrypted one. No key is used for it.
        """
        from ecrlab.analysis.plots.at_rest import AtRest
        from ecrlab.registry.store.at_rest import stored_objects

        return AtRest([one for name in repositories for one in stored_objects(self._registry, name)])

    def storage(self, repository: str) -> "Snapshot":
        """What a repository holds now: the values from which `ecrlab.analysis` computes bytes, ages and savings.

        Reading them is no pull.
        """
        from ecrlab.analysis.inventory.reading import read

        return read(self.client("ecr"), repository, at=self.clock.now(), manifests=self._manifests)

    def edit_policy(self, repository: str, policy: str | None = None) -> "PolicyEditor":
        """An editor for a lifecycle policy of a repository: which images go today or on a later day, and why.

        It begins with the text `policy`, or with the repository's own policy, or without a rule; it changes nothing in
        the registry. See `ecrlab.analysis.widgets.policy_editor`.
        """
        from ecrlab.analysis.widgets.policy_editor import editor

        with self._cells.unnoticed():
            return editor(self.client("ecr"), repository, policy, now=self.clock.now(), manifests=self._manifests)

    def history(self, repository: str | None = None) -> "pd.DataFrame":
        """Return the history of tags in the registry or in one repository: one row for each event.

        Refused requests are not listed. `ecrlab.analysis.plots.tag_history` draws it.
        """
        from ecrlab.analysis.plots.tag_history import table
        from ecrlab.registry import tag_history

        return table(tag_history.of(self._registry, repository))

    def trail(self, repository: str | None = None, event: str | None = None) -> "Trail":
        """Return what CloudTrail recorded in the last 90 days, of one repository or one event name, oldest first.

        One document for each call of ECR and KMS, refused ones too, and for each run of a lifecycle policy that did
        something (PolicyExecutionEvent) or preview (DryRunEvent). A list, which a notebook shows as a table; `.table()`
        returns the table. `aws cloudtrail lookup-events` finds the same.
        """
        from ecrlab.analysis.plots.trail import Trail
        from ecrlab.registry import trail

        return Trail(trail.of(self._registry, repository, event))

    def who_can(self, repository: str, *actions: str, source_arn: str = "", session: str = "learner") -> "pd.DataFrame":
        """Return who may do `actions` to a repository: one row for each principal and action, with what decided it.

        `lab.who_can("my-app", "ecr:BatchGetImage")` asks the code that decides requests. The principals are all users
        and roles in the IAM of every account, and what the policies of repository and registry name; a service acts for
        the resource `source_arn`, and a role is judged as its session of the name `session`. Actions of `ecr-public`
        are about the public repository of that name. Raises `EcrLabError` for an unknown repository or action.
        """
        import pandas as pd

        from ecrlab.simulator.access import who_can

        return pd.DataFrame(
            who_can.answers(self._registry, repository, actions, source_arn, session), columns=who_can.Answer._fields
        )

    def gallery(self, repository: str | None = None) -> "InCell":
        """The page of the public gallery, or of one public repository: `lab.gallery("l9v4i4d7/my-app")`.

        It is the page that `/gallery/` of `lab.endpoint` shows in a browser. Raises `EcrLabError` for a repository
        that does not exist.
        """
        from ecrlab.simulator.gallery_page.site import InCell

        return InCell(self._world, repository)

    def limits(self, *, public_pulls_per_second: float | None = None) -> None:
        """Limit pulls from public.ecr.aws without a login, as ECR Public does with 1; None ends the limit.

        A request above it gets `toomanyrequests: Rate exceeded`. Seconds are those of the lab's clock. Raises
        `EcrLabError` for a number that is not above 0.
        """
        limit = public_pulls_per_second
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if limit is not None and not (is_number and 0 < limit < math.inf):
            raise EcrLabError(f"public_pulls_per_second must be a number above 0, or None for no limit, got {limit!r}")
        self._server.pull_limit.per_second = limit

    def upstream(self, name: str) -> "StandIn":
        """Return the stand-in for a registry that pull-through caches pull from: `lab.upstream("docker-hub").down()`.

        It lives in this lab, has the images of the lab's gallery, and is never the real registry. The names are those
        of `upstreamRegistry`. Raises `EcrLabError` for another name, and lists them.
        """
        from ecrlab.simulator import stand_ins

        return stand_ins.of(self._world)[name]

    def _manifests(self, repository: str, digests: Sequence[str]) -> dict[str, str]:
        """The texts of manifests, read from the registry itself: no pull."""
        from ecrlab.registry import images
        from ecrlab.registry.errors import ImageNotFoundException, KmsException

        given = {}
        for digest in digests:
            # Another client may have deleted it since it was listed, or its KMS key cannot be used.
            with contextlib.suppress(ImageNotFoundException, KmsException):
                image = images.find(self._registry, repository, images.ImageId(digest))
                given[digest] = (image.body or b"{}").decode()
        return given
