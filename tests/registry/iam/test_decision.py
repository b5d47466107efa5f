"""The truth table of who may: each row says, without looking at the code, what AWS's evaluation logic comes to."""

import itertools
import json
from collections.abc import Sequence

import pytest

from ecrlab.registry.iam import Identity, Policy, Principal, Request, decide, parse

HOME, ABROAD = "123456789012", "333333333333"
APP = f"arn:aws:ecr:us-east-1:{HOME}:repository/app"
OTHER = f"arn:aws:ecr:us-east-1:{HOME}:repository/other"

WHAT_POLICIES_SAY = ("allow", "nothing", "deny")
ACTIONS = {"ecr:PutImage": True, "ecr:DeleteRepository": False}
"""Action -> whether the policies of the table speak of it."""
RESOURCES = {APP: True, OTHER: False}

NO_IDENTITY = "because no identity-based policy allows the {} action"
NO_RESOURCE = "because no resource-based policy allows the {} action"
IDENTITY_DENIES = "with an explicit deny in an identity-based policy"
RESOURCE_DENIES = "with an explicit deny in a resource-based policy"

TABLE = {
    # (identity policy, repository policy): (same account, across accounts); None: allowed
    ("allow", "allow"): (None, None),
    ("allow", "nothing"): (None, NO_RESOURCE),
    ("allow", "deny"): (RESOURCE_DENIES, RESOURCE_DENIES),
    ("nothing", "allow"): (None, NO_IDENTITY),
    ("nothing", "nothing"): (NO_IDENTITY, NO_IDENTITY),
    ("nothing", "deny"): (RESOURCE_DENIES, RESOURCE_DENIES),
    ("deny", "allow"): (IDENTITY_DENIES, IDENTITY_DENIES),
    ("deny", "nothing"): (IDENTITY_DENIES, IDENTITY_DENIES),
    ("deny", "deny"): (IDENTITY_DENIES, IDENTITY_DENIES),
}


def refusal(request: Request, identity: Identity, on_resource: Sequence[Policy]) -> str | None:
    return decide(request, identity, {f"policy {n}": one for n, one in enumerate(on_resource)}).refusal


def user(account: str, name: str = "ann") -> Principal:
    return Principal(f"arn:aws:iam::{account}:user/{name}", account)


def session(account: str, role: str = "ci") -> Principal:
    return Principal(
        f"arn:aws:sts::{account}:assumed-role/{role}/build-7", account, f"arn:aws:iam::{account}:role/{role}"
    )


def policy(effect: str, **elements: object):
    statement = {"Effect": effect.capitalize(), "Action": "ecr:*", **elements}
    return parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def asks(who: Principal, action: str = "ecr:PutImage", resource: str = APP, **context: tuple[str, ...]) -> Request:
    return Request(who, action, resource, HOME, context)


@pytest.mark.parametrize("kind", [user, session])
@pytest.mark.parametrize("account", [HOME, ABROAD])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(("by_identity", "by_repository"), list(itertools.product(WHAT_POLICIES_SAY, repeat=2)))
def test_the_truth_table(by_identity, by_repository, resource, action, account, kind):
    who = kind(account)
    attached = () if by_identity == "nothing" else (policy(by_identity, Action="ecr:PutImage", Resource=APP),)
    # A repository's policy is there only when that repository is asked for, and has no Resource.
    named = who.role_arn or who.arn
    on_repository = (
        ()
        if by_repository == "nothing" or resource != APP
        else (policy(by_repository, Action="ecr:PutImage", Principal={"AWS": named}),)
    )

    speaks_of_it = ACTIONS[action] and RESOURCES[resource]
    row = (by_identity, by_repository) if speaks_of_it else ("nothing", "nothing")
    expected = TABLE[row][account == ABROAD]
    assert refusal(asks(who, action, resource), Identity(who, attached), on_repository) == (
        expected and expected.format(action)
    )


BOUNDED = {
    # (boundary, session policy, who the repository's policy names): what an identity that allows comes to
    ("allow", "allow", "nobody"): None,
    ("nothing", "allow", "nobody"): "because no permissions boundary allows the ecr:PutImage action",
    ("allow", "nothing", "nobody"): "because no session policy allows the ecr:PutImage action",
    ("deny", "allow", "nobody"): "with an explicit deny in a permissions boundary",
    ("allow", "deny", "nobody"): "with an explicit deny in a session policy",
    ("nothing", "nothing", "session"): None,
    ("nothing", "allow", "role"): "because no permissions boundary allows the ecr:PutImage action",
    ("allow", "nothing", "role"): "because no session policy allows the ecr:PutImage action",
    ("allow", "deny", "session"): "with an explicit deny in a session policy",
}


