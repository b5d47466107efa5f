"""The actions of Amazon ECR that a policy can name.

All but two are the operations of the API; `BatchImportUpstreamImage` and `ReplicateImage` are permissions for what
ECR does by itself. Sources: service authorization reference, actions defined by Amazon ECR; AWS user guide, registry
permissions. Actions are compared in any case.
"""

_NAMES = """
    BatchCheckLayerAvailability BatchDeleteImage BatchGetImage BatchGetRepositoryScanningConfiguration
    BatchImportUpstreamImage CompleteLayerUpload CreatePullThroughCacheRule CreateRepository
    CreateRepositoryCreationTemplate DeleteLifecyclePolicy DeletePullThroughCacheRule DeleteRegistryPolicy
    DeleteRepository DeleteRepositoryCreationTemplate DeleteRepositoryPolicy DeleteSigningConfiguration
    DeregisterPullTimeUpdateExclusion DescribeImageReplicationStatus DescribeImageScanFindings
    DescribeImageSigningStatus DescribeImages DescribePullThroughCacheRules DescribeRegistry
    DescribeReplicationBackfillResults DescribeRepositories DescribeRepositoryCreationTemplates GetAccountSetting
    GetAuthorizationToken GetDownloadUrlForLayer GetLifecyclePolicy GetLifecyclePolicyPreview GetRegistryPolicy
    GetRegistryScanningConfiguration GetRepositoryPolicy GetSigningConfiguration InitiateLayerUpload
    ListImageReferrers ListImages ListPullTimeUpdateExclusions ListReplicationBackfills ListTagsForResource
    PutAccountSetting PutImage PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy
    PutRegistryPolicy PutRegistryScanningConfiguration PutReplicationConfiguration PutSigningConfiguration
    RegisterPullTimeUpdateExclusion ReplicateImage SetRepositoryPolicy StartImageScan StartLifecyclePolicyPreview
    StartReplicationBackfill StopReplicationBackfill TagResource UntagResource UpdateImageStorageClass
    UpdatePullThroughCacheRule UpdateRepositoryCreationTemplate UploadLayerPart ValidatePullThroughCacheRule
"""
_PUBLIC_NAMES = """
    BatchCheckLayerAvailability BatchDeleteImage CompleteLayerUpload DeleteRepository DeleteRepositoryPolicy
    DescribeImageTags DescribeImages DescribeRepositories GetRepositoryCatalogData GetRepositoryPolicy
    InitiateLayerUpload ListTagsForResource PutImage PutRepositoryCatalogData SetRepositoryPolicy TagResource
    UntagResource UploadLayerPart
"""
_PRIVATE = {f"ecr:{name}".lower(): f"ecr:{name}" for name in _NAMES.split()}
_PUBLIC = {f"ecr-public:{name}".lower(): f"ecr-public:{name}" for name in _PUBLIC_NAMES.split()}

SPELLINGS = _PRIVATE | _PUBLIC
"""Action in lower case -> as AWS writes it."""

ACTIONS = frozenset(_PRIVATE)

PUBLIC_ACTIONS = frozenset(_PUBLIC)
"""The actions on one repository of ECR Public. All but five of its operations are (service authorization reference)."""

NOT_IN_RESOURCE_POLICIES = frozenset({"ecr:getauthorizationtoken", "ecr:createpullthroughcacherule"})
"""Only an identity's policy can grant these (AWS user guide, pull through cache and registry permissions)."""

IN_REGISTRY_POLICIES_V1 = frozenset({"ecr:replicateimage", "ecr:batchimportupstreamimage", "ecr:createrepository"})
"""The actions that a registry policy of scope V1 decides (AWS user guide, registry permissions)."""

NOT_IN_REPOSITORY_POLICIES = NOT_IN_RESOURCE_POLICIES | {"ecr:createrepository", "ecr:replicateimage"}
"""A registry's policy can also grant these two: there may be no repository yet."""
