"""Errors of ECR Public: its API, its logins, which also spoil pulls, and its limits."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "public-region",
        r"command is only supported in us-east-1|https://api\.ecr-public\.",
        "An error occurred (UnsupportedCommandException) when calling the GetAuthorizationToken operation: "
        "GetAuthorizationToken command is only supported in us-east-1",
        "ECR Public has one API for the whole world, in us-east-1. The images are not tied to a Region.",
        (
            "the Region of the profile or of AWS_DEFAULT_REGION is another one",
            "most other Regions have no such host name: there the CLI says Could not connect to the endpoint URL",
        ),
        'Add --region us-east-1; in Python boto3.client("ecr-public", region_name="us-east-1").',
        "The same.",
    ),
    Explanation(
        "public-registry-missing",
        "RegistryNotFoundException",
        "An error occurred (RegistryNotFoundException) when calling the InitiateLayerUpload operation: The registry "
        "with id 'z9z9z9z9' does not exist",
        "No public registry has this alias. A push takes an account number or an alias; most other calls only the "
        "number.",
        ("a typing mistake", "the account has no public repository yet: the first one brings the alias"),
        "aws ecr-public describe-registries shows the alias of your account.",
        "The same.",
    ),
    Explanation(
        "public-alias-missing",
        r"public\.ecr\.aws/[^/\s]+ not found: name unknown|repository with name '' does not exist",
        "name unknown: The repository with name '' does not exist in the registry with id 'which-version'",
        "The name has no alias: an image of ECR Public is public.ecr.aws/ALIAS/NAME.",
        ("public.ecr.aws/my-app, without the alias of the account in between",),
        "aws ecr-public describe-repositories --region us-east-1 shows the repositoryUri; push that name.",
        "The same.",
    ),
    Explanation(
        "public-repository-missing",
        r"repository public\.ecr\.aws/\S+ not found: name unknown|exist in the registry with id '(?!\d{12}')",
        "Error response from daemon: repository public.ecr.aws/library/debian not found: name unknown: The repository "
        "with name 'debian' does not exist in the registry with id 'library'",
        "ECR Public has no repository of this name under this alias. The registry id of the text is the alias.",
        (
            "an image of Docker without docker/: public.ecr.aws/docker/library/debian",
            "a typing mistake in the alias or the name",
            "a push to a repository that nobody has created",
        ),
        "For your own, aws ecr-public describe-repositories --region us-east-1; for others, lab.gallery() lists them.",
        "The same; gallery.ecr.aws finds the images of others.",
    ),
    Explanation(
        "logo-invalid",
        "at 'logoImageBlob' failed to satisfy constraint",
        "An error occurred (InvalidParameterException) when calling the PutRepositoryCatalogData operation: Invalid "
        "parameter at 'logoImageBlob' failed to satisfy constraint: …",
        "A logo is a PNG file of 60 to 2048 pixels in each direction and at most 500 KB. The catalog data of before "
        "is unchanged.",
        (
            "a JPEG or SVG file, or a PNG that was cut short",
            "base64 twice: boto3 and version 1 of the AWS CLI encode the bytes by themselves",
        ),
        'In Python: {"logoImageBlob": open("logo.png", "rb").read()}.',
        "The same. The gallery shows logos of verified accounts only.",
    ),
    Explanation(
        "catalog-data-invalid",
        r"calling the (CreateRepository|Put(Repository|Registry)CatalogData) operation: Invalid parameter at "
        "'(description|aboutText|usageText|architectures|operatingSystems|displayName)'",
        "An error occurred (InvalidParameterException) when calling the PutRepositoryCatalogData operation: Invalid "
        "parameter at 'description' failed to satisfy constraint: 'Member must have length less than or equal to 1024'",
        "A text of the catalog data is too long, or a list has too many entries. The catalog data of before is "
        "unchanged.",
        (
            "a description has at most 1,024 characters, about and usage texts 25,600, a display name 100",
            "at most 50 architectures and 50 operating systems, of 1 to 50 characters",
        ),
        "Put the long text into aboutText, and one sentence into description.",
        "The same.",
    ),
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
        "public-push-anonymous",
        "unauthorized: authentication required",
        "unauthorized: authentication required",
        "The registry does not know who you are. Everybody may pull from ECR Public; a push needs a login.",
        (
            "no login to public.ecr.aws, or docker logout has removed it",
            "the login above failed with 400 Bad Request: its password was a token of aws ecr",
        ),
        "aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin "
        "public.ecr.aws",
        "The same.",
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
