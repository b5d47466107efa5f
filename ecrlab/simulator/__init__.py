"""The simulator: the faces that the registry shows to AWS clients and to Docker clients.

web ─► dispatch ┬► aws      ecr, ecr-public: JSON 1.1 over `operations/`
                ├► v2       the OCI distribution API (Docker)
                ├► control  the lab's own: the clock
                └► moto     sts iam kms s3 events ecs lambda eks securityhub
"""
