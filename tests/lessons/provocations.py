"""A way to provoke each error that `lab.why()` explains: id -> code that runs into it on a running lab.

`PYTHON` is run with what `names` returns; it ends in the error: as an exception, in the `failures` of an answer, or as
what a command has `printed`. `SHELL` is run by bash after `LOGGED_IN`, in an empty folder. `QUOTED` are errors that the
lab cannot return; their examples stand for them.
"""

import contextlib
import io
import json
import shutil
import signal
import subprocess
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

import ecrlab
from ecrlab.kubectl.__main__ import main
from ecrlab.lessons.cells import choose
from ecrlab.lessons.explanations.lookup import find
from ecrlab.machine.environment import ACCESS_KEY_ID
from tests.lessons import of_caches, of_keys
from tests.simulator.client import Repository, digest_of, manifest

RULE = {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}}
POLICY = json.dumps({"rules": [RULE | {"action": {"type": "expire"}}]})
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
TRUST = json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}})
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
LOGIN = f"docker login --username AWS --password-stdin {HOST}"
PUBLIC_LOGIN = "docker login --username AWS --password-stdin public.ecr.aws"
ALPINE = "public.ecr.aws/docker/library/alpine:3.22.6"
SMALL = """
printf 'FROM scratch\\nCOPY Dockerfile /\\n' > Dockerfile
build() { docker build -q "$@" . > /dev/null; }
"""

