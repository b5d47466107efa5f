"""Errors of lifecycle policies and their previews."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "lifecycle-invalid",
        "Lifecycle policy (validation|parsing) failure",
        "An error occurred (InvalidParameterException) when calling the PutLifecyclePolicy operation: Invalid "
        "parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: …'",
        "ECR does not take this lifecycle policy; after the colon it says what is wrong with it.",
        (
            "a rule for any image that is not the last one",
            "countUnit with imageCountMoreThan, or none with sinceImagePushed",
            "tagged without tagPrefixList or tagPatternList, or with both",
            'a number written as text: 30, not "30"',
        ),
        "python3 -m ecrlab lifecycle lint policy.json names the place in the JSON.",
        "The same; the policy that was there before still holds.",
    ),
    Explanation(
        "lifecycle-too-short",
        "Invalid length for parameter lifecyclePolicyText",
        "Parameter validation failed:\nInvalid length for parameter lifecyclePolicyText, value: 2, valid min length: "
        "100",
        "The client refuses a policy of less than 100 characters before it sends it: no policy is so short.",
        (
            "the path of a file was given without file:// in front",
            "the file is empty, or holds only a rule and not the whole policy",
        ),
        'Give --lifecycle-policy-text file://policy.json, whose text begins with {"rules": [.',
        "The same.",
    ),
    Explanation(
        "lifecycle-missing",
        "LifecyclePolicyNotFoundException",
        "An error occurred (LifecyclePolicyNotFoundException) when calling the GetLifecyclePolicy operation: Lifecycle "
        "policy does not exist for the repository with name 'my-app' in the registry with id '123456789012'",
        "The repository has no lifecycle policy, so nothing is ever deleted there.",
        ("it was never put, or deleted again", "another repository, Region or account was meant"),
        "aws ecr put-lifecycle-policy; a preview needs a text as long as there is none.",
        "The same.",
    ),
    Explanation(
        "preview-missing",
        "LifecyclePolicyPreviewNotFoundException",
        "An error occurred (LifecyclePolicyPreviewNotFoundException) when calling the GetLifecyclePolicyPreview "
        "operation: Lifecycle policy preview does not exist for the repository with name 'my-app' in the registry with "
        "id '123456789012'",
        "No preview was started for this repository, so there is none to read.",
        ("start-lifecycle-policy-preview was skipped or failed", "another repository was meant"),
        "aws ecr start-lifecycle-policy-preview, then aws ecr wait lifecycle-policy-preview-complete.",
        "The same.",
    ),
    Explanation(
        "preview-in-progress",
        "LifecyclePolicyPreviewInProgressException",
        "An error occurred (LifecyclePolicyPreviewInProgressException) when calling the StartLifecyclePolicyPreview "
        "operation: The previous lifecycle policy preview request has not completed. Wait and try again.",
        "A repository has one preview at a time, and the one before is still running.",
        ("two previews were started one right after the other",),
        "aws ecr wait lifecycle-policy-preview-complete, then again.",
        "The same.",
    ),
)