@pytest.mark.parametrize(("boundary", "session_policy", "named"), BOUNDED)
def test_boundaries_and_session_policies_bound_what_identity_policies_allow(boundary, session_policy, named):
    says = {
        "allow": policy("allow", Resource="*"),
        "nothing": policy("allow", Action="ecr:ListImages", Resource="*"),
        "deny": policy("deny", Resource="*"),
    }
    who = session(HOME)
    grants = {"nobody": (), "session": (who.arn,), "role": (who.role_arn,)}[named]
    identity = Identity(who, (says["allow"],), says[boundary], says[session_policy])

    on_repository = [policy("allow", Principal={"AWS": arn}) for arn in grants]

    assert refusal(asks(who), identity, on_repository) == BOUNDED[boundary, session_policy, named]


def test_naming_the_own_account_leaves_it_to_identity_policies():
    who = user(HOME)
    on_repository = [policy("allow", Principal={"AWS": HOME})]

    assert refusal(asks(who), Identity(who), on_repository) == NO_IDENTITY.format("ecr:PutImage")


def test_naming_another_account_lets_in_those_whom_their_own_account_allows():
    allowed = Identity(user(ABROAD), (policy("allow", Resource="*"),))
    on_repository = [policy("allow", Principal={"AWS": f"arn:aws:iam::{ABROAD}:root"})]

    assert refusal(asks(user(ABROAD)), allowed, on_repository) is None
    assert refusal(asks(user(ABROAD)), Identity(user(ABROAD)), on_repository) == NO_IDENTITY.format("ecr:PutImage")


def test_everybody_of_the_own_account_may_what_a_policy_lets_everybody_do():
    assert refusal(asks(user(HOME)), Identity(user(HOME)), [policy("allow", Principal="*")]) is None


def test_a_deny_to_all_but_one_spares_that_one():
    spared = [policy("deny", NotPrincipal={"AWS": user(HOME).arn})]
    everything = (policy("allow", Resource="*"),)

    assert refusal(asks(user(HOME)), Identity(user(HOME), everything), spared) is None
    assert refusal(asks(user(HOME, "bob")), Identity(user(HOME, "bob"), everything), spared) == RESOURCE_DENIES


def test_a_service_needs_a_resource_policy_that_names_it():
    service = Principal("lambda.amazonaws.com", "")
    granted = [policy("allow", Principal={"Service": "lambda.amazonaws.com"})]

    assert refusal(asks(service), Identity(service), granted) is None
    assert refusal(asks(service), Identity(service), []) == NO_RESOURCE.format("ecr:PutImage")


def test_a_deny_under_a_condition_that_does_not_hold_is_no_deny():
    regional = policy("deny", Principal="*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    who = Identity(user(HOME), (policy("allow", Resource="*"),))

    def tail(region: str) -> str | None:
        return refusal(asks(user(HOME), **{"aws:requestedregion": (region,)}), who, [regional])

    assert (tail("eu-west-1"), tail("us-east-1")) == (RESOURCE_DENIES, None)


def test_an_operator_that_iam_does_not_have_makes_an_allow_void_and_a_deny_hold():
    strange = {"Condition": {"StringResembles": {"aws:RequestedRegion": "us-east-1"}}}
    everything = policy("allow", Resource="*")
    who = user(HOME)

    void = refusal(asks(who), Identity(who, (policy("allow", Resource="*", **strange),)), [])
    held = refusal(asks(who), Identity(who, (everything, policy("deny", Resource="*", **strange))), [])

    assert (void, held) == (NO_IDENTITY.format("ecr:PutImage"), IDENTITY_DENIES)


def test_a_decision_names_the_policy_and_the_statement():
    ann = user(HOME)
    reading, denying = policy("allow", Sid="Read", Resource="*"), policy("deny", Resource="*")
    by_name, everybody = (policy("allow", Principal=who, Resource="*") for who in ({"AWS": ann.arn}, "*"))

    def decided(identity: Identity, **on_resource: Policy) -> tuple[str, str | None]:
        decision = decide(asks(ann), identity, on_resource)
        return decision.policy, decision.statement and decision.statement.name

    assert decided(Identity(ann, (reading,))) == ("identity policy", "Read")
    assert decided(Identity(ann, (reading, denying))) == ("identity policy", "statement 1")
    assert decided(Identity(ann, (reading,), boundary=denying)) == ("permissions boundary", "statement 1")
    assert decided(Identity(ann, (reading,), session=denying)) == ("session policy", "statement 1")
    assert decided(Identity(ann), registry=everybody, repository=by_name) == ("repository", "statement 1")
    assert decided(Identity(ann)) == ("", None)
    assert decided(Identity(ann, (reading,), boundary=parse(NOTHING))) == ("", None)


NOTHING = '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
