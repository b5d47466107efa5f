"""The simulator: a server for AWS clients and Docker clients.

http ─► dispatch ┬► aws      ecr, ecr-public: JSON 1.1 over `aws/operations/`
                 ├► v2       the OCI distribution API (Docker)
                 ├► control  the lab's own: the clock
                 ├► downloads  bytes of layers, at signed addresses
                 └► moto     sts iam kms s3 events ecs lambda eks securityhub

access checks signatures, and authorizes the callers of both faces. jobs holds the work that ECR does by itself.
"""
