"""Policy documents: what is read, what is refused, and what a statement speaks of."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.iam import PolicyError, Principal, Request, parse, resource_policy
from ecrlab.registry.iam.document import Named

ANN = Principal("arn:aws:iam::123456789012:user/ann", "123456789012")
APP = "arn:aws:ecr:us-east-1:123456789012:repository/team-a/app"


def statement(**elements):
    return {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"} | elements


def allows(action="ecr:PutImage", resource=APP, version="2012-10-17", username="ann", **elements):
    document = {"Version": version, "Statement": statement(**elements)}
    request = Request(ANN, action, resource, "123456789012", {"aws:username": (username,)})
    return parse(json.dumps(document)).allows(request) is not None


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("ecr:PutImage", True),
        ("ECR:putimage", True),
        ("ecr:Put*", True),
        ("ecr:P?tImage", True),
        ("*", True),
        ("ecr:PutImag", False),
        (["ecr:ListImages", "ecr:*Image"], True),
        ("s3:*", False),
    ],
)
def test_actions_are_patterns_in_any_case(action, expected):
    assert allows(Action=action) is expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("*", True),
        (APP, True),
        (APP.upper(), False),
        ("arn:aws:ecr:*:*:repository/team-?/*", True),
        ("arn:aws:ecr:eu-*:123456789012:repository/*", False),
        ("arn:aws:ecr:us-east-1:123456789012:repository/team-[ab]/app", False),
        (["arn:aws:ecr:us-east-1:123456789012:repository/other", "arn:aws:ecr:*app"], True),
    ],
)
def test_resources_are_patterns(resource, expected):
    assert allows(Resource=resource) is expected


def test_only_a_star_reaches_what_has_no_arn():
    token = {"action": "ecr:GetAuthorizationToken", "resource": "*", "Action": "ecr:*"}

    assert allows(**token)
    assert not allows(**token, Resource="arn:aws:ecr:*:*:repository/*")


def test_not_action_and_not_resource_mean_the_others():
    others = {"Effect": "Allow", "NotAction": "ecr:Delete*", "NotResource": "*/team-b/*"}
    policy = parse(json.dumps({"Statement": others}))

    def allowed(action, resource):
        return policy.allows(Request(ANN, action, resource, "123456789012"))

    assert allowed("ecr:PutImage", APP)
    assert not allowed("ecr:DeleteRepository", APP)
    assert not allowed("ecr:PutImage", APP.replace("team-a", "team-b"))


def test_variables_count_from_version_2012_on():
    of_the_user = "arn:aws:ecr:*:*:repository/${aws:username}/*"

    assert allows(Resource=of_the_user, username="team-a")
    assert not allows(Resource=of_the_user, username="*")
    assert not allows(Resource=of_the_user, username="team-a", version="2008-10-17")


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", Named.BY_ROLE),
        ({"AWS": "*"}, Named.BY_ROLE),
        ({"AWS": "123456789012"}, Named.BY_ACCOUNT),
        ({"AWS": ["333333333333", "arn:aws:iam::123456789012:root"]}, Named.BY_ACCOUNT),
        ({"AWS": "arn:aws:iam::123456789012:role/ci"}, Named.BY_ROLE),
        ({"AWS": "arn:aws:sts::123456789012:assumed-role/ci/build-7"}, Named.BY_ITSELF),
        ({"AWS": "arn:aws:sts::123456789012:assumed-role/ci/build-8"}, Named.NOT),
        ({"AWS": "arn:aws:iam::123456789012:user/ci"}, Named.NOT),
        ({"Service": "lambda.amazonaws.com"}, Named.NOT),
    ],
)
def test_a_session_is_named_by_itself_its_role_or_its_account(principal, named):
    session = Principal(
        "arn:aws:sts::123456789012:assumed-role/ci/build-7", "123456789012", "arn:aws:iam::123456789012:role/ci"
    )
    policy = parse(json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "ecr:*"}]}))

    assert policy.grant(Request(session, "ecr:PutImage", APP, "123456789012"))[0] is named


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        "[" * 20_000,
        '{"Statement": []}',
        '{"Statement": ["Allow"]}',
        *(
            json.dumps({"Version": "2012-10-17", "Statement": one})
            for one in (
                statement(Effect="allow"),
                statement(Action=[]),
                statement(Action=7, NotAction=7),
                statement(Action="push everything"),
                statement(Principal=[]),
                statement(Principal={"Nobody": "*"}),
                statement(Condition=[]),
                statement(Condition={"Bool": "true"}),
                statement(Colour="red"),
            )
        ),
        json.dumps({"Version": "2012-10-18", "Statement": statement()}),
        json.dumps({"Statements": statement()}),
    ],
)
def test_what_is_no_policy_is_refused(document):
    with pytest.raises(PolicyError):
        parse(document)


texts = st.sampled_from(["*", "ecr:*", "ecr:PutImage", APP, "123456789012", "x", "${x", "[", "\ud800"])
values = st.one_of(texts, st.lists(texts, max_size=2), st.booleans(), st.integers(), st.none())
conditions = st.dictionaries(st.sampled_from(["StringEquals", "Null", "?"]), st.dictionaries(texts, values, max_size=2))
elements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Principal": st.one_of(values, st.dictionaries(st.sampled_from(["AWS", "Service"]), values, min_size=1)),
        "Action": values,
        "Resource": values,
        "Condition": conditions,
        "Sid": texts,
    },
)


@settings(max_examples=150)
@given(st.one_of(elements, st.lists(elements, min_size=1, max_size=2)))
def test_whatever_ecr_takes_can_be_judged(statements):
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    try:
        resource_policy.check(text)
    except InvalidParameterException:
        return

    parse(text).grant(Request(ANN, "ecr:PutImage", APP, "123456789012", {"x": ("y",)}))
