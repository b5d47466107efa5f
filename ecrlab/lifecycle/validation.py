"""From text to policy: the checks of PutLifecyclePolicy, with AWS's words.

    text ── JSON ── schema ── rules ── each rule agrees with itself ── all rules agree ──> Policy

Each step checks the whole policy before the next begins. Sources: AWS user guide, lifecycle policy properties and
lifecycle policy examples; botocore model, LifecyclePolicyText. The texts are AWS's own where public error reports or
deployments (badmintoncryer/cdk-preflight, 2026-09) show them; where they are not known, a line says UNSURE.
"""

from typing import Any

from ecrlab.lifecycle.errors import PARSING, InvalidLifecyclePolicy
from ecrlab.lifecycle.policy import (
    ANY,
    ARCHIVE,
    EXPIRE,
    PULLED,
    STANDARD,
    TAGGED,
    TRANSITION,
    TRANSITIONED,
    UNTAGGED,
    Action,
    Policy,
    Rule,
    Selection,
)
from ecrlab.lifecycle.schema import LISTS, failures
from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson

SHORTEST, LONGEST = 100, 30_720
"""Characters of a policy text (botocore model, LifecyclePolicyText)."""
MOST_WILDCARDS = 4
LEAST_ARCHIVE_DAYS = 90
_LARGEST_INTEGER = 2**31 - 1


def parse(text: str, shortest: int = SHORTEST) -> Policy:
    """Read a policy, or raise `InvalidLifecyclePolicy` with AWS's text and the place of the error.

    `shortest` is the least number of characters: 100 for a repository, 0 in a repository creation template.

    >>> try:
    ...     parse('{"rules": []}', shortest=0)
    ... except InvalidLifecyclePolicy as error:
    ...     print(error.place, "-", error.detail)
    rules - array is too short: must have at least 1 elements but instance has 0 elements
    """
    # UNSURE: the text for a length out of bounds is that of other AWS services; the CLI itself rejects short ones.
    if len(text) > LONGEST:
        raise InvalidLifecyclePolicy(f"Member must have length less than or equal to {LONGEST}", lead="")
    if len(text) < shortest:
        raise InvalidLifecyclePolicy(f"Member must have length greater than or equal to {shortest}", lead="")
    document = _document(text)
    if found := failures(document):
        # The texts that people quote end with a line break before the closing quote.
        raise InvalidLifecyclePolicy("\n".join(failure.text for failure in found), found[0].place, end="\n")
    given = document["rules"]
    rules = [_rule(value, f"rules[{position}]") for position, value in enumerate(given)]
    for agree in (_agree_on_tags, _agree_on_patterns, _agree_on_storage):
        for position, rule in enumerate(rules):
            agree(rule, given[position]["selection"], f"rules[{position}]")
    _agree_together(rules)
    return Policy(tuple(sorted(rules, key=lambda rule: rule.rule_priority)), text)


def _not_a_policy(place: str = "") -> InvalidLifecyclePolicy:
    return InvalidLifecyclePolicy("Could not map policyString into LifecyclePolicy.", place, lead=PARSING)


def _document(text: str) -> dict[str, Any]:
    """Return the JSON object of a text."""
    # UNSURE: whether AWS accepts a repeated key, or NaN, is not known; both are mistakes, so this reader rejects them.
    try:
        return strict_json.read_object(text)
    except InvalidJson as error:
        raise _not_a_policy(error.place or error.why) from error


def _rule(value: dict[str, Any], place: str) -> Rule:
    """Return a rule from JSON that is valid by the schema."""
    selection, action = value["selection"], value["action"]
    # UNSURE: the API's integers have 32 bits (botocore model), so a larger one cannot be mapped.
    for number, where in ((value["rulePriority"], "rulePriority"), (selection["countNumber"], "selection.countNumber")):
        if number > _LARGEST_INTEGER:
            raise _not_a_policy(f"{place}.{where}")
    target = action.get("targetStorageClass")
    if action["type"] == TRANSITION and target is None:
        raise _not_a_policy(f"{place}.action")
    patterns, prefixes = (tuple(selection.get(name, [])) for name in LISTS)
    return Rule(
        value["rulePriority"],
        Selection(
            selection["tagStatus"],
            selection["countType"],
            selection["countNumber"],
            patterns,
            prefixes,
            selection.get("storageClass", STANDARD),
        ),
        Action(action["type"], target),
        value.get("description", ""),
    )


