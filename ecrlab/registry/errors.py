"""The errors of ECR: one class for each AWS exception, with a text built from the facts.

    EcrError                       code, text, HTTP status 400, extra members
      ├ InvalidParameterException  which parameter failed which constraint
      ├ Repository…                the repository is missing, taken or not empty
      ├ Image…, Layers…, Upload…   what pushes, pulls and deletes run into
      └ AccessDeniedException …    who may not

Classes and members are those of the botocore models of `ecr` and `ecr-public`; the texts are AWS's own where they are
known from its guides or from public error reports, and marked UNSURE where not. `/v2/` answers the same facts under
registry codes (see `ecrlab.simulator.v2`).
"""

from collections.abc import Iterable

from ecrlab.errors import EcrLabError


class EcrError(EcrLabError):
    """An answer of AWS that is an error; `code` is the AWS exception class, `members` its extra fields."""

    status = 400

    def __init__(self, message: str, **members: object) -> None:
        super().__init__(message)
        self.message = message
        self.members = members

    @property
    def code(self) -> str:
        """The AWS exception class."""
        return type(self).__name__


class _About(EcrError):
    """An error about something in a repository: `where` names repository and registry in AWS's words."""

    @staticmethod
    def where(repository: str, registry_id: str) -> str:
        return f"repository with name '{repository}' in the registry with id '{registry_id}'"


class InvalidParameterException(EcrError):
    """A parameter, or the request as a whole (None), does not satisfy its constraint."""

    def __init__(self, parameter: str | None, constraint: str) -> None:
        where = f" at '{parameter}'" if parameter is not None else ""
        super().__init__(f"Invalid parameter{where} failed to satisfy constraint: '{constraint}'")


class ValidationException(EcrError):
    """The request as a whole cannot be served; also what an operation outside the simulation answers."""


class SerializationException(EcrError):
    """The request body is not a JSON object. The code is that of the AWS JSON protocol, not of ECR."""


class UnknownOperationException(EcrError):
    """No operation of that name. The code is that of the AWS JSON protocol, not of ECR."""


class AccessDeniedException(EcrError):
    """The caller may not do this; `tail` says why, such as `because no identity-based policy allows …`."""

    def __init__(self, principal: str, action: str, resource: str, tail: str = "") -> None:
        super().__init__(
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} {tail}".rstrip()
        )


class LimitExceededException(EcrError):
    """A quota of the account, repository or image is used up."""


class KmsException(EcrError):
    """The repository's KMS key cannot be used; `kmsError` is KMS's own error code."""

    def __init__(self, message: str, kms_error: str) -> None:
        super().__init__(message, kmsError=kms_error)


class ServerException(EcrError):
    """The service itself failed, for example because the disk is full."""

    status = 500


