"""moto's Lambda, mended for functions with container images.

moto accepts any image, never looks at it again, and runs functions by a Docker engine. `LabFunction` asks
`lambda_images` about the image, and runs nothing; functions of a .zip file are moto's otherwise.

    create-function        State Pending ──► Active               the image is read, and its digest kept
    update-function-code   LastUpdateStatus InProgress ──► Successful
    the image is lost      State Failed, StateReasonCode ImageDeleted or ImageAccessDenied

An update that cannot be completed leaves the old code (AWS Lambda developer guide, function states).
"""

import contextlib
import json
import types
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from moto.awslambda import models, urls
from moto.awslambda.models import LambdaBackend, LambdaFunction, LambdaStorage, lambda_backends
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.utils import make_function_arn

from ecrlab.registry.errors import EcrError
from ecrlab.registry.world import World
from ecrlab.simulator.access import identities
from ecrlab.simulator.access.callers import Caller, identify
from ecrlab.simulator.consumers import lambda_images
from ecrlab.simulator.consumers.lambda_images import FunctionImage, InvalidParameterValueException, Trouble
from ecrlab.simulator.moto import seams

_creator: ContextVar[Caller | None] = ContextVar("creator", default=None)
"""The caller of the request under way."""


def in_place_of_motos() -> list[Any]:
    """Return the patches that put the lab's Lambda in the place of moto's."""
    return [
        patch.object(lambda_backends, "backend", LabLambda),
        # Another service may have made a backend already.
        patch.dict(lambda_backends, clear=True),
        patch.object(models, "LambdaFunction", LabFunction),
    ]


class ResourceConflictException(EcrError):
    """The function is in a state in which it cannot do this."""

    status = 409


class UnsupportedOperation(EcrError):
    """The lab does not simulate this."""


class LabFunction(LambdaFunction):
    """A function; `world` returns the world whose images it uses, or None where it is moto's own.

    `trusts` tells whether a role trusts a service.
    """

    __module__ = LambdaFunction.__module__
    world = staticmethod(seams.owner)
    trusts = staticmethod(identities.trusts)

    image: FunctionImage | None = None
    failed_update: Trouble | None = None

    @property
    def last_modified(self) -> str:
        """When it was changed last, by the lab's clock."""
        return self._last_modified

    @last_modified.setter
    def last_modified(self, moment: str) -> None:
        world = self.world()
        self._last_modified = moment if world is None else f"{world.clock.now():%Y-%m-%dT%H:%M:%S.000+0000}"

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Return the configuration with the states of now."""
        told: dict[str, Any] = super().get_configuration(on_create)
        if self.image is None:
            return told
        if on_create:
            return told | _reasons("State", "Pending", Trouble("Creating", "The function is being created."))
        if trouble := self._trouble():
            told |= _reasons("State", "Failed", trouble)
        if self.failed_update:
            told |= _reasons("LastUpdateStatus", "Failed", self.failed_update)
        return told

    def get_code(self) -> dict[str, Any]:
        """Return the answer to GetFunction."""
        answer: dict[str, Any] = super().get_code()
        if self.image is not None:
            uris = {"ImageUri": self.image.uri, "ResolvedImageUri": self.image.resolved}
            answer["Code"] = {"RepositoryType": "ECR", **uris}
        return answer

    def update_function_code(self, updated_spec: dict[str, Any]) -> dict[str, Any]:
        """Replace the code. A refused image changes nothing; one that Lambda cannot use fails the update."""
        told: dict[str, Any] = super().update_function_code(updated_spec)
        return told if self.image is None else _begun(told)

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Change settings. The update fails while the image is lost (aws-actions/aws-lambda-deploy#68)."""
        if self.image is not None and "Role" in config_updates:
            self._check_trust(config_updates["Role"])
        if self.image is not None:
            self.failed_update = self._trouble()
        if self.failed_update is None:
            super().update_configuration(config_updates)
        told = self.get_configuration()
        return told if self.image is None else _begun(told)

    def invoke(self, body: str, request_headers: Any, response_headers: Any) -> str | bytes:
        """Run nothing: raise `ResourceConflictException` for a failed function, `UnsupportedOperation` else."""
        if self.world() is None:
            return super().invoke(body, request_headers, response_headers)
        if self.image is not None and self._trouble():
            # UNSURE: class and text for a failed function; these are Lambda's for one that is still pending.
            raise ResourceConflictException(
                "The operation cannot be performed at this time. The function is currently in the following state: "
                "Failed"
            )
        raise UnsupportedOperation(
            f"ecrlab runs no code: the function {self.function_name} cannot be invoked here. GetFunction returns what "
            "Lambda would run"
        )

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        world, is_new = self.world(), updated_spec is self.code
        uri = updated_spec.get("ImageUri")
        if world is None or (uri is None and self.package_type != "Image"):
            super()._set_function_code(updated_spec)
            return
        self._check_package(uri, is_new=is_new)
        if is_new:
            # Of a storage that is thrown away, only to have the role checked before Lambda reads the image.
            self.function_arn = self._arn
            LambdaStorage(self.region, self.account_id).put_function(self)
            self._check_trust(self.role)
        image = lambda_images.admit(world, self._arn, str(uri), _creator.get())
        if updated_spec.get("DryRun"):
            return
        self.failed_update = None if is_new else lambda_images.trouble(world, self._arn, image)
        if self.failed_update is None:
            self.image = image
            self.code["ImageUri"] = image.uri
            self.code_sha_256 = image.digest.partition(":")[2]
            self.code_size = 0
            self.last_modified = ""

    def _check_package(self, uri: str | None, *, is_new: bool) -> None:
        """Check that package type and code fit. Raises `InvalidParameterValueException`."""
        is_image = self.package_type == "Image"
        if not is_new:
            if is_image and uri is None:
                text = "Please provide ImageUri when updating a function with packageType Image."
            elif not is_image:
                text = "Please don't provide ImageUri when updating a function with packageType Zip."
            else:
                return
        elif is_image and (self.handler or self.run_time or self.layers):
            # pulumi/pulumi-aws#5439
            text = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        elif is_image and uri is not None:
            return
        elif is_image or (self.handler and self.run_time):
            # boto/boto3#2705, also of the next
            text = "Please provide a source for function code."
        else:
            text = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        raise InvalidParameterValueException(text)

    def _check_trust(self, role_arn: str) -> None:
        """Check that Lambda may assume a role. Raises `InvalidParameterValueException`."""
        if not self.trusts(role_arn, lambda_images.SERVICE, self._arn):
            raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")

    @property
    def _arn(self) -> str:
        """The ARN without a version, which Lambda names to ECR."""
        return str(make_function_arn(self.region, self.account_id, self.function_name))

    def _trouble(self) -> Trouble | None:
        world: World | None = self.world()
        if world is None or self.image is None:
            return None
        return lambda_images.trouble(world, self._arn, self.image)


