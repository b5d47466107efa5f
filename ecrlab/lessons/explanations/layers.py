"""Errors of uploads and downloads of layers."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "upload-missing",
        "UploadNotFoundException|Upload with id .* could not be found",
        "An error occurred (UploadNotFoundException) when calling the UploadLayerPart operation: Upload with id '…' "
        "could not be found for the repository with name 'my-app' in the registry with id '123456789012'",
        "No upload of this id is open in this repository.",
        ("it was completed already", "it belongs to another repository", "it was left alone for a day and removed"),
        "Begin again with initiate-layer-upload.",
        "The same.",
    ),
    Explanation(
        "layer-part-misplaced",
        "InvalidLayerPartException",
        "An error occurred (InvalidLayerPartException) when calling the UploadLayerPart operation: Invalid layer part "
        "upload for upload with id '…' in the repository with name 'my-app' in the registry with id '123456789012'",
        "The part does not begin where the part before it ended; lastValidByteReceived says where that was.",
        (
            "partLastByte is the last byte's number, so a part of 10 bytes is 0 to 9",
            "a part was left out or sent twice",
        ),
        "Send the next part from lastValidByteReceived + 1 on.",
        "The same.",
    ),
    Explanation(
        "layer-part-too-small",
        "LayerPartTooSmallException|layer parts except the last part",
        "An error occurred (LayerPartTooSmallException) when calling the CompleteLayerUpload operation: All layer "
        "parts except the last part should be at least 5MB",
        "A part that is not the last one has less than 5 MiB.",
        ("the file was cut into small parts", "the last part was not the last that was sent"),
        "Send parts of partSize bytes, which initiate-layer-upload returned.",
        "The same.",
    ),
    Explanation(
        "layer-digest-mismatch",
        "InvalidLayerException|layer digests match the calculated|layer verification failed for digest",
        "An error occurred (InvalidLayerException) when calling the CompleteLayerUpload operation: None of the "
        "provided layer digests match the calculated layer digest",
        "The bytes that arrived have another digest than the one that you gave.",
        (
            "the digest of the uncompressed layer (diff id) was given; the registry's is of the compressed bytes",
            "the file changed meanwhile; gzip writes a time into it",
        ),
        "Compute the digest from the very bytes that you send: sha256sum layer.tar.gz.",
        "The same.",
    ),
    Explanation(
        "upload-empty",
        "EmptyUploadException",
        "An error occurred (EmptyUploadException) when calling the CompleteLayerUpload operation: The upload with id "
        "'…' does not contain any layer parts",
        "The upload was completed before a byte of it was sent.",
        ("upload-layer-part was skipped, or failed",),
        "Send the parts first, then complete-layer-upload.",
        "The same.",
    ),
    Explanation(
        "layer-exists",
        "LayerAlreadyExistsException",
        "An error occurred (LayerAlreadyExistsException) when calling the CompleteLayerUpload operation: Layer with "
        "digest 'sha256:…' already exists in the repository with name 'my-app' in the registry with id '123456789012'",
        "The repository has this layer already. Nothing was lost; the upload was not needed.",
        ("the same layer belongs to another image of the repository", "a cell was run a second time"),
        "Go on with put-image; batch-check-layer-availability tells beforehand.",
        "The same.",
    ),
    Explanation(
        "layer-inaccessible",
        "LayerInaccessibleException",
        "An error occurred (LayerInaccessibleException) when calling the GetDownloadUrlForLayer operation: Layer with "
        "digest 'sha256:…' in the repository with name 'my-app' in the registry with id '123456789012' is not "
        "associated with an image",
        "The layer is there, but no image that can be pulled uses it.",
        ("it was uploaded, and no put-image followed", "its image was deleted or archived"),
        "Put an image that lists it, or restore the image.",
        "The same.",
    ),
    Explanation(
        "layer-missing",
        "MissingLayerDigest|InvalidLayerDigest|blob unknown",
        "BatchCheckLayerAvailability returned failures: InvalidLayerDigest: Invalid layer digest 'abc'",
        "A digest in the request does not name a layer: it is missing, or not of the form sha256:….",
        ("a digest without sha256: in front, or cut short", "the layer belongs to another repository"),
        "Read the digests of layers from the manifest: docker manifest inspect NAME:TAG.",
        "The same.",
    ),
)
