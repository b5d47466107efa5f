"""Errors about images, tags and digests."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "tag-immutable",
        "tag invalid|ImageTagAlreadyExistsException|TAG_INVALID",
        "tag invalid: The image tag 'v1.2.3' already exists in the 'my-app' repository and cannot be overwritten "
        "because the tag is immutable.",
        "The tag is taken, and this repository does not let tags move. Nothing was overwritten.",
        (
            "the version number was not raised",
            "a build was run twice; even the same image again is refused",
            "latest is pushed to a repository where every tag is immutable",
        ),
        "Push under a new tag, or exclude tags that should move with --image-tag-mutability IMMUTABLE_WITH_EXCLUSION.",
        "The same. Deploy by digest when you need to be sure which image it is.",
    ),
    Explanation(
        "image-exists",
        "ImageAlreadyExistsException",
        "An error occurred (ImageAlreadyExistsException) when calling the PutImage operation: Image with digest "
        "'sha256:…' and tag 'v1' already exists in the repository with name 'my-app' in registry with id "
        "'123456789012'",
        "This image carries this tag already, so there is nothing to do. Docker's push of the same image is no error.",
        ("a cell or a script was run a second time", "put-image without --image-tag, for an image that is there"),
        "Go on: the image is there. For one more tag, give put-image another --image-tag.",
        "Scripts take this error for success.",
    ),
    Explanation(
        "tag-and-digest-differ",
        "ImageTagDoesNotMatchDigest",
        "BatchDeleteImage returned failures: ImageTagDoesNotMatchDigest: …",
        "The request names a tag and a digest, and the tag points at another image.",
        ("the tag has moved since the digest was written down", "digest and tag come from two images"),
        "Name only one of them: the digest for one image, the tag for what it points at now.",
        "The same.",
    ),
    Explanation(
        "image-id-invalid",
        "InvalidImageDigest|InvalidImageTag|MissingDigestAndTag",
        "BatchGetImage returned failures: InvalidImageDigest: Invalid request parameters: image digest should satisfy "
        "the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        "The answer is 200, but one entry of its failures says that an image id is no tag and no digest.",
        (
            "a digest without sha256: in front, or cut short",
            "tag and digest exchanged: imageTag=…, imageDigest=sha256:…",
            "an empty image id",
        ),
        "aws ecr list-images --repository-name NAME shows ids in the right form.",
        "The same. Scripts look at failures, as the exit code is 0.",
    ),
    Explanation(
        "image-referenced",
        "ImageReferencedByManifestList",
        "BatchDeleteImage returned failures: ImageReferencedByManifestList: Requested image referenced by manifest "
        "list: [sha256:…]",
        "An index lists this image, so it cannot go before the index does.",
        ("a multi-architecture image: what you pushed under the tag is the index, these are its parts",),
        "Delete the index first, by its tag or digest, then the images.",
        "The same; lifecycle policies follow the same rule.",
    ),
    Explanation(
        "image-archived",
        "ImageInaccessible|is archived|being restored from the archive|ImageArchivedException",
        "Requested image is archived and cannot be pulled",
        "The image is in the archive, or on its way back; until it is ACTIVE nobody can pull or scan it.",
        ("a lifecycle rule with the action transition, or update-image-storage-class, archived it",),
        "aws ecr update-image-storage-class --target-storage-class STANDARD, then lab.clock.advance(minutes=20).",
        "The same, and wait; or push the same image again, which restores it at once.",
    ),
    Explanation(
        "storage-class-refused",
        "ImageStorageClassUpdateNotSupportedException",
        "An error occurred (ImageStorageClassUpdateNotSupportedException) when calling the UpdateImageStorageClass "
        "operation: …",
        "The image cannot change to this storage class, or not now; the sentence says why.",
        (
            "it is in that class already",
            "an index lists it: the index moves, and its images with it",
            "it is being restored",
        ),
        "aws ecr describe-images shows imageStatus; name the index instead of its part.",
        "The same.",
    ),
    Explanation(
        "digest-mismatch",
        "ImageDigestDoesNotMatchException|manifest verification failed for digest",
        "An error occurred (ImageDigestDoesNotMatchException) when calling the PutImage operation: The image with "
        "digest 'sha256:…' in repository 'my-app' and registry ID '123456789012' does not match the image digest that "
        "Amazon ECR has calculated.",
        "The manifest has another digest than the one that you gave: a digest names bytes, and these differ.",
        (
            "the manifest was read and written again as JSON: one blank is another digest",
            "a line break was added at its end (echo, an editor)",
        ),
        "Hand the manifest on as the text that batch-get-image returned, or leave --image-digest out.",
        "The same.",
    ),
    Explanation(
        "children-missing",
        "ReferencedImagesNotFoundException|Images with digests .* do not exist",
        "manifest blob unknown: Images with digests '[sha256:…]' required for pushing image into repository with name "
        "'my-app' in the registry with id '123456789012' do not exist",
        "The index lists images that are not in this repository. Images come first, then the index.",
        (
            "the index was copied alone, or its images are in another repository",
            "a build cache was pushed as an index (--cache-to without image-manifest=true)",
        ),
        "Push the images that the index lists to the same repository, then the index.",
        "The same; docker buildx imagetools create copies index and images together.",
    ),
    Explanation(
        "layers-missing",
        "LayersNotFoundException|Layers with digests .* do not exist",
        "An error occurred (LayersNotFoundException) when calling the PutImage operation: Layers with digests "
        "'[sha256:…]' required for pushing image into repository with name 'my-app' in the registry with id "
        "'123456789012' do not exist",
        "The manifest lists layers, or a config, that are not in this repository. Layers come first, then the "
        "manifest.",
        (
            "the manifest was copied from another repository, and its layers were not",
            "an upload was not completed",
        ),
        "docker pull, tag and push copy all of it; put-image moves tags within one repository only.",
        "The same.",
    ),
    Explanation(
        "manifest-invalid",
        "at 'ImageManifest' failed to satisfy constraint|at 'imageManifest' failed",
        "An error occurred (InvalidParameterException) when calling the PutImage operation: Invalid parameter at "
        "'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
        "The text is not the manifest of an image.",
        (
            "it is the whole answer of batch-get-image; the manifest is its member images[0].imageManifest",
            'the shell took quotation marks away: write --image-manifest "$MANIFEST"',
            "it is empty, as the query before it found nothing",
        ),
        'Look at the text first: echo "$MANIFEST" begins with a brace and names a mediaType.',
        "The same.",
    ),
    Explanation(
        "no-bytes",
        "has no bytes here",
        "blob unknown: The layer with digest 'sha256:…' has no bytes here: it came with a history that was loaded into "
        "this lab, which keeps manifests only",
        "The image belongs to a made-up history: manifests, sizes and dates are there, the contents are not.",
        ("lab.load(…) or a scenario has filled the repository",),
        "Look at it with describe-images or docker manifest inspect; pull images that you have pushed.",
        "It does not happen there: each image has its layers.",
    ),
    Explanation(
        "image-missing",
        r"manifest unknown|MANIFEST_UNKNOWN|\bImageNotFound|Requested image not found|no such manifest",
        "Error response from daemon: manifest for 123456789012.dkr.ecr.us-east-1.amazonaws.com/hello:v2 not found: "
        "manifest unknown: Requested image not found",
        "The repository is there, the tag or digest is not.",
        (
            "it was never pushed, or under another tag",
            "it was deleted, by hand or by a lifecycle policy, which may take latest too",
            "a rule with deleteReplication brought the deletion from another Region",
            "in a pull-through cache: the upstream has none, or you lack ecr:BatchImportUpstreamImage",
        ),
        "aws ecr list-images --repository-name NAME shows what is there; lab.history() says what became of a tag, in "
        "us-east-1. The images of an upstream are those of lab.gallery().",
        "aws ecr list-images, and CloudTrail for what became of it; for a cache, the upstream's own page of tags.",
    ),
)
