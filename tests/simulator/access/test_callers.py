"""What an access key and a signature say about the one who calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.utils import generate_access_key_id_from_account_id

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.simulator.access.callers import (
    LEARNER_ARN,
    UnrecognizedClientException,
    identify,
    issuing_account,
    read_signature,
)


@given(st.integers(0, 10**12 - 1), st.sampled_from(["AKIA", "ASIA"]))
def test_a_key_says_which_account_gave_it_out(number, prefix):
    account_id = f"{number:012}"

    assert issuing_account(generate_access_key_id_from_account_id(account_id, prefix)) == account_id


@pytest.mark.parametrize("key", [ACCESS_KEY_ID, "test", "", "AKIAIOSFODNN7EXAMPLE", "akiaqaaaaaaaaaaaaaaa", "A" * 21])
def test_other_keys_say_nothing_and_are_the_learners(key):
    assert issuing_account(key) is None
    assert (identify(key).arn, identify(key).is_administrator) == (LEARNER_ARN, True)


def test_a_key_of_the_labs_account_that_its_iam_does_not_know_is_nobodys():
    with pytest.raises(UnrecognizedClientException):
        identify(generate_access_key_id_from_account_id("123456789012", "AKIA"))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic QVdTOng=",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260901/us-east-1/ecr",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260901/../ecr/aws4_request",
        "AWS4-HMAC-SHA256 Credential=AKIA/yesterday/us-east-1/ecr/aws4_request",
    ],
)
def test_what_is_no_signature_names_nobody(authorization):
    assert read_signature(authorization) is None


def test_a_signature_names_key_region_and_service():
    signature = read_signature(
        "AWS4-HMAC-SHA256 Credential=AKIA/20260901/eu-west-1/ecr/aws4_request, SignedHeaders=host, Signature=0"
    )

    assert signature is not None
    assert (signature.access_key, signature.region, signature.service) == ("AKIA", "eu-west-1", "ecr")
