"""Errors of Kubernetes about images: the states and events of pods, and what kubectl refuses.

`kubectl describe pod` shows the events; the one that begins with `Failed to pull image` has the reason.
"""

from ecrlab.lessons.explanations.entry import Explanation

_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app"
_RESOLVE = (
    f'Failed to pull image "{_IMAGE}:v9": failed to pull and unpack image "{_IMAGE}:v9": failed to resolve reference '
    f'"{_IMAGE}:v9": '
)

ENTRIES = (
    Explanation(
        "pod-image-missing",
        r"(failed to resolve reference|Failed to pull image) (?!.*no match for platform).*: not found",
        f"{_RESOLVE}{_IMAGE}:v9: not found",
        "ECR has no such image: the repository, the tag or the digest does not exist, or the image is archived.",
        (
            "the tag was never pushed, or has a typing mistake",
            "a lifecycle policy deleted the image",
            "the name has the wrong account, Region or repository",
        ),
        "aws ecr describe-images shows what is there; kubectl set image gives the pod another. After a push the node "
        "tries again within five minutes of the lab's clock.",
        "The same; protect what runs from lifecycle policies: python3 -m ecrlab report --running.",
    ),
    Explanation(
        "pod-pull-denied",
        r"failed to (resolve reference|pull and unpack image) .*403 Forbidden",
        f"{_RESOLVE}unexpected status from HEAD request to https://…/v2/my-app/manifests/v9: 403 Forbidden",
        "The node logged in to ECR, and may not pull this image. Kubernetes shows neither the role nor the action.",
        (
            "the role of the node lacks ecr:BatchGetImage; or ecr:GetDownloadUrlForLayer, if the address is a blob's",
            "the repository belongs to another account, and its policy does not name this one",
            "the repository's KMS key cannot be used",
        ),
        "lab.trail() has the refused call, with role and reason; the role is AmazonEKSNodeRole, or the node_role of "
        "ecrlab.start().",
        "CloudTrail has the refused BatchGetImage. The node needs the policy AmazonEC2ContainerRegistryPullOnly.",
    ),
    Explanation(
        "pod-no-credentials",
        r"(failed to resolve reference|Failed to pull image) .*no basic auth credentials",
        f"{_RESOLVE}pull access denied, repository does not exist or may require authorization: authorization failed: "
        "no basic auth credentials",
        "The node has no password for the registry: GetAuthorizationToken was refused, so it pulled without one.",
        (
            "the role of the node lacks ecr:GetAuthorizationToken, or does not exist",
            "on AWS: the kubelet's ecr-credential-provider is missing, or the node cannot reach ECR's API",
        ),
        "Attach AmazonEC2ContainerRegistryPullOnly to the role of the node.",
        "The same. A Secret with an ECR password ends after 12 hours; the role does not.",
    ),
    Explanation(
        "pod-platform",
        r"no match for platform in manifest",
        f'failed to pull and unpack image "{_IMAGE}:v1": no match for platform in manifest: not found',
        "The tag names an index, and none of its images is for the processor of the node.",
        ("the image was built on a computer with another processor, such as a Mac with Apple silicon",),
        "docker build --platform linux/amd64,linux/arm64 -t … . and push again.",
        "The same, or nodes with that processor.",
    ),
    Explanation(
        "pod-no-route",
        r"failed to resolve reference .*failed to do request",
        'failed to resolve reference "docker.io/library/nginx:latest": failed to do request: Head '
        '"https://registry-1.docker.io/v2/…": dial tcp: lookup registry-1.docker.io: no such host',
        "The node cannot reach the registry.",
        (
            "in the lab: the registry is not ECR's, and the lab reaches no other; no host means Docker Hub",
            "on AWS: a node in a private subnet without a NAT gateway or VPC endpoints",
        ),
        "Write the whole URI of the image in ECR, or take it from public.ecr.aws/docker/library.",
        "A NAT gateway, or VPC endpoints for ecr.api, ecr.dkr and S3.",
    ),
    Explanation(
        "pod-image-name",
        r"InvalidImageName|Failed to apply default image tag",
        'Failed to apply default image tag "My-App:v1": couldn\'t parse image name "My-App:v1": invalid reference '
        "format: repository name (library/My-App) must be lowercase",
        "The name of the image is malformed, so the node asks no registry. It stays so until the pod is changed.",
        (
            "capital letters, https:// in front, or two slashes",
            "a variable of a template was empty or was not replaced",
        ),
        "kubectl set image, or kubectl apply with the corrected file.",
        "The same.",
    ),
    Explanation(
        "pod-never-pulls",
        r"ErrImageNeverPull|is not present with pull policy of Never",
        f'Container image "{_IMAGE}:v1" is not present with pull policy of Never',
        "imagePullPolicy: Never forbids the pull, and the node does not have the image.",
        ("the policy was meant for images that were loaded onto the node by hand",),
        "imagePullPolicy: IfNotPresent.",
        "The same.",
    ),
    Explanation(
        "pod-crashes",
        r"CrashLoopBackOff|Back-off restarting failed container",
        "Back-off restarting failed container web in pod web_default(…)",
        "The image was pulled and the container started, and then its program ended. The node starts it again, later "
        "each time, at most after five minutes.",
        (
            "the image is for another processor: its log says exec format error",
            "on AWS: the program ended or crashed",
        ),
        "The lab runs no program, so here it is always the processor: docker build --platform linux/amd64.",
        "kubectl logs --previous shows what the program said.",
    ),
    Explanation(
        "pod-secret-missing",
        r"Unable to retrieve some image pull secrets",
        "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
        "imagePullSecrets names a Secret that does not exist in this namespace. The node pulls without it.",
        ("a manifest was copied from a cluster that pulls with a password",),
        "ECR needs none: the node pulls with its role. Take imagePullSecrets out; the lab has no Secrets.",
        "The same; or create the Secret, and renew it within 12 hours.",
        follows=True,
    ),
    Explanation(
        "rollout-stuck",
        r"exceeded its progress deadline|Waiting for deployment \S+ rollout to finish",
        'error: deployment "web" exceeded its progress deadline',
        "A rolling update does not go on: the new pods do not run. The old ones go on running.",
        ("the new image cannot be pulled",),
        "kubectl get pods, then kubectl describe pod of one that does not run; kubectl set image with an image that "
        "exists ends it.",
        "The same, or kubectl rollout undo.",
        follows=True,
    ),
    Explanation(
        "pod-waits",
        r"ErrImagePull|ImagePullBackOff|Back-off pulling image|Failed to pull image",
        'Back-off pulling image "my-app:v9"',
        "The node could not pull the image, and tries again after 10, 20, 40 … and at most 300 seconds.",
        ("many; the event that begins with Failed to pull image has the reason",),
        'kubectl describe pod … shows the events; give that text to lab.why("…").',
        "The same. Events are kept for an hour; a pod that waits tells them again every five minutes.",
        follows=True,
    ),
    Explanation(
        "kubectl-object-missing",
        r"Error from server \(NotFound\)",
        'Error from server (NotFound): pods "web" not found',
        "The cluster has no object of that kind and name.",
        (
            "a pod of a deployment has another name after each restart",
            "it was not created yet, or in another namespace; the lab has only default",
            "a new lab begins without pods",
        ),
        "kubectl get pods,deployments shows what is there.",
        "The same, with -A for all namespaces.",
    ),
    Explanation(
        "kubectl-lacks",
        r"the lab's kubectl (lacks|knows|has|describes|does not|can)|server doesn't have a resource type",
        "error: the lab's kubectl lacks logs; it has apply, …",
        "The lab's kubectl is a small one: pods, deployments and their events, for what they say about images.",
        ("a command or a kind of object that the lab does not have", "a typing mistake"),
        "kubectl --help lists what it has.",
        "A real cluster has it.",
    ),
    Explanation(
        "kubectl-manifest",
        r"^The (Pod|Deployment) \S+ is invalid|strict decoding error|converting YAML to JSON|error validating ",
        'The Pod "Web" is invalid: metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must …',
        "The manifest, or an option, is not accepted; the error names the field. Nothing was changed.",
        (
            "capital letters or underscores in a name",
            "a field with a typing mistake, or in the wrong place: YAML goes by indentation",
        ),
        "kubectl create deployment web --image=… --dry-run=client -o yaml prints a manifest to begin with.",
        "The same; kubectl explain pod.spec tells the fields.",
    ),
)
