"""What errors of all services of AWS have in common: their classes. These are tried last.

See the AWS general reference, common errors; services spell the same class in several ways.
"""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "policy-document-malformed",
        "MalformedPolicyDocument",
        "An error occurred (MalformedPolicyDocument) when calling the CreatePolicy operation: Syntax errors in policy.",
        "IAM does not accept this text as a policy. Nothing was changed.",
        (
            "it is not JSON, or Version is not 2012-10-17",
            "a statement lacks Effect, Action or Resource; a trust policy has a Principal and no Resource",
        ),
        "Compare it with a policy that works; python3 -m json.tool policy.json finds errors of JSON.",
        "The same; aws accessanalyzer validate-policy explains most mistakes.",
    ),
    Explanation(
        "access-denied",
        r"\((AccessDenied\w*|UnauthorizedOperation|NotAuthorized\w*)\)|not authorized to perform",
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: "
        "arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: …",
        "You are known, but may not do this. The text names who, what and on which resource.",
        (
            "no policy of the user or role allows the action on this resource",
            "for AssumeRole: the role's trust policy does not name you",
            "an explicit Deny somewhere; it always wins",
        ),
        "Compare the text with the policy and mend it; aws sts get-caller-identity says who you are.",
        "The same; a change of IAM may take some seconds to act.",
    ),
    Explanation(
        "exists",
        r"\(\w*(AlreadyExists|AlreadyOwnedByYou|Conflict|InUse)\w*\)",
        "An error occurred (EntityAlreadyExists) when calling the CreateRole operation: Role with name reader already "
        "exists.",
        "What you want to make is there already. Nothing was changed, and nothing was lost.",
        ("a cell or a script was run a second time", "two jobs make the same thing"),
        "Go on: what you need is there. To begin anew, run lab = ecrlab.start() and the cells after it.",
        "Scripts ask first, or take this error for success.",
    ),
    Explanation(
        "missing",
        r"\((NoSuch\w*|\w*NotFound\w*|\w*DoesNotExist\w*)\)|Unable to describe task definition",
        "An error occurred (NoSuchEntity) when calling the GetRole operation: Role reader not found",
        "What the request names is not there.",
        (
            "the cell that makes it was skipped, or made it in an earlier lab",
            "a typing mistake, or another Region or account",
        ),
        "List what is there with the service's list or describe command; run the cells above.",
        "The same.",
    ),
    Explanation(
        "limit",
        r"\(\w*(LimitExceeded|QuotaExceeded)\w*\)",
        "An error occurred (LimitExceededException) when calling the CreateRepository operation: …",
        "A quota of the account, the repository or the image is used up; the sentence says which.",
        ("much was made and nothing deleted",),
        "Delete what nobody needs.",
        "The same; Service Quotas raises some of them on request.",
    ),
    Explanation(
        "invalid",
        r"\(\w*(Invalid|Validation|Malformed|Serialization|ClientException|MissingParameter)\w*\)",
        "An error occurred (InvalidParameterException) when calling the DescribeImages operation: Invalid parameter at "
        "'filter' failed to satisfy constraint: '…'",
        "AWS does not accept a value of the request; the sentence names the parameter and its constraint.",
        ("a value of the wrong form, an empty variable", "two parameters that exclude each other"),
        "Correct the parameter that it names; aws SERVICE COMMAND help lists the values.",
        "The same.",
    ),
    Explanation(
        "service-failed",
        r"\((ServerException|InternalFailure|InternalServerError|InternalError|ServiceUnavailable\w*|500|503)\)",
        "An error occurred (ServerException) when calling the PutImage operation: …",
        "The service itself failed; your request is not to blame.",
        ("a fault inside of the service", "in the lab: the disk is full, or a fault of the kit"),
        "Run it again; if it stays so, the lab's log says why. Please report it.",
        "Run it again: clients do by themselves, three times and more. Then look at the AWS Health Dashboard.",
    ),
)