class DamagedObject(ServerException):
    """The bytes of an object on the disk are not those that were written."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"The object {name} is damaged on the disk: {why}.")
        self.why = why

    @property
    def code(self) -> str:
        """A ServerException for clients."""
        return "ServerException"


class RegistryNotFoundException(EcrError):
    """No public registry has that alias."""

    def __init__(self, alias: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(f"The registry with id '{alias}' does not exist")


class UnsupportedCommandException(EcrError):
    """An operation of ECR Public outside of its Region."""

    def __init__(self, operation: str, region: str) -> None:
        super().__init__(f"{operation} command is only supported in {region}")


class RepositoryNotFoundException(_About):
    """No repository of that name in this registry."""

    def __init__(self, repository: str, registry_id: str) -> None:
        super().__init__(
            f"The repository with name '{repository}' does not exist in the registry with id '{registry_id}'"
        )


class RepositoryAlreadyExistsException(_About):
    """The name is taken."""

    def __init__(self, repository: str, registry_id: str) -> None:
        super().__init__(
            f"The repository with name '{repository}' already exists in the registry with id '{registry_id}'"
        )


class RepositoryNotEmptyException(_About):
    """The repository has images, and `force` is not set."""

    def __init__(self, repository: str, registry_id: str) -> None:
        super().__init__(
            f"The repository with name '{repository}' in registry with id '{registry_id}' "
            "cannot be deleted because it still contains images"
        )


class RepositoryPolicyNotFoundException(_About):
    """The repository has no resource policy."""

    def __init__(self, repository: str, registry_id: str) -> None:
        super().__init__(f"Repository policy does not exist for the {self.where(repository, registry_id)}")


class RegistryPolicyNotFoundException(EcrError):
    """The registry has no policy."""

    def __init__(self, registry_id: str) -> None:
        super().__init__(f"Registry policy does not exist in the registry with id '{registry_id}'")


class TemplateAlreadyExistsException(EcrError):
    """The prefix has a repository creation template."""

    def __init__(self, prefix: str, registry_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(
            f"The repository creation template with the prefix '{prefix}' already exists in the registry with id "
            f"'{registry_id}'"
        )


class TemplateNotFoundException(EcrError):
    """The prefix has no repository creation template."""

    def __init__(self, prefix: str, registry_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(
            f"The repository creation template with the prefix '{prefix}' does not exist in the registry with id "
            f"'{registry_id}'"
        )


class LifecyclePolicyNotFoundException(_About):
    """The repository has no lifecycle policy."""

    def __init__(self, repository: str, registry_id: str) -> None:
        super().__init__(f"Lifecycle policy does not exist for the {self.where(repository, registry_id)}")


class LifecyclePolicyPreviewNotFoundException(_About):
    """No preview was started for the repository."""

    def __init__(self, repository: str, registry_id: str) -> None:
        # UNSURE: the text; made after that of a missing policy.
        super().__init__(f"Lifecycle policy preview does not exist for the {self.where(repository, registry_id)}")


class LifecyclePolicyPreviewInProgressException(EcrError):
    """The previous preview is still running."""

    def __init__(self) -> None:
        # UNSURE: the text is that of the model's documentation.
        super().__init__("The previous lifecycle policy preview request has not completed. Wait and try again.")


class ImageStorageClassUpdateNotSupportedException(EcrError):
    """The image cannot change to that storage class, at least not now."""


class InvalidTagParameterException(EcrError):
    """AWS does not accept this resource tag."""


class TooManyTagsException(EcrError):
    """More than 50 resource tags on one repository."""


class ImageNotFoundException(_About):
    """No image has that digest or tag."""

    def __init__(self, digest: str | None, tag: str | None, repository: str, registry_id: str) -> None:
        image_id = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
        super().__init__(
            f"The image with imageId {image_id} does not exist within the {self.where(repository, registry_id)}"
        )


class ImageAlreadyExistsException(_About):
    """Nothing to do: this image already carries this tag."""

    def __init__(self, digest: str, tag: str | None, repository: str, registry_id: str) -> None:
        tagged = f" and tag '{tag}'" if tag else ""
        super().__init__(
            f"Image with digest '{digest}'{tagged} already exists in the repository with name '{repository}' "
            f"in registry with id '{registry_id}'"
        )


class ImageTagAlreadyExistsException(_About):
    """The tag may not move: the repository holds it immutable."""

    def __init__(self, tag: str, repository: str) -> None:
        # UNSURE: older reports end in "because the repository is immutable"; those of 2025 say "the tag".
        super().__init__(
            f"The image tag '{tag}' already exists in the '{repository}' repository "
            "and cannot be overwritten because the tag is immutable."
        )


class ImageDigestDoesNotMatchException(_About):
    """The caller expected another digest than the manifest has."""

    def __init__(self, digest: str, repository: str, registry_id: str) -> None:
        super().__init__(
            f"The image with digest '{digest}' in repository '{repository}' and registry ID '{registry_id}' "
            "does not match the image digest that Amazon ECR has calculated."
        )


class LayersNotFoundException(_About):
    """The manifest names layers that were never pushed here."""

    def __init__(self, digests: Iterable[str], repository: str, registry_id: str) -> None:
        super().__init__(
            f"Layers with digests '[{', '.join(digests)}]' required for pushing image into "
            f"{self.where(repository, registry_id)} do not exist"
        )


class ReferencedImagesNotFoundException(_About):
    """The index names images that were never pushed here."""

    def __init__(self, digests: Iterable[str], repository: str, registry_id: str) -> None:
        super().__init__(
            f"Images with digests '[{', '.join(digests)}]' required for pushing image into "
            f"{self.where(repository, registry_id)} do not exist"
        )


class UploadNotFoundException(_About):
    """No upload of that id is open."""

    def __init__(self, upload_id: str, repository: str, registry_id: str) -> None:
        super().__init__(
            f"Upload with id '{upload_id}' could not be found for the {self.where(repository, registry_id)}"
        )


class InvalidLayerPartException(_About):
    """The part does not begin after the last byte received; the members name that byte."""

    def __init__(self, upload_id: str, last_valid_byte: int, repository: str, registry_id: str) -> None:
        super().__init__(
            f"Invalid layer part upload for upload with id '{upload_id}' in the {self.where(repository, registry_id)}",
            registryId=registry_id,
            repositoryName=repository,
            uploadId=upload_id,
            lastValidByteReceived=last_valid_byte,
        )


class LayerPartTooSmallException(EcrError):
    """A part other than the last is under 5 MiB."""

    def __init__(self) -> None:
        super().__init__("All layer parts except the last part should be at least 5MB")


class InvalidLayerException(EcrError):
    """The bytes received do not have the digest that was claimed."""

    def __init__(self) -> None:
        super().__init__("None of the provided layer digests match the calculated layer digest")


class EmptyUploadException(EcrError):
    """The upload has no bytes to complete."""

    def __init__(self, upload_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(f"The upload with id '{upload_id}' does not contain any layer parts")


class LayerAlreadyExistsException(_About):
    """The repository has this layer already."""

    def __init__(self, digest: str, repository: str, registry_id: str) -> None:
        super().__init__(f"Layer with digest '{digest}' already exists in the {self.where(repository, registry_id)}")


class LayerInaccessibleException(_About):
    """The repository has this layer, but it cannot be downloaded: no image uses it, or `why`."""

    def __init__(
        self, digest: str, repository: str, registry_id: str, why: str = "is not associated with an image"
    ) -> None:
        # UNSURE: class and text for what is archived.
        super().__init__(f"Layer with digest '{digest}' in the {self.where(repository, registry_id)} {why}")


class UnsupportedImageTypeException(EcrError):
    """An index or an artifact, which cannot be scanned."""

    def __init__(self, media_type: str) -> None:
        super().__init__(f"An artifact with media type '{media_type}' cannot be scanned.")


class ImageArchivedException(_About):
    """The image is archived, and cannot be scanned before it is restored."""

    def __init__(self, digest: str, repository: str, registry_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(f"The image with digest '{digest}' in the {self.where(repository, registry_id)} is archived")


class ReplicationBackfillNotFoundException(EcrError):
    """The registry has no backfill of that id, or it ended more than 90 days ago."""

    def __init__(self, backfill_id: str, registry_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(
            f"The replication backfill with id '{backfill_id}' does not exist in the registry with id '{registry_id}'"
        )


class ReplicationBackfillInProgressException(EcrError):
    """A backfill to that Region is running."""

    def __init__(self, region: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(f"A replication backfill to the Region '{region}' is already in progress")


class ReplicationBackfillInvalidStatusException(EcrError):
    """The backfill is over, or about to stop."""

    def __init__(self, backfill_id: str, status: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(f"The replication backfill with id '{backfill_id}' cannot be stopped in the status {status}")


class ScanNotFoundException(_About):
    """The image was never scanned."""

    def __init__(self, digest: str | None, tag: str | None, repository: str, registry_id: str) -> None:
        image_id = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
        super().__init__(
            f"Image scan does not exist for the image with '{image_id}' in the {self.where(repository, registry_id)}"
        )