class LabLambda(LambdaBackend):
    """The Lambda of an account in a Region."""

    __module__ = LambdaBackend.__module__
    _url_module = property(lambda self: URLS)

    def update_function_code(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Replace the code of a function once; moto does so twice."""
        if LabFunction.world() is None:
            answer: dict[str, Any] | None = super().update_function_code(function_name, qualifier, body)
            return answer
        function: Any = self.get_function(function_name, qualifier)
        told: dict[str, Any] = function.update_function_code(body)
        if not body.get("Publish") or body.get("DryRun") or function.failed_update:
            return told
        version = self.publish_version(function_name)
        assert version is not None
        return told | {"FunctionArn": version.function_arn, "Version": str(version.version)}


class LabLambdaResponse(LambdaResponse):
    """One request to Lambda; `identify` returns the caller behind an access key."""

    identify = staticmethod(identify)

    def call_action(self) -> Any:
        """Answer the request, with an error of AWS's form if it is refused."""
        try:
            with _made_by(self.identify(self.access_key)):
                return super().call_action()
        except EcrError as error:
            headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
            return error.status, headers, json.dumps({"Type": "User", "message": error.message})


URLS: types.ModuleType = types.ModuleType("ecrlab.simulator.consumers.lambda_urls")
URLS.url_bases = urls.url_bases  # type: ignore[attr-defined]
URLS.url_paths = dict.fromkeys(urls.url_paths, LabLambdaResponse.dispatch)  # type: ignore[attr-defined]


@contextlib.contextmanager
def _made_by(caller: Caller) -> Iterator[None]:
    token = _creator.set(caller)
    try:
        yield
    finally:
        _creator.reset(token)


def _reasons(member: str, status: str, trouble: Trouble) -> dict[str, str]:
    """Return a status with its reason and code: `State`, `StateReason`, `StateReasonCode`."""
    return {member: status, f"{member}Reason": trouble.reason, f"{member}ReasonCode": trouble.code}


def _begun(told: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as the answer to an update has it."""
    rest = {member: value for member, value in told.items() if not member.startswith("LastUpdateStatus")}
    return rest | {"LastUpdateStatus": "InProgress", "LastUpdateStatusReason": "The function is being created."}