def _agree_on_tags(rule: Rule, given: dict[str, Any], place: str) -> None:
    """Check the tag status of a rule against its lists."""
    selection, where = rule.selection, f"{place}.selection"
    lists = [name for name in LISTS if name in given]
    if selection.tag_status != TAGGED and lists:
        # UNSURE: an empty list counts as a list here, because the guide says that it must be absent.
        raise InvalidLifecyclePolicy(
            f"Cannot specify {lists[0]} with tagStatus {selection.tag_status}", f"{where}.{lists[0]}"
        )
    if len(lists) > 1:
        raise InvalidLifecyclePolicy(
            "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList", where
        )
    if selection.tag_status == TAGGED and not selection.patterns:
        raise InvalidLifecyclePolicy("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.", where)


def _agree_on_patterns(rule: Rule, _: dict[str, Any], place: str) -> None:
    """Check the patterns of a rule against their bounds."""
    for position, pattern in enumerate(rule.selection.tag_pattern_list):
        # UNSURE: an empty pattern matches no tag; it is rejected with the first half of the text.
        if not pattern or pattern.count("*") > MOST_WILDCARDS:
            bound = f". Total number of * must not exceed {MOST_WILDCARDS}" if pattern else ""
            raise InvalidLifecyclePolicy(
                f"Invalid tag pattern provided{bound}", f"{place}.selection.tagPatternList[{position}]"
            )


def _agree_on_storage(rule: Rule, _: dict[str, Any], place: str) -> None:
    """Check the storage class, count type and action of a rule against each other."""
    selection, action = rule.selection, rule.action
    archived = selection.storage_class == ARCHIVE
    # UNSURE: only the first of these texts is known; the guide says that AWS rejects the combinations.
    if archived and selection.count_type != TRANSITIONED:
        raise InvalidLifecyclePolicy(
            "SINCE_IMAGE_PUSHED, SINCE_IMAGE_PULLED and IMAGE_COUNT_MORE_THAN support the STANDARD storage class only",
            f"{place}.selection.storageClass",
        )
    if selection.count_type == TRANSITIONED:
        if not archived:
            raise InvalidLifecyclePolicy(
                "SINCE_IMAGE_TRANSITIONED supports the ARCHIVE storage class only", f"{place}.selection"
            )
        if action.type != EXPIRE:
            raise InvalidLifecyclePolicy("SINCE_IMAGE_TRANSITIONED supports the EXPIRE action only", f"{place}.action")
        if selection.count_number < LEAST_ARCHIVE_DAYS:
            raise InvalidLifecyclePolicy(
                f"SINCE_IMAGE_TRANSITIONED requires a countNumber of at least {LEAST_ARCHIVE_DAYS} days",
                f"{place}.selection.countNumber",
            )
    if selection.count_type == PULLED and action.type != TRANSITION:
        raise InvalidLifecyclePolicy("SINCE_IMAGE_PULLED supports the TRANSITION action only", f"{place}.action")


def _agree_together(rules: list[Rule]) -> None:
    """Check the rules of a policy against each other."""
    priorities: set[int] = set()
    for position, rule in enumerate(rules):
        if rule.rule_priority in priorities:
            raise InvalidLifecyclePolicy("Duplicate priority in multiple rules", f"rules[{position}].rulePriority")
        priorities.add(rule.rule_priority)
    for storage_class in (STANDARD, ARCHIVE):
        places = {f"rules[{i}]": rule for i, rule in enumerate(rules) if rule.selection.storage_class == storage_class}
        _agree_in_class(places)


def _agree_in_class(rules: dict[str, Rule]) -> None:
    """Check the rules for one storage class against each other; the keys are their places."""
    anys, untagged = (
        [place for place, rule in rules.items() if rule.selection.tag_status == status] for status in (ANY, UNTAGGED)
    )
    if len(anys) > 1:
        raise InvalidLifecyclePolicy("Only one rule can specify tagStatus=ANY", anys[1])
    if len(untagged) > 1:
        raise InvalidLifecyclePolicy("Only one rule can select Untagged images per storage class.", untagged[1])
    last = max((rule.rule_priority for rule in rules.values()), default=0)
    if anys and rules[anys[0]].rule_priority < last:
        raise InvalidLifecyclePolicy(
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
            f"{anys[0]}.rulePriority",
        )
    # UNSURE: "a unique set of prefixes" is read as whole lists, order aside, and of prefixes only, as the
    # guide words it; the text is not known.
    seen: set[frozenset[str]] = set()
    for place, rule in rules.items():
        prefixes = frozenset(rule.selection.tag_prefix_list)
        if prefixes and prefixes in seen:
            raise InvalidLifecyclePolicy(
                "Rules of one storage class must have a unique set of prefixes",
                f"{place}.selection.tagPrefixList",
            )
        seen.add(prefixes)
