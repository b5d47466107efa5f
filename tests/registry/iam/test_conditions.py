"""Conditions: each operator against values that fit and do not, and keys that are not there."""

import pytest

from ecrlab.registry.iam.conditions import Condition


def holds(operator, wanted, *values, variables=False, unknown=False, **context):
    facts = {name.replace("_", ":"): (value,) for name, value in context.items()}
    if values:
        facts["key"] = values
    return Condition(operator, "key", tuple(wanted)).holds(facts, variables=variables, unknown=unknown)


@pytest.mark.parametrize(
    ("operator", "wanted", "fits", "fits_not"),
    [
        ("StringEquals", ["prod", "test"], "test", "Test"),
        ("StringNotEquals", ["prod", "test"], "dev", "test"),
        ("StringEqualsIgnoreCase", ["Prod"], "pROD", "prods"),
        ("StringNotEqualsIgnoreCase", ["Prod"], "prods", "PROD"),
        ("StringLike", ["team-?/*"], "team-a/web", "team-ab/web"),
        ("StringNotLike", ["team-*"], "web", "team-a"),
        ("StringLike", ["[ab]"], "[ab]", "a"),
        ("ArnLike", ["arn:aws:iam::*:role/ci-*"], "arn:aws:iam::123456789012:role/ci-7", "arn:aws:iam::1:user/x"),
        ("ArnEquals", ["arn:aws:iam::*:*"], "arn:aws:iam::1:role/x", "arn:aws:iam:eu:1:role/x"),
        ("ArnNotLike", ["arn:aws:iam::1:role/*"], "arn:aws:iam::2:role/x", "arn:aws:iam::1:role/x"),
        ("Bool", ["true"], "True", "false"),
        ("IpAddress", ["10.0.0.0/8", "127.0.0.1"], "10.1.2.3", "192.0.2.1"),
        ("NotIpAddress", ["10.0.0.0/8"], "127.0.0.1", "10.1.2.3"),
        ("IpAddress", ["2001:db8::/32"], "2001:db8::1", "10.1.2.3"),
        ("NumericLessThanEquals", ["10"], "10", "10.5"),
        ("NumericGreaterThan", ["10"], "11", "ten"),
        ("NumericNotEquals", ["10"], "11", "10.0"),
        ("DateLessThan", ["2026-12-01T00:00:00Z"], "2026-11-30T23:59:59+00:00", "2026-12-01T00:00:00+00:00"),
        ("DateGreaterThan", ["1764547200"], "2026-01-01", "2025-01-01T00:00:00Z"),
        ("BinaryEquals", ["QmluYXJ5"], "QmluYXJ5", "YmluYXJ5"),
    ],
)
def test_operators(operator, wanted, fits, fits_not):
    assert holds(operator, wanted, fits)
    assert not holds(operator, wanted, fits_not)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("StringNotEquals", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_key_that_is_not_there(operator, expected):
    assert holds(operator, ["true"]) is expected


@pytest.mark.parametrize(("wanted", "there", "expected"), [
    ("true", False, True), ("true", True, False), ("false", False, False), ("false", True, True),
])  # fmt: skip
def test_null_asks_whether_a_key_is_missing(wanted, there, expected):
    assert holds("Null", [wanted], *(["x"] if there else [])) is expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["c", "d"], False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["c", "b"], False),
        ("ForAnyValue:StringNotEquals", ["c", "b"], True),
    ],
)
def test_keys_of_many_values(operator, values, expected):
    assert holds(operator, ["a", "b"], *values) is expected


@pytest.mark.parametrize(
    "operator", ["StringResembles", "stringequals", "ForSomeValue:StringEquals", "NullIfExists", ""]
)
def test_an_operator_that_iam_does_not_have_never_opens_a_door(operator):
    # A statement that allows does not count, one that denies does.
    assert holds(operator, ["x"], "x", unknown=False) is False
    assert holds(operator, ["x"], "x", unknown=True) is True


def test_variables_are_filled_in_literally():
    assert holds("StringEquals", ["${aws:username}"], "ann", variables=True, aws_username="ann")
    assert not holds("StringLike", ["${aws:username}/web"], "ann/web", variables=True, aws_username="*")
    assert holds("StringEquals", ["${aws:username}"], "${aws:username}", aws_username="ann")
    assert holds("StringEquals", ["${aws:PrincipalTag/team, 'none'}"], "none", variables=True)
    assert not holds("StringEquals", ["${aws:PrincipalTag/team}"], "", variables=True)
    assert holds("StringLike", ["${*}${?}${$}"], "*?$", variables=True)