PYTHON = {
    # the lab itself
    "not-simulated": "boto3.client('sts').decode_authorization_message(EncodedMessage='x')",
    "lab-stopped": "lab.stop()\nlab.app('hello')",
    "no-snapshot": "lab.restore()",
    "clock-backwards": "lab.clock.advance(days=-1)",
    "start-argument": "ecrlab.start(at='yesterday')",
    "kit-name-unknown": "ecrlab.quiz('nothing')",
    "kit-error": "lab.edit_policy('app').day = -1",
    # public registries
    "public-login-stale": f"sh('aws ecr-public get-login-password --region us-east-1 | {PUBLIC_LOGIN}')\n"
    f"lab.clock.advance(hours=13)\nprinted = sh('docker pull {ALPINE}')",
    "public-push-anonymous": f"printed = sh('docker pull -q {ALPINE} && docker tag {ALPINE} public.ecr.aws/ab12/app && "
    "docker push public.ecr.aws/ab12/app')",
    "public-denied": "user('ecr:*', 'ecr-public').describe_repositories()",
    "public-token-denied": "user('ecr-public:*', 'ecr-public').get_authorization_token()",
    "throttled": f"lab.limits(public_pulls_per_second=1)\nprinted = sh('for i in 1 2; do docker pull {ALPINE}; done')",
    # login and permissions
    "get-token-denied": "user('ecr:ListImages').get_authorization_token()",
    "denied-resource-silent": "theirs = lab.account('222233334444').client('ecr')\n"
    "theirs.list_images(registryId='123456789012', repositoryName='app')",
    "denied-identity-silent": "user('ecr:ListImages').describe_images(repositoryName='app')",
    "denied-by-resource": "app.set_repository_policy(policyText=statement('Deny', 'ecr:ListImages', Principal='*'))\n"
    "app.list_images()",
    "denied-by-identity": "client = user('ecr:*')\ndenied = statement('Deny', 'ecr:ListImages', Resource='*')\n"
    "lab.client('iam').put_user_policy(UserName='me', PolicyName='guard', PolicyDocument=denied)\n"
    "client.list_images(repositoryName='app')",
    "ecr-denied": "role = 'arn:aws:iam::222233334444:role/OrganizationAccountAccessRole'\n"
    "bound = statement('Allow', 'ecr:ListImages', Resource='*')\n"
    "keys = lab.client('sts').assume_role(RoleArn=role, RoleSessionName='me', Policy=bound)['Credentials']\n"
    "bounded = boto3.Session(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken'])\n"
    "bounded.client('ecr').describe_registry()",
    "access-denied": "user('ecr:ListImages', 'cloudtrail').lookup_events()",
    "unknown-access-key": "client = user('ecr:*')\niam = lab.client('iam')\n"
    "[key] = iam.list_access_keys(UserName='me')['AccessKeyMetadata']\n"
    "iam.delete_access_key(UserName='me', AccessKeyId=key['AccessKeyId'])\nclient.describe_repositories()",
    "wrong-secret": f"boto3.Session('{ACCESS_KEY_ID}', 'x').client('ecr').describe_repositories()",
    "request-not-signed": "boto3.client('ecr', config=unsigned).describe_repositories()",
    "profile-missing": "boto3.Session(profile_name='nobody')",
    "token-expired": f"sh('aws ecr get-login-password | {LOGIN}')\nlab.clock.advance(hours=13)\n"
    f"printed = sh('docker pull {HOST}/app:v1')",
    "login-403": "sh('aws ecr get-login-password > password')\nlab.clock.advance(hours=13)\n"
    f"printed = sh('{LOGIN} < password')",
    # ECS
    "ecs-token-denied": "printed = task('app:v1', role('ecr:BatchGetImage'))['stoppedReason']",
    "ecs-pull-denied": "app.push(b'x', tag='v1')\n"
    "printed = task('app:v1', role('ecr:GetAuthorizationToken'))['stoppedReason']",
    "ecs-platform": "app.push_index(app.push(b'x'), tag='v1')\nprinted = task('app:v1')['stoppedReason']",
    "ecs-image-missing": "printed = task('app:v9')['stoppedReason']",
    "ecs-docker-hub": "printed = task('my-app', host='')['stoppedReason']",
    "ecs-no-route": "printed = task('nginx', host='')['stoppedReason']",
    "ecs-role-missing": "task('app:v1', 'arn:aws:iam::123456789012:role/nobody')",
    "ecs-no-instances": "task('app:v1', launch='EC2')",
    "ecs-exited": 'app.push(b\'x\', tag=\'v1\', config=b\'{"os": "linux", "architecture": "arm64"}\')\n'
    "printed = task('app:v1')['stoppedReason']",
    # pods
    "pod-image-missing": "printed = kubectl('run web --image={host}/app:v9')",
    "pod-pull-denied": "ecr.set_repository_policy(repositoryName='app', "
    "policyText=statement('Deny', 'ecr:BatchGetImage', Principal='*'))\n"
    "printed = kubectl('run web --image={host}/app:v9')",
    "pod-no-credentials": "iam = lab.client('iam')\nkubectl('run first --image={host}/app:v9')\n"
    "iam.detach_role_policy(RoleName='AmazonEKSNodeRole', "
    "PolicyArn='arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly')\n"
    "kubectl('delete pod first')\nprinted = kubectl('run web --image={host}/app:v9')",
    "pod-platform": "app.push_index(app.push(b'x'), tag='v1')\nprinted = kubectl('run web --image={host}/app:v1')",
    "pod-no-route": "printed = kubectl('run web --image=nginx')",
    "pod-image-name": "printed = kubectl('run web --image={host}/App')",
    "pod-never-pulls": "printed = kubectl('run web --image={host}/app:v1 --image-pull-policy=Never')",
    "pod-crashes": 'app.push(b\'x\', tag=\'v1\', config=b\'{"os": "linux", "architecture": "arm64"}\')\n'
    "kubectl('run web --image={host}/app:v1')\nlab.clock.advance(seconds=5)\nprinted = kubectl('get pods')",
    "rollout-stuck": "kubectl('create deployment web --image={host}/app:v9')\nlab.clock.advance(hours=1)\n"
    "printed = kubectl('rollout status deployment/web')",
    "pod-waits": "kubectl('run web --image={host}/app:v9')\nprinted = kubectl('get pods')",
    "kubectl-object-missing": "printed = kubectl('get pod web')",
    "kubectl-lacks": "printed = kubectl('logs web')",
    "kubectl-manifest": "printed = kubectl('run Web --image=app')",
    # replication
    "replication-denied": "ecr.put_replication_configuration(**rules('us-east-1', '222233334444'))\n"
    "app.push(b'x', tag='v1')\nlab.clock.advance(minutes=30)\n"
    "[event] = lab.account('222233334444').client('cloudtrail').lookup_events()['Events']\n"
    "printed = json.loads(event['CloudTrailEvent'])['errorMessage']",
    "replication-to-itself": "ecr.put_replication_configuration(**rules('us-east-1'))",
    "replication-filter": "[rule] = rules('eu-west-1')['replicationConfiguration']['rules']\n"
    "rule['repositoryFilters'] = [{'filter': 'bike/*', 'filterType': 'PREFIX_MATCH'}]\n"
    "ecr.put_replication_configuration(replicationConfiguration={'rules': [rule]})",
    "replication-region": "ecr.put_replication_configuration(**rules('eu-west-9'))",
    "backfill-destination": "ecr.start_replication_backfill(destination=place('eu-west-1'))",
    "backfill-running": "ecr.put_replication_configuration(**rules('eu-west-1'))\n"
    "for _ in 'ab':\n    ecr.start_replication_backfill(destination=place('eu-west-1'))",
    "backfill-over": "ecr.put_replication_configuration(**rules('eu-west-1'))\n"
    "started = ecr.start_replication_backfill(destination=place('eu-west-1'))['replicationBackfillId']\n"
    "for _ in 'ab':\n    ecr.stop_replication_backfill(replicationBackfillId=started)",
    "backfill-missing": "ecr.describe_replication_backfill_results(replicationBackfillId=unknown)",
    "template-exists": "for _ in 'ab':\n"
    "    ecr.create_repository_creation_template(prefix='ROOT', appliedFor=['REPLICATION'])",
    "template-missing": "ecr.delete_repository_creation_template(prefix='prod')",
    **of_caches.PYTHON,
    # scans
    "scan-unsupported": "app.push_index(app.push(b'x'), tag='v1')\napp.start_image_scan(imageId={'imageTag': 'v1'})",
    "scan-unjudged": "app.push(tag='v1')\napp.start_image_scan(imageId={'imageTag': 'v1'})\n"
    "found = app.describe_image_scan_findings(imageId={'imageTag': 'v1'})\n"
    "printed = found['imageScanStatus']['description']",
    "scan-enhanced": "ecr.put_registry_scanning_configuration(scanType='ENHANCED')\napp.push(b'x', tag='v1')\n"
    "app.start_image_scan(imageId={'imageTag': 'v1'})",
    "waiter-failed": "app.push(b'x', tag='v1')\napp.start_image_scan(imageId={'imageTag': 'v1'})\n"
    "waiter = ecr.get_waiter('image_scan_complete')\n"
    "waiter.wait(repositoryName='app', imageId={'imageTag': 'v1'}, WaiterConfig={'MaxAttempts': 1})",
    "scan-missing": "app.push(b'x', tag='v1')\napp.describe_image_scan_findings(imageId={'imageTag': 'v1'})",
    "scan-quota": "app.push(b'x', tag='v1')\nfor _ in 'ab':\n    app.start_image_scan(imageId={'imageTag': 'v1'})",
    # lifecycle policies
    "lifecycle-invalid": "app.put_lifecycle_policy(lifecyclePolicyText=json.dumps({'rules': [], 'pad': 'x' * 100}))",
    "lifecycle-too-short": "app.put_lifecycle_policy(lifecyclePolicyText='{}')",
    "lifecycle-missing": "app.get_lifecycle_policy()",
    "preview-missing": "app.get_lifecycle_policy_preview()",
    "preview-in-progress": "for _ in 'ab':\n    app.start_lifecycle_policy_preview(lifecyclePolicyText=policy)",
    # images and tags
    "tag-immutable": "ecr.put_image_tag_mutability(repositoryName='app', imageTagMutability='IMMUTABLE')\n"
    "for body in (b'x', b'y'):\n    app.push(body, tag='v1')",
    "image-exists": "for _ in 'ab':\n    app.push(b'x', tag='v1')",
    "tag-and-digest-differ": "old = app.push(b'x')\napp.push(b'y', tag='v1')\n"
    "app.batch_get_image(imageIds=[{'imageTag': 'v1', 'imageDigest': old}])",
    "image-id-invalid": "app.batch_get_image(imageIds=[{'imageDigest': 'sha256:abc'}])",
    "image-referenced": "child = app.push(b'x')\napp.push_index(child)\n"
    "app.batch_delete_image(imageIds=[{'imageDigest': child}])",
    "image-archived": "app.push(b'x', tag='v1')\n"
    "app.update_image_storage_class(imageId={'imageTag': 'v1'}, targetStorageClass='ARCHIVE')\n"
    "app.batch_get_image(imageIds=[{'imageTag': 'v1'}])",
    "storage-class-refused": "app.push(b'x', tag='v1')\n"
    "app.update_image_storage_class(imageId={'imageTag': 'v1'}, targetStorageClass='STANDARD')",
    "digest-mismatch": "body = manifest(b'x')\napp.push(b'x')\n"
    "app.put_image(imageManifest=body, imageTag='v1', imageDigest=digest_of(b'other'))",
    "children-missing": "app.push_index(digest_of(b'nothing'))",
    "layers-missing": "app.put(manifest(b'nothing'))",
    "manifest-invalid": "app.put('{')",
    "image-missing": "app.describe_images(imageIds=[{'imageTag': 'v1'}])",
    "no-bytes": f"lab.load('a-year-of-ci')\nsh('aws ecr get-login-password | {LOGIN}')\n"
    f"printed = sh('docker pull {HOST}/bike/stock')",
    # layers and uploads
    "upload-missing": "app.complete_layer_upload(uploadId=unknown, layerDigests=[digest_of(b'x')])",
    "layer-part-misplaced": "send(5, b'x')",
    "layer-part-too-small": "send(0, b'x')\nsend(1, b'y')\n"
    "app.complete_layer_upload(uploadId=upload, layerDigests=[digest_of(b'xy')])",
    "layer-digest-mismatch": "send(0, b'x')\n"
    "app.complete_layer_upload(uploadId=upload, layerDigests=[digest_of(b'other')])",
    "upload-empty": "app.complete_layer_upload(uploadId=upload, layerDigests=[digest_of(b'')])",
    "layer-exists": "app.push(b'x')\nsend(0, b'x')\n"
    "app.complete_layer_upload(uploadId=upload, layerDigests=[digest_of(b'x')])",
    "layer-inaccessible": "app.get_download_url_for_layer(layerDigest=app.layer(b'x'))",
    "layer-missing": "app.batch_check_layer_availability(layerDigests=['abc'])",
    # repositories
    "repository-missing": "ecr.list_images(repositoryName='nope')",
    "repository-exists": "ecr.create_repository(repositoryName='app')",
    "repository-not-empty": "app.push(b'x')\napp.delete_repository()",
    "repository-name-invalid": "ecr.create_repository(repositoryName='My-App')",
    "repository-policy-missing": "app.get_repository_policy()",
    "registry-policy-missing": "ecr.get_registry_policy()",
    "policy-text-invalid": "app.set_repository_policy(policyText='{}')",
    "resource-tags-invalid": "ecr.create_repository(repositoryName='web', tags=[{'Key': 'aws:x', 'Value': 'y'}])",
    # Lambda
    "lambda-image-kind": "app.push_index(app.push(b'x'), tag='v1')\nfunction()",
    "lambda-image-missing": "function()",
    "lambda-image-invalid": "function('')",
    "lambda-no-access": "app.push(b'x', tag='v1')\nclient = user('lambda:*', 'lambda')\nfunction(client=client)",
    "lambda-image-deleted": "app.push(b'x', tag='v1')\nfunction()\n"
    "app.batch_delete_image(imageIds=[{'imageTag': 'v1'}])\nprinted = state()",
    "lambda-image-denied": "app.push(b'x', tag='v1')\nfunction()\napp.delete_repository_policy()\nprinted = state()",
    "lambda-failed": "app.push(b'x', tag='v1')\nfunction()\napp.delete_repository(force=True)\n"
    "lab.client('lambda').invoke(FunctionName='hello')",
    "lambda-not-run": "app.push(b'x', tag='v1')\nfunction()\nlab.client('lambda').invoke(FunctionName='hello')",
    "lambda-package-type": "function(PackageType='Zip')",
    "lambda-role": "function(Role='arn:aws:iam::123456789012:role/nobody')",
    # ECR Public
    "public-region": "boto3.client('ecr-public', region_name='eu-west-1').describe_registries()",
    "public-registry-missing": "public.initiate_layer_upload(registryId='z9z9z9z9', repositoryName='web')",
    "public-alias-missing": f"sh('aws ecr-public get-login-password --region us-east-1 | {PUBLIC_LOGIN}')\n"
    f"printed = sh('docker pull -q {ALPINE} && docker tag {ALPINE} public.ecr.aws/web:v1 && "
    "docker push public.ecr.aws/web:v1').splitlines()[-1]",
    "public-repository-missing": "printed = sh('docker pull public.ecr.aws/library/debian')",
    "logo-invalid": "public.create_repository(repositoryName='web', catalogData={'logoImageBlob': b'GIF89a'})",
    "catalog-data-invalid": "public.put_registry_catalog_data(displayName='x' * 101)",
    **of_keys.PYTHON,
    # boto3
    "no-endpoint": "boto3.client('ecr', endpoint_url='http://127.0.0.1:9', config=impatient).describe_repositories()",
    "dots-not-filled": "ecr.create_repository(repositoryName=...)",
    "parameter-missing": "ecr.list_images()",
    "parameter-unknown": "ecr.list_images(repositoryName='app', repository_name='app')",
    "parameter-type": "app.describe_images(imageIds='v1')",
    "positional-arguments": "ecr.list_images('app')",
    "parameter-range": "app.batch_get_image(imageIds=[{'imageTag': ''}])",
    "service-unknown": "boto3.client('erc')",
    "client-method-missing": "ecr.list_image",
    "not-pageable": "ecr.get_paginator('put_image')",
    # Python
    "lab-not-started": "del lab\nlab",
    "name-missing": "nothing",
    "syntax": "exec('x = (')",
    "module-missing": "import boto",
    "file-missing-python": "open('policy.json')",
    "json-invalid": "json.loads('')",
    "key-missing": "{}['imageTags']",
    "index-missing": "app.describe_images()['imageDetails'][0]",
    "attribute-missing": "app.describe_images().imageDetails",
    "argument-unknown": "ecrlab.start(sede=7)",
    "type-wrong": "app.describe_images()['imageDetails']['imageTags']",
    "value-wrong": "[image] = app.describe_images()['imageDetails']",
    "interrupted": "signal.default_int_handler(signal.SIGINT, None)",
    # any service
    "policy-document-malformed": "boto3.client('iam').create_policy(PolicyName='p', PolicyDocument='{')",
    "exists": "for _ in 'ab':\n    boto3.client('iam').create_user(UserName='ann')",
    "missing": "boto3.client('iam').get_role(RoleName='nope')",
    "limit": "app.push(b'x')\nfor number in range(1001):\n    app.put(manifest(b'x'), f'v{number}')",
    "invalid": "app.describe_images(nextToken='x')",
    "service-failed": "shutil.rmtree(lab._folder.path / 'state')\n"
    "boto3.client('ecr', config=impatient).describe_repositories()",
}

