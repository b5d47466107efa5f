"""Who may do what: the policy language of AWS IAM, as far as policies about ECR speak it.

    who (Principal) wants what (action, resource, context)  =  Request
            │
            ├─ the policies of the identity, its boundary, its session    Identity
            └─ the policies of the resource: repository, registry         Policy …
            ▼
    decision.decide  ─►  allowed or why not in AWS's words, and the statement that decided

A policy is a JSON document of statements; each says Allow or Deny to some actions on some resources, for some
principals, under some conditions. Nothing here knows HTTP or where policies are kept. See the IAM user guide, policy
element reference and policy evaluation logic.
"""

from ecrlab.registry.iam.decision import Decision, Identity, decide
from ecrlab.registry.iam.document import Policy, PolicyError, parse
from ecrlab.registry.iam.request import Principal, Request

__all__ = [
    "Decision",
    "Identity",
    "Policy",
    "PolicyError",
    "Principal",
    "Request",
    "decide",
    "parse",
]
