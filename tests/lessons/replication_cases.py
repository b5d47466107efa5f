"""Cases of the exercises of lesson 07."""

from ecrlab.lessons import exercises
from tests.lessons.case import HOST, LOGIN, Case

CELLS = """
import boto3

def place(region, account="123456789012"):
    return {"region": region, "registryId": account}

def rule(name, *places, deletes=False):
    filters = [{"filter": name, "filterType": "PREFIX_MATCH"}] if name else []
    made = {"destinations": list(places), "deleteReplication": {"enabled": deletes}}
    return made | ({"repositoryFilters": filters} if filters else {})

def put(*rules):
    ecr.put_replication_configuration(replicationConfiguration={"rules": list(rules)})

def backfill(there):
    answer = ecr.start_replication_backfill(destination=there)
    while answer["status"] not in ("COMPLETE", "FAILED"):
        number = answer["replicationBackfillId"]
        answer = ecr.describe_replication_backfill_results(replicationBackfillId=number)

IRELAND, FRANKFURT, SYDNEY = place("eu-west-1"), place("eu-central-1"), place("ap-southeast-2")
BACKUP = place("us-east-1", "222233334444")
LESSON = [rule("my-app", IRELAND, deletes=True), rule("my-app", BACKUP)]
put(*LESSON)
"""

MY_APP = f"""{LOGIN}aws ecr create-repository --repository-name my-app --image-tag-mutability IMMUTABLE
    docker build -q -t {HOST}/my-app:v1 . && docker push -q {HOST}/my-app:v1
    echo '#' >> app.py
    docker build -q -t {HOST}/my-app:v2 . && docker push -q {HOST}/my-app:v2"""


def shop(*rules):
    """Python that puts rules; the check is there so that it is run as a cell."""
    return f"put({', '.join(rules)})\nlab.check('copy-the-shop')"


def sydney(*lines, mode="IMMUTABLE"):
    """Python that makes the repository in Sydney, and does more."""
    made = "sydney = boto3.client('ecr', region_name='ap-southeast-2')\n"
    made += f"sydney.create_repository(repositoryName='my-app', imageTagMutability='{mode}')\n"
    return made + "\n".join([*lines, "lab.check('to-sydney')"])


RULE = "put(*LESSON, rule('my-app', SYDNEY))"
BACKFILL = "backfill(SYDNEY)"
LEDGER = exercises.find("outlive-the-original").solution
BUILD = f"""{LOGIN}aws ecr create-repository --repository-name ledger
    docker build -q -t {HOST}/ledger:v1 . && docker push -q {HOST}/ledger:v1"""

CASES = {
    "copy-the-shop": Case(
        scene="true",
        cells=CELLS,
        wrong={
            "no rule copies bike/stock to eu-west-1": "true",
            "no rule copies bike/stock to eu-central-1": shop("*LESSON", "rule('bike/', IRELAND)"),
            "no rule copies bike/search to eu-west-1": shop("*LESSON", "rule('bike/stock', IRELAND, FRANKFURT)"),
            "no rule copies bike/a-new-one": shop(
                "*LESSON", "rule('bike/stock', IRELAND, FRANKFURT)", "rule('bike/search', IRELAND, FRANKFURT)"
            ),
            "deletions in bike/stock are copied to eu-central-1": shop(
                "*LESSON", "rule('bike/', IRELAND)", "rule('bike/', FRANKFURT, deletes=True)"
            ),
            "also copies a repository named bikes": shop("*LESSON", "rule('bike', IRELAND, FRANKFURT)"),
            "also copies a repository named bikes: ": shop("*LESSON", "rule('', IRELAND, FRANKFURT)"),
            "my-app is not copied to eu-west-1 in 123456789012, as in the section “A rule”": shop(
                "rule('bike/', IRELAND, FRANKFURT)"
            ),
            "my-app is not copied to us-east-1 in 222233334444, as in the section “A backup in another account”": shop(
                "LESSON[0]", "rule('bike/', IRELAND, FRANKFURT)"
            ),
        },
        right=(shop("rule('bike/', IRELAND)", "*LESSON", "rule('bike/', FRANKFURT)"),),
    ),
    "to-sydney": Case(
        app="my-app",
        scene=MY_APP,
        cells=CELLS,
        wrong={
            "ap-southeast-2 has no repository my-app": "true",
            "tags of my-app may move in ap-southeast-2": f"{RULE}\n{BACKFILL}\nlab.check('to-sydney')",
            "ap-southeast-2 lacks v1": sydney(RULE),
            "no rule copies what is pushed to my-app from now on": sydney(RULE, BACKFILL, "put(*LESSON)"),
            "my-app is not copied to eu-west-1 in 123456789012": sydney("put(rule('my-app', SYDNEY))", BACKFILL),
            "my-app is not copied to us-east-1 in 222233334444": sydney(
                "put(rule('my-app', IRELAND, SYDNEY))", BACKFILL
            ),
            "v1 is another image in ap-southeast-2": sydney(
                RULE,
                BACKFILL,
                "sydney.batch_delete_image(repositoryName='my-app', imageIds=[{'imageTag': 'v1'}])",
                "[two] = sydney.batch_get_image(repositoryName='my-app', imageIds=[{'imageTag': 'v2'}])['images']",
                "sydney.put_image(repositoryName='my-app', imageManifest=two['imageManifest'], imageTag='v1')",
            ),
        },
        right=(
            "sydney = boto3.client('ecr', region_name='ap-southeast-2')\n"
            "sydney.create_repository_creation_template(\n"
            "    prefix='ROOT', appliedFor=['REPLICATION'], imageTagMutability='IMMUTABLE')\n"
            f"{RULE}\n{BACKFILL}\nlab.check('to-sydney')",
        ),
    ),
    "outlive-the-original": Case(
        app="my-app",
        scene="true",
        cells=CELLS,
        wrong={
            "there is no repository named ledger": "true",
            "eu-west-1 has no repository ledger": BUILD,
            "ledger has no v2 in eu-west-1": LEDGER.replace("/ledger:v2", "/ledger:v3").replace("=v2", "=v3"),
            "v1 and v2 are the same image: change": BUILD
            + f"\ndocker tag {HOST}/ledger:v1 {HOST}/ledger:v2 && docker push -q {HOST}/ledger:v2",
            "v1 and v2 are the same image": LEDGER.replace("echo '# second release' >> app.py", "true"),
            "us-east-1 still has v1": LEDGER.replace("aws ecr batch-delete-image", "true"),
            "v2 of ledger is not the same image in both": LEDGER + "aws ecr batch-delete-image "
            "--repository-name ledger --image-ids imageTag=v2",
            "no rule copies ledger": LEDGER + "aws ecr put-replication-configuration "
            "--replication-configuration '{\"rules\": []}'",
        },
        right=(
            LEDGER.replace('"ledger", "filterType"', '"led", "filterType"'),
            LEDGER + "aws ecr put-image-tag-mutability --region eu-west-1 --repository-name ledger "
            "--image-tag-mutability IMMUTABLE",
        ),
    ),
}
