"""Errors of the API of ECR Public."""

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
)
