"""Errors of public.ecr.aws, Amazon ECR Public: logins that spoil pulls, limits, and pushes."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "public-login-stale",
        r"public\.ecr\.aws.*authorization token has expired",
        "Error response from daemon: pull access denied for public.ecr.aws/docker/library/alpine, repository does not "
        "exist or may require 'docker login': denied: Your authorization token has expired. Reauthenticate and try "
        "again.",
        "Everybody may pull from ECR Public. But Docker sends the login that it stored, and this one is over.",
        (
            "a login to public.ecr.aws is older than twelve hours",
            "the clock was moved: the lab's by you, a machine's by a bad time server",
        ),
        "docker logout public.ecr.aws, and pull without a login; or log in again.",
        "The same.",
    ),
    Explanation(
        "public-login-refused",
        r"https://public\.ecr\.aws/v2/\S* (failed with status: 400|denied: Not Authorized)",
        "Error response from daemon: login attempt to https://public.ecr.aws/v2/ failed with status: 400 Bad Request",
        "ECR Public rejects the login: user and password are no token of ECR Public.",
        (
            "the password is of a private registry: aws ecr get-login-password in place of aws ecr-public",
            "--username is not AWS",
        ),
        "aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin "
        "public.ecr.aws; a pull needs no login.",
        "The same; the Region is us-east-1, wherever you are.",
        follows=True,
    ),
    Explanation(
        "public-denied",
        "not authorized to perform: ecr-public:",
        "denied: User: arn:aws:iam::123456789012:user/me is not authorized to perform: ecr-public:InitiateLayerUpload "
        "on resource: arn:aws:ecr-public::123456789012:repository/my-app because no identity-based policy allows the "
        "ecr-public:InitiateLayerUpload action",
        "You are known, but may not do this with this public repository. Everybody may pull from it, and few may push.",
        (
            "the policy of the user or role allows ecr: actions; those of ECR Public begin with ecr-public:",
            "the repository belongs to another account, and its policy does not name yours",
        ),
        "Compare the text with the policy and mend it; in the lab a changed policy acts at once.",
        "The same; a change of IAM may take some seconds to act.",
    ),
    Explanation(
        "public-token-denied",
        "not authorized to perform: sts:GetServiceBearerToken",
        "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: "
        "arn:aws:iam::123456789012:user/me is not authorized to perform: sts:GetServiceBearerToken on resource: "
        "arn:aws:iam::123456789012:user/me",
        "The caller may ask ECR Public for a token, but may not get one from STS. A login needs both permissions.",
        ("the policy has ecr-public:GetAuthorizationToken, and not sts:GetServiceBearerToken",),
        'Allow both actions on "*" in a policy of the user or role.',
        "The same; AmazonElasticContainerRegistryPublicReadOnly and its siblings have both.",
    ),
    Explanation(
        "throttled",
        r"toomanyrequests|TooManyRequests|Throttl|Rate exceeded|RequestLimitExceeded|SlowDown",
        "toomanyrequests: Rate exceeded",
        "Too many requests in a short time; the registry asks you to slow down.",
        (
            "many machines behind one address pull from public.ecr.aws without a login: one pull a second is free",
            "an index costs an extra request, one for itself and one for the image of the platform",
            "a loop asks for a token before each pull",
        ),
        "lab.limits() ends the limit that lab.limits(public_pulls_per_second=…) began; or let the clock go on, or log "
        "in.",
        "Log in (also to ECR Public), wait and try again, or use a pull through cache.",
    ),
)
