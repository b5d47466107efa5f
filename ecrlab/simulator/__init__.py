"""The simulator: the faces that the registry shows to AWS clients and to Docker clients.

http ─► dispatch ┬► aws      ecr, ecr-public: JSON 1.1 over `aws/operations/`
                 ├► v2       the OCI distribution API (Docker)
                 ├► control  the lab's own: the clock
                 ├► downloads  bytes of layers, at signed addresses
                 └► moto     sts iam kms s3 events ecs lambda eks securityhub

access judges the callers of both faces; jobs is what a registry does by itself.
"""