BARE = (
    "HTTPS_PROXY=http://127.0.0.1:9 AWS_EC2_METADATA_DISABLED=true "
    "AWS_CONFIG_FILE=nope AWS_SHARED_CREDENTIALS_FILE=nope env"
)
"""A shell's command without a configuration, and with no way to AWS."""

LOGGED_IN = f"{SMALL}aws ecr get-login-password | {LOGIN} > /dev/null 2>&1\n"

SHELL = {
    "public-login-refused": f"aws ecr get-login-password | {PUBLIC_LOGIN}",
    "no-lab": f"unset ECRLAB_ENDPOINT; docker pull {HOST}/app:v1",
    "no-basic-auth": f"docker logout {HOST} > /dev/null; docker pull {HOST}/app:v1",
    "login-without-password": f"printf '' | {LOGIN}",
    "login-400": f"aws ecr get-login-password --region eu-west-1 | {LOGIN}",
    "exec-format": "printf '\\177ELF\\2\\1\\1' > program; head -c 60 /dev/zero >> program; chmod +x program; ./program",
    "docker-image-missing": f"docker push {HOST}/nope:v1",
    "docker-hub": "build -t web; docker push web",
    "foreign-registry": "docker pull ghcr.io/a/b",
    "platform-missing": f"build --platform linux/amd64,linux/arm64 -t {HOST}/app:v1; docker push -q {HOST}/app:v1; "
    f"docker pull --platform linux/s390x {HOST}/app:v1",
    "needs-engine": "docker run hello",
    "image-name-invalid": "build -t My-App",
    "dockerfile-missing": "rm Dockerfile; build -t app",
    "dockerfile-invalid": "echo COPPY a b >> Dockerfile; build -t app",
    "copy-missing": "echo COPY nothing / >> Dockerfile; build -t app",
    "docker-usage": "docker images --tags",
    "layer-not-sent": f"build -t {HOST}/app:v1; docker push -q {HOST}/app:v1; docker push {HOST}/app:v1 >&2",
    "cli-unknown-option": "aws ecr get-login-password --regoin us-east-1",
    "cli-missing-option": "aws ecr list-images",
    "cli-invalid-choice": "aws ecr list-imagess",
    "cli-file-missing": "aws ecr put-lifecycle-policy --repository-name app --lifecycle-policy-text file://nope.json",
    "cli-json-invalid": "aws ecr batch-get-image --repository-name app --image-ids '{bad'",
    "cli-value-invalid": "aws ecr batch-get-image --repository-name app --image-ids v1",
    "cli-query-invalid": "aws ecr describe-repositories --query 'a['",
    "region-missing": f"{BARE} -u AWS_REGION -u AWS_DEFAULT_REGION -u AWS_ENDPOINT_URL aws ecr describe-repositories",
    "no-region-client": f"{BARE} -u AWS_REGION -u AWS_DEFAULT_REGION python3 -c 'import boto3; boto3.client(\"ecr\")'",
    "no-credentials": f"{BARE} -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY aws ecr describe-repositories",
    "command-missing": "dokcer images",
    "shell-syntax": 'eval "echo \'open"',
    "file-missing": "cat policy.json",
}

