"""The exercises of lesson 04: filters that pass too much or too little, and packages that stay old."""

from tests.lessons.case import Case


def watch(*filters, scan_type="ENHANCED", frequency="CONTINUOUS_SCAN"):
    named = ",".join(f"{{filter={one},filterType=WILDCARD}}" for one in filters)
    return f"""aws ecr put-registry-scanning-configuration --scan-type {scan_type} --rules \\
        'scanFrequency={frequency},repositoryFilters=[{named}]'\n"""


def raised(*packages):
    """Other versions of the shop's packages, then an image v2."""
    for_each = "".join(
        f"""rm -r {name}-*.dist-info; mkdir {name}-{version}.dist-info
            printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n' > {name}-{version}.dist-info/METADATA
            """
        for name, version in packages
    )
    return f"cd site-packages; {for_each} cd ..; sh publish.sh v2"


CASES = {
    "scan-prod-and-shop": Case(
        scene=watch("*"),
        wrong={
            "scans the BASIC way": watch("prod*", "shop", scan_type="BASIC", frequency="SCAN_ON_PUSH"),
            "no rule has the frequency CONTINUOUS_SCAN": watch("prod*", "shop", frequency="SCAN_ON_PUSH"),
            "a repository named reproduce is watched": watch("prod", "shop"),
            "a repository named prod is not watched": watch("prod-*", "shop"),
            "a repository named shop is not watched": watch("prod*"),
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
            "shop has no tag v2, only v1": "true",
            "v2 is the very image v1": "sh publish.sh v2",
            "v2 still has findings about Jinja2$": raised(("PyYAML", "6.0.2")),
            "v2 still has findings about PyYAML$": raised(("Jinja2", "3.1.6")),
            "v2 stands on another base than v1": "sh publish.sh v2 3.12-slim-bookworm",
            "v2 was never scanned": watch("prod*") + raised(("Jinja2", "3.1.6"), ("PyYAML", "6.0.2")),
            "the BASIC way, which does not look at Python packages": watch(
                "shop", scan_type="BASIC", frequency="SCAN_ON_PUSH"
            )
            + raised(("Jinja2", "3.1.6"), ("PyYAML", "6.0.2")),
        },
        right=("rm -r site-packages/Jinja2-* site-packages/PyYAML-*; sh publish.sh v2",),
    ),
}
