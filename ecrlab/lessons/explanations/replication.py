"""Errors of replication, of its backfills, and of the templates for the repositories that it makes."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "replication-denied",
        r"ecr-replication is not authorized to perform: ecr:(CreateRepository|ReplicateImage)",
        "User: arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForECRReplication/ecr-replication is not "
        "authorized to perform: ecr:CreateRepository on resource: "
        "arn:aws:ecr:us-east-1:222233334444:repository/my-app because no resource-based policy allows the "
        "ecr:CreateRepository action",
        "Replication may not write into the other account's registry. The push succeeded; only the copy FAILED.",
        (
            "the destination's registry has no registry policy: each account and Region has its own",
            "the policy has ecr:ReplicateImage only, and the repository does not exist there yet",
            "its Principal or Resource is another account, Region or name",
        ),
        "As the other account, put a registry policy with ecr:CreateRepository and ecr:ReplicateImage for the source "
        "account; then start a backfill, as a copy that failed is not tried again by itself.",
        "The same.",
    ),
    Explanation(
        "replication-to-itself",
        "Replication destination cannot be the same as the source registry",
        "An error occurred (InvalidParameterException) when calling the PutReplicationConfiguration operation: Invalid "
        "parameter at 'replicationConfiguration' failed to satisfy constraint: 'Replication destination cannot be the "
        "same as the source registry'",
        "A destination has the account and the Region of the registry that the rule is put into.",
        ("the call went to another Region than intended", "registryId or region was copied from the wrong place"),
        "Name another Region or another account; one of the two must differ.",
        "The same.",
    ),
    Explanation(
        "replication-filter",
        r"PutReplicationConfiguration operation: Invalid parameter at 'filter' failed",
        "An error occurred (InvalidParameterException) when calling the PutReplicationConfiguration operation: Invalid "
        "parameter at 'filter' failed to satisfy constraint: 'must satisfy regular expression …'",
        "A filter is the beginning of a repository's name, and no pattern.",
        ("a star: bike/* for bike/", "capital letters, which no repository's name has"),
        "Write the filter bike/, without the star; it is about all names that begin so.",
        "The same.",
    ),
    Explanation(
        "replication-region",
        r"at 'replicationConfiguration' failed to satisfy constraint: 'Invalid region",
        "An error occurred (InvalidParameterException) when calling the PutReplicationConfiguration operation: Invalid "
        "parameter at 'replicationConfiguration' failed to satisfy constraint: 'Invalid region 'eu-west-9''",
        "There is no such Region, or it belongs to another partition, such as China's.",
        ("a typing mistake", "a name such as Ireland: the Region is eu-west-1"),
        "Write the Region as in the host name of its registry.",
        "The same; a Region may also have to be enabled for the account first.",
    ),
    Explanation(
        "backfill-destination",
        "The destination is not in the replication configuration",
        "An error occurred (InvalidParameterException) when calling the StartReplicationBackfill operation: Invalid "
        "parameter at 'destination' failed to satisfy constraint: 'The destination is not in the replication "
        "configuration'",
        "A backfill goes where a rule goes, and no rule names this account and Region.",
        ("the rule was never put, or a later call replaced it", "another Region or account was meant"),
        "aws ecr describe-registry shows the rules; put one for this destination first.",
        "The same; AWS may word it in another way.",
    ),
    Explanation(
        "backfill-running",
        "ReplicationBackfillInProgressException",
        "An error occurred (ReplicationBackfillInProgressException) when calling the StartReplicationBackfill "
        "operation: A replication backfill to the Region 'eu-west-1' is already in progress",
        "Only one backfill can run to a Region at a time.",
        ("a cell or a script was run a second time", "one to another account in the same Region runs"),
        "aws ecr describe-replication-backfill-results, or lab.clock.advance(minutes=30), lets it go on to its end.",
        "Wait for it, or stop it with stop-replication-backfill.",
    ),
    Explanation(
        "backfill-over",
        "ReplicationBackfillInvalidStatusException",
        "An error occurred (ReplicationBackfillInvalidStatusException) when calling the StopReplicationBackfill "
        "operation: The replication backfill with id '…' cannot be stopped in the status COMPLETE",
        "Only a backfill that is PREPARING or IN_PROGRESS can be stopped.",
        ("it has ended meanwhile", "it was stopped already"),
        "Nothing is to be done: what it has copied stays.",
        "The same.",
    ),
    Explanation(
        "backfill-missing",
        "ReplicationBackfillNotFoundException",
        "An error occurred (ReplicationBackfillNotFoundException) when calling the DescribeReplicationBackfillResults "
        "operation: The replication backfill with id '…' does not exist in the registry with id '123456789012'",
        "This registry has no backfill of that id.",
        ("it ended more than 90 days ago", "it was started in another Region or account", "an id of an earlier lab"),
        "aws ecr list-replication-backfills shows those that there are.",
        "The same.",
    ),
    Explanation(
        "template-exists",
        "TemplateAlreadyExistsException",
        "An error occurred (TemplateAlreadyExistsException) when calling the CreateRepositoryCreationTemplate "
        "operation: The repository creation template with the prefix 'ROOT' already exists in the registry with id "
        "'222233334444'",
        "The registry has a template for this prefix already.",
        ("a cell or a script was run a second time",),
        "Go on, or change it with update-repository-creation-template.",
        "The same.",
    ),
    Explanation(
        "template-missing",
        "TemplateNotFoundException",
        "An error occurred (TemplateNotFoundException) when calling the DeleteRepositoryCreationTemplate operation: "
        "The repository creation template with the prefix 'prod' does not exist in the registry with id "
        "'123456789012'",
        "The registry has no template for this prefix.",
        ("a typing mistake", "templates belong to one account and Region, and this is another one"),
        "aws ecr describe-repository-creation-templates shows those that there are.",
        "The same.",
    ),
)