CELL = {"exit-usage": 252, "exit-configuration": 253, "exit-aws": 254, "exit-other": 3}
"""Exit status of a cell of shell that prints nothing."""

QUOTED = {
    "docker-daemon",
    "lambda-image-too-large",
    "cannot-pull",
    "ecs-look-further",
    "pod-secret-missing",
}
"""Errors that the lab cannot return."""


def sh(command: str) -> str:
    """Run a command and return what it prints on stderr."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True).stderr


def statement(effect: str, action: str, **more: str) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action, **more}})


def names(lab: ecrlab.Lab) -> dict[str, Any]:
    """Return the names that the code of `PYTHON` uses: a repository `app` and an open upload of it among them."""
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="app")
    app = Repository(ecr, "app")
    upload = app.initiate_layer_upload()["uploadId"]

    def send(first: int, part: bytes) -> None:
        last = first + len(part) - 1
        app.upload_layer_part(uploadId=upload, partFirstByte=first, partLastByte=last, layerPartBlob=part)

    def user(action: str, service: str = "ecr") -> Any:
        iam = lab.client("iam")
        iam.create_user(UserName="me")
        allowed = statement("Allow", action, Resource="*")
        iam.put_user_policy(UserName="me", PolicyName="p", PolicyDocument=allowed)
        key = iam.create_access_key(UserName="me")["AccessKey"]
        return lab.client(service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

    def place(region: str, account: str = lab.account_id) -> dict[str, str]:
        return {"region": region, "registryId": account}

    def rules(*where: str) -> dict[str, Any]:
        return {"replicationConfiguration": {"rules": [{"destinations": [place(*where)]}]}}

    def role(action: str) -> str:
        iam = lab.client("iam")
        arn = iam.create_role(RoleName="pull", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.put_role_policy(RoleName="pull", PolicyName="p", PolicyDocument=statement("Allow", action, Resource="*"))
        return str(arn)

    def task(image: str, role: str = EXECUTION_ROLE, *, launch: str = "FARGATE", host: str = f"{HOST}/") -> Any:
        ecs = lab.client("ecs")
        ecs.create_cluster()
        container = {"name": "web", "image": host + image, "memory": 64}
        ecs.register_task_definition(family="web", containerDefinitions=[container], executionRoleArn=role)
        return ecs.run_task(taskDefinition="web", launchType=launch)["tasks"][0]

    def kubectl(line: str) -> str:
        """Run kubectl; return what it printed, or the events of the pod that it made and that does not run."""
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            main(line.format(host=HOST).split())
            if line.startswith("run ") and "created" in heard.getvalue():
                main(["describe", "pod", line.split()[1]])
        lines = heard.getvalue().splitlines()
        return str(choose(None, [one for one in lines if find(one)]))

    kms = lab.client("kms")

    def encrypted(key: str = "") -> tuple[str, Repository]:
        key = key or kms.create_key()["KeyMetadata"]["Arn"]
        encryption = {"encryptionType": "KMS", "kmsKey": key}
        ecr.create_repository(repositoryName="secret", encryptionConfiguration=encryption)
        return key, Repository(ecr, "secret")

    def function(tag: str = ":v1", client: Any = None, **more: Any) -> None:
        role = lab.client("iam").create_role(RoleName="hello", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        members = {"FunctionName": "hello", "Role": role, "PackageType": "Image"} | more
        (client or lab.client("lambda")).create_function(Code={"ImageUri": f"{HOST}/app{tag}"}, **members)

    def state() -> str:
        told = lab.client("lambda").get_function_configuration(FunctionName="hello")
        return str(told["StateReason"])

    given = of_caches.names(lab)
    given |= {"kms": kms, "encrypted": encrypted, "place": place, "rules": rules, "statement": statement}
    given |= {"role": role, "task": task, "function": function, "state": state, "kubectl": kubectl}
    given |= {"ecr": ecr, "app": app, "lab": lab, "upload": upload, "send": send, "user": user, "sh": sh}
    given |= {"public": lab.client("ecr-public"), "policy": POLICY, "unknown": "00000000-0000-4000-8000-000000000000"}
    given |= {"unsigned": Config(signature_version=UNSIGNED), "impatient": Config(retries={"max_attempts": 0})}
    given |= {"manifest": manifest, "digest_of": digest_of, "json": json, "shutil": shutil, "signal": signal}
    return given | {"ecrlab": ecrlab, "boto3": boto3}
