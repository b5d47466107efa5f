"""Errors about repositories, their policies and their settings."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "repository-missing",
        "name unknown|NAME_UNKNOWN|RepositoryNotFoundException|repository with name .* does not exist",
        "name unknown: The repository with name 'my-ap' does not exist in the registry with id '123456789012'",
        "The registry is right and you are logged in, but there is no repository of that name. ECR does not make one "
        "when you push.",
        (
            "the repository was never created",
            "a typing mistake",
            "it is in another Region or account",
            "--registry-id was left out, so the caller's own registry is meant: compare the number at the end",
            "a first pull through a cache: no rule has this prefix, or you lack ecr:CreateRepository or "
            "ecr:BatchImportUpstreamImage",
        ),
        "aws ecr create-repository --repository-name NAME, or compare with aws ecr describe-repositories.",
        "The same; or a repository creation template for CREATE_ON_PUSH, which makes those of a prefix by itself.",
    ),
    Explanation(
        "repository-exists",
        "RepositoryAlreadyExistsException",
        "An error occurred (RepositoryAlreadyExistsException) when calling the CreateRepository operation: The "
        "repository with name 'hello' already exists in the registry with id '123456789012'",
        "The repository that you want to make is there already. Nothing was changed, and nothing was lost.",
        ("a cell or a script was run a second time", "two jobs make the same repository"),
        "Go on: what you need is there. To begin anew, run lab = ecrlab.start() and the cells after it.",
        "Scripts ask first (aws ecr describe-repositories), or take this error for success.",
    ),
    Explanation(
        "repository-not-empty",
        "RepositoryNotEmptyException",
        "An error occurred (RepositoryNotEmptyException) when calling the DeleteRepository operation: The repository "
        "with name 'my-app' in registry with id '123456789012' cannot be deleted because it still contains images",
        "The repository holds images, and deleting it would delete them.",
        ("untagged images are images too; aws ecr list-images shows them",),
        "aws ecr delete-repository --force, if you mean it.",
        "The same. There is no way back.",
    ),
    Explanation(
        "repository-name-invalid",
        r"at 'repositoryName' failed to satisfy constraint|Invalid length for parameter repositoryName",
        "An error occurred (InvalidParameterException) when calling the CreateRepository operation: Invalid parameter "
        "at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression …'",
        "ECR does not accept this name: a repository has 2 to 256 characters, in lower case.",
        (
            "capital letters, blanks or other characters than a-z, 0-9 and - _ . /",
            "a host name or a tag in the name: --repository-name has neither",
        ),
        "Choose a name such as my-app or team/my-app.",
        "The same.",
    ),
    Explanation(
        "repository-policy-missing",
        "RepositoryPolicyNotFoundException",
        "An error occurred (RepositoryPolicyNotFoundException) when calling the GetRepositoryPolicy operation: "
        "Repository policy does not exist for the repository with name 'my-app' in the registry with id '123456789012'",
        "The repository has no policy of its own: identity policies alone decide, and other accounts cannot use it.",
        ("it was never set, or was deleted", "another repository, Region or account was meant"),
        "aws ecr set-repository-policy, to let another account use the repository; otherwise nothing is wrong.",
        "The same.",
    ),
    Explanation(
        "registry-policy-missing",
        "RegistryPolicyNotFoundException",
        "An error occurred (RegistryPolicyNotFoundException) when calling the GetRegistryPolicy operation: Registry "
        "policy does not exist in the registry with id '123456789012'",
        "The registry has no policy. It needs one only to let principals into all its repositories at "
        "once, or other accounts replicate into it or use its caches.",
        ("it was never put, or was deleted", "each Region has its own"),
        "aws ecr put-registry-policy, if another account needs it; otherwise nothing is wrong.",
        "The same.",
    ),
    Explanation(
        "policy-text-invalid",
        r"Invalid (repository|registry) policy provided|at 'policyText' failed",
        "An error occurred (InvalidParameterException) when calling the SetRepositoryPolicy operation: Invalid "
        "parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
        "The text is not a policy that ECR accepts; AWS does not say where. The policy of before still holds.",
        (
            "a Principal that does not exist, such as a role with a typing mistake",
            "a Deny of ecr:* for *, which forbids you, too, to change the policy again: deny single actions",
            "a statement lacks Effect, Principal or Action, or has a Resource that a repository policy does not take",
            "it is not JSON, or has no Version and Statement",
        ),
        "Begin with one statement that works, and add to it; python3 -m json.tool policy.json finds errors of JSON.",
        "The same; the IAM console's policy editor marks most mistakes.",
    ),
    Explanation(
        "resource-tags-invalid",
        "InvalidTagParameterException|TooManyTagsException",
        "An error occurred (TooManyTagsException) when calling the TagResource operation: …",
        "ECR does not accept these resource tags, which label a repository; image tags are something else.",
        ("more than 50 on one repository", "a key that begins with aws:, or twice the same key"),
        "aws ecr list-tags-for-resource shows them; remove some with aws ecr untag-resource.",
        "The same.",
    ),
)
