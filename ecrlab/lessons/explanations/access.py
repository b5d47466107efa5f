"""Errors of login, credentials and permissions."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "no-basic-auth",
        "no basic auth credentials",
        "no basic auth credentials",
        "Docker has no password for this registry's host name, so it sent none.",
        (
            "nobody ran docker login for just this host: another account or Region is another host",
            "the login was made by another user (sudo) or with another DOCKER_CONFIG",
            "a credential helper is configured for the host and found nothing",
        ),
        "Run the login pipeline again, with the host name that the image's name begins with.",
        "The same. In pipelines, log in within the job that pushes; jobs that share a runner overwrite each other.",
    ),
    Explanation(
        "token-expired",
        "authorization token has expired",
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "There is a password, but its twelve hours are over. The registry answers 403, not 401, so Docker does not ask "
        "for a new one by itself.",
        (
            "the login is older than twelve hours",
            "the clock was moved: the lab's by you, a machine's by a bad time server",
        ),
        "Run the login pipeline again; the new token is valid from the lab's time on.",
        "The same; or install the ECR credential helper, which fetches the tokens by itself.",
    ),
    Explanation(
        "get-token-denied",
        "not authorized to perform: ecr:GetAuthorizationToken",
        "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: "
        "arn:aws:iam::123456789012:user/me is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
        "The caller may not ask for a token. This action belongs to the registry, so it can only be allowed on all "
        "resources.",
        ('the policy allows ecr:GetAuthorizationToken on a repository\'s ARN; it must be "Resource": "*"',),
        'Give the user or role a policy with ecr:GetAuthorizationToken on "*".',
        "The same; AmazonEC2ContainerRegistryPullOnly and its siblings have it.",
    ),
    Explanation(
        "denied-resource-silent",
        "because no resource-based policy allows the ecr:",
        "User: arn:aws:sts::222233334444:assumed-role/ci/me is not authorized to perform: ecr:BatchGetImage on "
        "resource: arn:aws:ecr:us-east-1:123456789012:repository/my-app because no resource-based policy allows the "
        "ecr:BatchGetImage action",
        "The caller is of another account. Its own side allows the action; the repository's side is silent about it.",
        (
            "the repository has no policy, or one that names another principal, or not this action",
            "a condition of the statement does not fit: another organization, another aws:SourceArn",
            "a pull needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer; a push needs five actions",
        ),
        "As the account of the repository, add a statement: aws ecr set-repository-policy; "
        'lab.who_can("my-app", "ecr:BatchGetImage") shows who may.',
        "The same, by the owner of the repository: the caller cannot mend it.",
    ),
    Explanation(
        "denied-identity-silent",
        "because no identity-based policy allows the ecr:",
        "User: arn:aws:sts::222233334444:assumed-role/deploy/me is not authorized to perform: ecr:BatchGetImage on "
        "resource: arn:aws:ecr:us-east-1:123456789012:repository/my-app because no identity-based policy allows the "
        "ecr:BatchGetImage action",
        "No policy of the user or role that asks allows this action on this resource. Nothing forbids it, either.",
        (
            "the user or role has no policy for ECR, or one with fewer actions: pulling is not pushing",
            "the policy names another repository, account or Region in its Resource",
            "another account's repository policy allows it; across accounts the caller's own policy must, too",
        ),
        "In the caller's account, add the action to a policy of the user or role: aws iam put-role-policy; "
        "in the lab it acts at once.",
        "The same; a change of IAM may take some seconds to act.",
    ),
    Explanation(
        "denied-by-resource",
        "not authorized to perform: ecr:.* with an explicit deny in a resource-based policy",
        "User: arn:aws:sts::222233334444:assumed-role/deploy/me is not authorized to perform: ecr:BatchGetImage on "
        "resource: arn:aws:ecr:us-east-1:123456789012:repository/my-app with an explicit deny in a resource-based "
        "policy",
        "A Deny in the repository's policy covers this caller and this action. No Allow outweighs it.",
        (
            'a Deny with the principal "*" that means other people, and covers you, too',
            "a Deny with a condition that fits more than was meant",
        ),
        'lab.who_can("my-app", "ecr:BatchGetImage") names the statement; as the owner, narrow or remove it.',
        "aws ecr get-repository-policy, as the owner: more permissions for the caller do not help.",
    ),
    Explanation(
        "denied-by-identity",
        "not authorized to perform: ecr:.* with an explicit deny in an identity-based policy",
        "User: arn:aws:sts::222233334444:assumed-role/deploy/me is not authorized to perform: ecr:BatchGetImage on "
        "resource: arn:aws:ecr:us-east-1:123456789012:repository/my-app with an explicit deny in an identity-based "
        "policy",
        "A Deny in a policy of the caller itself covers this action. The repository may allow what it likes.",
        ("a policy that is attached to every role of the account as a guard", "a Deny with a too wide Resource"),
        "Read all policies of the user or role, also those of its groups, and mend the Deny.",
        "The same; its owner is the account of the caller.",
    ),
    Explanation(
        "ecr-denied",
        "not authorized to perform: ecr:",
        "denied: User: arn:aws:sts::123456789012:assumed-role/reader/me is not authorized to perform: "
        "ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-1:123456789012:repository/my-app",
        "You are known, but may not do this with this repository. The text names who, what and which.",
        (
            "a role that may pull tries to push: pushing needs five actions more",
            "the policy names another repository, account or Region in its Resource",
            "across accounts both sides must allow it: your identity policy and their repository policy",
            "an explicit Deny somewhere; it always wins",
        ),
        "Compare the text with the policy and mend it; in the lab a changed policy acts at once.",
        "The same; a change of IAM may take some seconds to act.",
    ),
    Explanation(
        "login-without-password",
        "cannot perform an interactive login",
        "Error: Cannot perform an interactive login from a non TTY device",
        "docker login got an empty password, and there is nobody it could ask for one.",
        (
            "the command left of the pipe failed: its own error stands above this one, and is the one to read",
            "--password-stdin is missing",
        ),
        "Run aws ecr get-login-password by itself, and give lab.why() the text that it prints.",
        "The same.",
        follows=True,
    ),
    Explanation(
        "login-403",
        r"login attempt to .* 403 Forbidden",
        "Error response from daemon: login attempt to https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/ failed "
        "with status: 403 Forbidden",
        "The registry knows the kind of password, and rejects this one.",
        ("the password is older than twelve hours",),
        "Run the login pipeline again.",
        "The same.",
    ),
    Explanation(
        "login-400",
        r"login attempt to .* 40[01] |failed with status: 40[01] ",
        "Error response from daemon: login attempt to https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/ failed "
        "with status: 400 Bad Request",
        "The registry rejects the login itself: user and password are no token for this host.",
        (
            "--region and the Region in the host name differ",
            "--username is not AWS",
            "the left side of the pipe failed, so that the password is empty or is an error message",
        ),
        "Name the same Region twice: behind --region, and in the host name. Run the left side of the pipe alone once.",
        "The same.",
        follows=True,
    ),
    Explanation(
        "unknown-access-key",
        "UnrecognizedClientException|InvalidClientTokenId|security token included in the request is|ExpiredToken",
        "An error occurred (UnrecognizedClientException) when calling the DescribeRepositories operation: The security "
        "token included in the request is invalid.",
        "AWS does not know the access key with which the request is signed, or it is no longer valid.",
        (
            "a key or a session token with a typing mistake, or a key that was deleted",
            "the session of an assumed role is over",
            "a profile or a variable AWS_ACCESS_KEY_ID that is not the one you mean",
        ),
        "aws sts get-caller-identity says who you are; lab = ecrlab.start() sets the lab's own credentials again.",
        "The same command; then aws sso login, or assume the role again.",
    ),
    Explanation(
        "wrong-secret",
        "InvalidSignatureException|SignatureDoesNotMatch",
        "An error occurred (InvalidSignatureException) when calling the DescribeRepositories operation: The request "
        "signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
        "signing method. Consult the service documentation for details.",
        "AWS knows the access key, but the request is signed with another secret than that of this key.",
        (
            "AWS_SECRET_ACCESS_KEY is not the one that belongs to the access key, or it was cut off",
            "in the lab: variables of another lab, or of one that was started before",
        ),
        "Run lab = ecrlab.start() and the cells after it; in a terminal, attach again with python3 -m ecrlab env.",
        "Set both keys again, as they were created together; AWS shows a secret only once.",
    ),
    Explanation(
        "no-credentials",
        "Unable to locate credentials|NoCredentialsError|partial credentials",
        'Unable to locate credentials. You can configure credentials by running "aws configure".',
        "The client found no access key in any of the places where it looks, so it sent nothing.",
        (
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and there is no profile",
            "a new terminal, a container or sudo: variables do not follow there",
        ),
        "Run lab = ecrlab.start() and the cells after it; in a terminal, python3 -m ecrlab env says what to set.",
        "aws configure or aws sso login; on machines of AWS, a role.",
    ),
    Explanation(
        "request-not-signed",
        "MissingAuthenticationToken",
        "An error occurred (MissingAuthenticationTokenException) when calling the DescribeRepositories operation: "
        "Missing Authentication Token",
        "The request carries no signature, so AWS does not know who asks.",
        (
            "the client is configured not to sign (--no-sign-request, signature_version=UNSIGNED)",
            "the address was opened with curl or a browser",
        ),
        "Use aws or boto3 as they are; they sign by themselves.",
        "The same.",
    ),
    Explanation(
        "profile-missing",
        r"config profile \(.*\) could not be found|ProfileNotFound",
        "The config profile (reader) could not be found",
        "There is no profile of this name in the configuration of AWS.",
        (
            "a typing mistake behind --profile or in AWS_PROFILE",
            "the cell that makes the profile was skipped, or made it in an earlier lab",
        ),
        "aws configure list-profiles shows those that are there; run the cell that makes this one.",
        "The same; aws configure --profile NAME makes one.",
    ),
)
