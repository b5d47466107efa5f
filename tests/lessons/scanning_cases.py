"""The exercises of lesson 04: filters that pass too much or too little, and packages that stay old."""

from tests.lessons.case import HOST, LOGIN, Case

BOOKWORM = "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
FIXED = (("Jinja2", "3.1.6"), ("PyYAML", "6.0.2"))


def watch(*filters, scan_type="ENHANCED", frequency="CONTINUOUS_SCAN"):
    named = ",".join(f"{{filter={one},filterType=WILDCARD}}" for one in filters)
    return f"""aws ecr put-registry-scanning-configuration --scan-type {scan_type} --rules \\
        'scanFrequency={frequency},repositoryFilters=[{named}]'\n"""


def raised(*packages):
    """Other versions of the shop's packages, then an image tagged clean."""
    for_each = "".join(
        f"""rm -r {name}-*.dist-info; mkdir {name}-{version}.dist-info
            printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n' > {name}-{version}.dist-info/METADATA
            """
        for name, version in packages
    )
    return f"cd site-packages; {for_each} cd ..; sh publish.sh clean"


def kiosk(base, *options):
    """An image of one's own on a base."""
    return f"""printf 'FROM {base}\\nCOPY hello.sh /\\n' > Dockerfile
        docker build -q {" ".join(options)} -t {HOST}/kiosk:v1 . && docker push -q {HOST}/kiosk:v1"""


CASES = {
    "scan-prod-and-shop": Case(
        scene=watch("*"),
        wrong={
            "scans the BASIC way": watch("prod*", "shop", scan_type="BASIC", frequency="SCAN_ON_PUSH"),
            "no rule has the frequency CONTINUOUS_SCAN": watch("prod*", "shop", frequency="SCAN_ON_PUSH"),
            "a repository named reproduce is watched": watch("prod", "shop*"),
            "a repository named workshop is watched": watch("prod*", "shop"),
            "a repository named prod is not watched": watch("prod-*", "shop"),
            "a repository named shop is not watched": watch("prod*", "shop-*"),
            "a repository named museum is watched": watch("prod*", "shop*", "*us*"),
            "the filters of CONTINUOUS_SCAN are \\*": "true",
        },
        right=(
            watch("prod*", "shop*").rstrip()
            + " 'scanFrequency=SCAN_ON_PUSH,repositoryFilters=[{filter=*,filterType=WILDCARD}]'",
        ),
    ),
    "clean-your-own": Case(
        app="shop",
        scene=watch("shop") + "aws ecr create-repository --repository-name shop; sh publish.sh v1",
        wrong={
            "shop has no tag clean, only v1": "true",
            "clean is the very image v1": "sh publish.sh clean",
            "clean still has findings about Jinja2$": raised(("PyYAML", "6.0.2")),
            "clean still has findings about PyYAML$": raised(("Jinja2", "3.1.6")),
            "clean no longer has Jinja2, PyYAML, requests": "rm -r site-packages/*; sh publish.sh clean",
            "clean no longer has Jinja2, PyYAML: keep": "rm -r site-packages/[JP]*; sh publish.sh clean",
            "clean no longer has requests": "rm -r site-packages/requests*; " + raised(*FIXED),
            "clean stands on another base than v1": "sh publish.sh clean 3.12-slim-bookworm",
            "clean was never scanned": watch("prod*") + raised(*FIXED),
            "the BASIC way, which does not look at Python packages": watch(
                "shop", scan_type="BASIC", frequency="SCAN_ON_PUSH"
            )
            + raised(*FIXED),
            "shop has no image tagged v1": "aws ecr batch-delete-image --repository-name shop --image-ids imageTag=v1",
            "there is no repository named shop": "aws ecr delete-repository --force --repository-name shop",
        },
        right=(raised(("PyYAML", "5.4"), ("Jinja2", "3.1.6")),),
    ),
    "scan-your-own": Case(
        app="hello",
        scene=LOGIN + watch("kiosk*") + "aws ecr create-repository --repository-name kiosk",
        wrong={
            "there is no repository named kiosk": "aws ecr delete-repository --force --repository-name kiosk",
            "kiosk has no image tagged v1": "true",
            "v1 was never scanned: no rule of the registry names kiosk": watch("shop*") + kiosk(BOOKWORM),
            "v1 was pushed before the rule; push a changed image, or scan continuously": watch("shop*")
            + kiosk(BOOKWORM)
            + ";"
            + watch("kiosk*", frequency="SCAN_ON_PUSH"),
            "the scan of v1 ended as UNSUPPORTED_IMAGE": kiosk("scratch"),
            "the scan of v1 found 2 CRITICAL and 15 HIGH": kiosk("public.ecr.aws/docker/library/python:3.11.1-slim"),
            "v1 is an image that other has too": kiosk(BOOKWORM)
            + f"""; aws ecr create-repository --repository-name other
                docker tag {HOST}/kiosk:v1 {HOST}/other:v7; docker push {HOST}/other:v7""",
            "kiosk:v1 is an index": kiosk(BOOKWORM, "--platform linux/amd64,linux/arm64"),
        },
        right=(
            watch("*", scan_type="BASIC", frequency="SCAN_ON_PUSH") + kiosk(BOOKWORM),
            kiosk("public.ecr.aws/docker/library/alpine:3.22.6"),
        ),
    ),
}
