"""What it costs to judge images by a policy, in ratios to `json.loads` of the same describe-images answer.

    python3 -m tests.bench.lifecycle

The aim for 10 rules over 1,000,000 images: at most 10 times `json.loads`, better 4; time per image at most 1.3 times
that at 10,000; memory at most 3 times the parsed answer. Takes about a minute and some 3 GB.
"""

import gc
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ecrlab.lifecycle import Policy, evaluate, parse
from ecrlab.lifecycle.reading import images

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
MANY, FEW = 1_000_000, 10_000


def policy() -> Policy:
    """Ten rules of all kinds, most of which count."""
    rules = [
        *(rule(["prod*"], 1000), rule(["staging-*"], 500), rule(["*-rc*"], 300), rule(["v*.*.0"], 2000)),
        *(rule(["v*"], 1000), rule(["sha-*"], 14, "sinceImagePushed"), rule(["pr-*", "*-dirty"], 10)),
        rule(["nightly*"], 90, "sinceImagePulled"),
        rule(None, 7, "sinceImagePushed", "untagged"),
        rule(None, 5000, "imageCountMoreThan", "any"),
    ]
    return parse(json.dumps({"rules": [{"rulePriority": n, **rule} for n, rule in enumerate(rules, 1)]}))


def rule(patterns: list[str] | None, number: int, count: str = "imageCountMoreThan", status: str = "tagged") -> Any:
    """One rule in AWS's JSON, but for its priority."""
    selection: dict[str, Any] = {"tagStatus": status, "countType": count, "countNumber": number}
    if patterns:
        selection["tagPatternList"] = patterns
    if count != "imageCountMoreThan":
        selection["countUnit"] = "days"
    archives = count == "sinceImagePulled"
    action = {"type": "transition", "targetStorageClass": "archive"} if archives else {"type": "expire"}
    return {"selection": selection, "action": action}


def answer(number: int) -> str:
    """A describe-images answer, in no order, a third untagged, some with two tags."""
    chance = random.Random(6)
    families = ("prod-{}", "staging-{}", "v1.{}.0", "v2.0.{}", "sha-{:07x}", "pr-{}", "nightly-{}", "{}-rc1", "b{}")
    details = []
    for serial in range(number):
        pushed = NOW - timedelta(seconds=chance.randrange(400 * 86_400))
        tags = [family.format(serial) for family in chance.sample(families, chance.choice((0, 1, 1, 2)))]
        details.append(
            {
                "registryId": "123456789012",
                "repositoryName": "team/shop",
                "imageDigest": f"sha256:{chance.getrandbits(256):064x}",
                "imageTags": tags,
                "imageSizeInBytes": chance.randrange(10**9),
                "imagePushedAt": pushed.isoformat(),
                "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactMediaType": "application/vnd.oci.image.config.v1+json",
                "lastRecordedPullTime": (pushed + (NOW - pushed) * chance.random()).isoformat(),
                "imageStatus": "ACTIVE",
            }
        )
    return json.dumps({"imageDetails": details})


def seconds(work: Callable[[], Any], runs: int) -> float:
    """The processor time of the shortest of some runs; other programs may be busy too."""
    shortest = float("inf")
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        work()
        shortest = min(shortest, time.process_time() - start)
    return shortest


def speed(number: int, runs: int) -> tuple[float, float, float]:
    """Seconds for parsing JSON, for reading it into images, and for judging these."""
    rules, text = policy(), answer(number)
    loading = seconds(lambda: json.loads(text), runs)
    parsed = json.loads(text)
    reading = seconds(lambda: images(parsed), runs)
    line = images(parsed)
    judging = seconds(lambda: (e := evaluate(rules, line, NOW), e.expiring, e.transitioning), runs)
    return loading, reading, judging


def memory(number: int) -> tuple[float, float]:
    """Bytes of the parsed answer, and the most that reading and judging add to them."""
    rules, text = policy(), answer(number)
    tracemalloc.start()
    parsed = json.loads(text)
    document, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    evaluation = evaluate(rules, images(parsed), NOW)
    evaluation.expiring  # noqa: B018 - the verdicts are part of the cost
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return document, peak - document


def main() -> None:
    """Print the ratios."""
    few, many = speed(FEW, 20), speed(MANY, 2)
    for number, (loading, reading, judging) in ((FEW, few), (MANY, many)):
        print(f"{number:>9,} images: json.loads {loading:.3f} s, reading {reading:.3f} s, judging {judging:.3f} s")
    loading, reading, judging = many
    print(f"judging / json.loads              {judging / loading:.2f}  (at most 10, aim 4)")
    print(f"reading and judging / json.loads  {(reading + judging) / loading:.2f}  (at most 10, aim 4)")
    growth = [big / MANY / (small / FEW) for big, small in zip(many, few, strict=True)]
    whole = (reading + judging) / MANY / ((few[1] + few[2]) / FEW)
    print(
        f"time per image, {MANY:,} against {FEW:,}: judging {growth[2]:.2f}, reading and judging {whole:.2f}"
        f"  (at most 1.3; json.loads itself {growth[0]:.2f})"
    )
    document, added = memory(FEW * 10)
    print(f"memory beyond the parsed answer / parsed answer  {added / document:.2f}  (at most 3)")


if __name__ == "__main__":
    main()
