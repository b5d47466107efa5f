"""Errors that learners meet: what each means, its usual causes, and the cure, here and on AWS.

    entry          one explanation, and the page that `lab.why()` prints
    lookup         all explanations, and which of them fits a text
    access, repositories, images, layers, scanning, lifecycle     errors of ECR
    ecr_public                                                    errors of ECR Public
    consumers, ecs, kubernetes, lambda_functions                  errors of the services that pull images
    docker, shell, boto3_client, python_code, kit                 errors of the tools
    any_service    what errors of all AWS services have in common; it is asked last

To add an error, append an `Explanation` to `ENTRIES` of the module of its subject: an id, the part of the text that
never changes as a pattern (`sign`), the text as it is printed (`example`), and the explanation. Add a way to provoke
it to `tests/lessons/provocations.py` under the same id, and write docs/errors.md anew with
`python -m tests.lessons.errors_page`. The first entry whose sign fits is the one, so a special sign stands in a module
before that of a general one.

Sources of the texts: the botocore models, the AWS user guide (common errors when using Amazon ECR), and the public
issue trackers of the clients.
"""
