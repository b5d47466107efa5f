"""Errors of pull-through caches: of their rules, their secrets, and the upstreams behind them."""

from ecrlab.lessons.explanations.entry import Explanation

_CREATING = "An error occurred ({}) when calling the CreatePullThroughCacheRule operation: {}"
_UNSUPPORTED = "UnsupportedUpstreamRegistryException"

ENTRIES = (
    Explanation(
        "upstream-denied",
        "authentication to the upstream registry failed|UpstreamAccessDenied",
        "Error response from daemon: pull access denied for 123456789012.dkr.ecr.us-east-1.amazonaws.com/docker-hub/"
        "alpine, repository does not exist or may require 'docker login': denied: The authentication to the upstream "
        "registry failed. Verify that the credentials provided in the pull through cache rule are correct, and try "
        "again.",
        "The cache asked upstream, and the upstream refused. Your own login is not the cause.",
        (
            "the secret of the rule has another user name or access token than the upstream accepts",
            "the repository does not exist upstream: Docker Hub answers the same for a wrong name",
            "an official image of Docker without library/: it is docker-hub/library/alpine",
            "a rule for another ECR registry: its role or the policy there allows too little",
        ),
        "aws ecr validate-pull-through-cache-rule tells whether the login works; the lab's stand-in accepts the pair "
        'lab.upstream("docker-hub").credentials.',
        "The same; put a new access token into the secret when the old one has expired.",
    ),
    Explanation(
        "upstream-unavailable",
        "upstream registry is unavailable|UpstreamUnavailable",
        "Error response from daemon: unavailable: The upstream registry is unavailable. Wait and try again.",
        "The upstream does not answer, and this image is not in the cache. What is cached can still be pulled.",
        ("the upstream is down", "the image was never pulled through this cache, or a lifecycle policy expired it"),
        'lab.upstream("docker-hub").up() ends an outage that a drill began.',
        "Wait. Pull images that you depend on through the cache before you need them.",
    ),
    Explanation(
        "upstream-limit",
        "rejected the request, because its rate limit was exceeded|UpstreamTooManyRequests",
        "Error response from daemon: toomanyrequests: The upstream registry rejected the request, because its rate "
        "limit was exceeded.",
        "The upstream limits how often its images are pulled, and the account of the secret has used that up.",
        ("many images were pulled for the first time at once", "other machines pull with the same account"),
        'lab.clock.advance(hours=6), or lab.upstream("docker-hub").limit(None).',
        "Wait until the window is over; a paid account has a higher limit.",
    ),
    Explanation(
        "upstream-url",
        "The upstream registry URL .* is invalid",
        _CREATING.format(
            _UNSUPPORTED,
            "The upstream registry URL https://quay.io is invalid. Specify a valid upstream registry URL and try again",
        ),
        "ECR caches a few registries, and knows each by exactly one host name.",
        ("https:// in front, or a path behind", "capital letters", "docker.io: Docker Hub is registry-1.docker.io"),
        "Write the host name alone, in small letters: quay.io.",
        "The same.",
    ),
    Explanation(
        "upstream-needs-login",
        "upstream registry requires authentication",
        _CREATING.format(
            _UNSUPPORTED,
            "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN containing "
            "the upstream registry credentials and try again.",
        ),
        "This upstream is not cached without a login.",
        (
            "Docker Hub, GitHub, GitLab, Azure and Chainguard need a secret, also for public images",
            "an ECR registry of another account needs customRoleArn",
        ),
        "Create a secret whose name begins with ecr-pullthroughcache/ and give its ARN as --credential-arn.",
        "The same.",
    ),
    Explanation(
        "upstream-login-kind",
        "upstream registry doesn't require authentication|provided credential type do not match",
        _CREATING.format(_UNSUPPORTED, "The specified upstream registry doesn't require authentication."),
        "The rule has a login that its upstream does not use.",
        (
            "public.ecr.aws, quay.io and registry.k8s.io take no secret",
            "customRoleArn is for ECR registries, credentialArn for all others",
        ),
        "Leave the member out, or name the other upstream.",
        "The same.",
    ),
    Explanation(
        "upstream-secret",
        "SecretNotFoundException|UnableToAccessSecretException|UnableToDecryptSecretValueException|"
        "verify the secret exists in the same region",
        _CREATING.format(
            "SecretNotFoundException",
            "The ARN of the secret specified in the pull through cache rule was not found. Update the pull through "
            "cache rule with a valid secret ARN and try again.",
        ),
        "ECR cannot read the secret that the rule names; the class says why.",
        (
            "not found: it is in another Region or account, or was never created",
            "no access: it is scheduled for deletion, or its policy denies the service-linked role",
            "not decrypted: it has a customer managed key; ECR reads only secrets under aws/secretsmanager",
        ),
        "aws secretsmanager describe-secret shows it; restore-secret brings a deleted one back.",
        "The same.",
    ),
    Explanation(
        "cache-rule-exists",
        "PullThroughCacheRuleAlreadyExistsException",
        _CREATING.format(
            "PullThroughCacheRuleAlreadyExistsException",
            "The pull through cache rule with Amazon ECR repository prefix 'quay' already exists in the registry with "
            "id '123456789012'",
        ),
        "The registry has a rule for this prefix already.",
        ("a cell or a script was run a second time",),
        "Go on; for another upstream delete the rule first, because only its login can be changed.",
        "The same.",
    ),
    Explanation(
        "cache-rule-missing",
        "PullThroughCacheRuleNotFoundException",
        "An error occurred (PullThroughCacheRuleNotFoundException) when calling the ValidatePullThroughCacheRule "
        "operation: The pull through cache rule with Amazon ECR repository prefix 'quay' does not exist in the "
        "registry with id '123456789012'",
        "The registry has no rule for this prefix.",
        ("a typing mistake", "rules belong to one account and Region, and this is another one"),
        "aws ecr describe-pull-through-cache-rules shows those that there are.",
        "The same.",
    ),
)
