"""How bad a finding is, in ECR's six words.

The distribution's own rating comes first, because it knows how it built the package; then the base score of a CVSS
vector, by the qualitative scale of the CVSS specification; then the word of the advisory's database; else UNDEFINED
(AWS user guide, basic scanning).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

SEVERITIES = ("UNDEFINED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
"""ECR's severities, mildest first; UNDEFINED (nobody rated it) ranks below all."""

_WORDS = {
    "unimportant": "INFORMATIONAL",
    "negligible": "INFORMATIONAL",
    "none": "INFORMATIONAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "moderate": "MEDIUM",
    "high": "HIGH",
    "important": "HIGH",
    "critical": "CRITICAL",
}
_CVSS = {"CVSS_V4": CVSS4, "CVSS_V3": CVSS3, "CVSS_V2": CVSS2}


def rank(severity: str) -> int:
    """Place a severity in ECR's order: 0 for UNDEFINED, 5 for CRITICAL."""
    return SEVERITIES.index(severity)


def word(rating: object) -> str | None:
    """Translate a distribution's or database's rating into ECR's word; None when it rates nothing.

    >>> word("Moderate"), word("not yet assigned")
    ('MEDIUM', None)
    """
    return _WORDS.get(rating.strip().rstrip("*").lower()) if isinstance(rating, str) else None


def cvss_score(kind: str, vector: str) -> float | None:
    """Compute the base score (0.0 to 10.0) of a CVSS vector; None when it is no vector of a known version."""
    calculator = _CVSS.get(kind)
    if calculator is None:
        return None
    try:
        return float(calculator(vector).base_score)
    except (CVSSError, ArithmeticError, ValueError):
        return None


def of_score(score: float) -> str:
    """Rate a CVSS base score by the specification's qualitative scale (0.0 is "None": INFORMATIONAL).

    >>> of_score(9.8), of_score(6.9), of_score(0.0)
    ('CRITICAL', 'MEDIUM', 'INFORMATIONAL')
    """
    for bound, severity in ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW")):
        if score >= bound:
            return severity
    return "INFORMATIONAL"


def judge(
    ratings: Sequence[Mapping[str, Any]],
    distribution: object = None,
    database: object = None,
    score: object = None,
) -> tuple[str, float | None, str | None]:
    """Judge an advisory: (severity, score, CVSS vector), the last two None where there is neither.

    `ratings` is OSV's `severity` list; `distribution` and `database` are the words of the distribution and of
    the advisory database; `score` a base score without its vector.
    """
    rated = None
    for kind in _CVSS:
        for rating in ratings:
            vector = rating.get("score")
            if rating.get("type") == kind and isinstance(vector, str) and rated is None:
                base = cvss_score(kind, vector)
                rated = None if base is None else (base, vector)
    for rating in ratings:
        if rating.get("type") == "Ubuntu":
            distribution = distribution or rating.get("score")
    number, vector = rated if rated else (None, None)
    if number is None and isinstance(score, int | float) and 0 <= score <= 10:
        number = float(score)
    by_score = None if number is None else of_score(number)
    if vector is not None and not vector.startswith("CVSS:") and by_score == "CRITICAL":
        by_score = "HIGH"  # a vector of CVSS 2, whose scale at the NVD ends there
    return word(distribution) or by_score or word(database) or "UNDEFINED", number, vector
