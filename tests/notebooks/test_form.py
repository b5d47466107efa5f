"""The form of a lesson: what every notebook has in common, and what its committed outputs never hold.

The core path of a lesson has at most 25 code cells besides its checks; further drills and third exercises follow under
"## More", at most 15 code cells, which nobody has to do. Before the third section there is a cell to fill in: one with
`...` in it.
"""

import functools
import itertools
import re
import statistics
from pathlib import Path

import nbformat
import pytest

import ecrlab
from ecrlab.commands.notebooks import CHECK, for_nbgrader
from ecrlab.lessons import catalogue
from tests.chapter import PUT_POLICY

NOTEBOOKS = Path(ecrlab.__file__).parents[1] / "notebooks"
LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))

COMMANDS = {
    "01-authentication": [
        "aws ecr get-login-password --region us-east-1 | \\\n"
        "  docker login --username AWS --password-stdin \\\n"
        "  123456789012.dkr.ecr.us-east-1.amazonaws.com",
    ],
    "02-push-and-pull": [
        "aws ecr get-login-password --region us-east-1 | \\\n"
        "  docker login --username AWS --password-stdin \\\n"
        "  123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "aws ecr create-repository \\\n"
        "  --repository-name my-app \\\n"
        "  --image-scanning-configuration scanOnPush=true \\\n"
        "  --encryption-configuration encryptionType=KMS \\\n"
        "  --image-tag-mutability IMMUTABLE",
        "docker build -t my-app:v1.2.3 .\n"
        "docker tag my-app:v1.2.3 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3\n"
        "docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3",
        "aws ecr describe-images \\\n"
        "  --repository-name my-app \\\n"
        "  --query 'imageDetails[*].[imageTags[0],imagePushedAt,imageSizeInBytes]' \\\n"
        "  --output table",
    ],
    "04-image-scanning": [
        "aws ecr create-repository \\\n"
        "  --repository-name my-app \\\n"
        "  --image-scanning-configuration scanOnPush=true \\\n"
        "  --encryption-configuration encryptionType=KMS \\\n"
        "  --image-tag-mutability IMMUTABLE",
        "aws ecr start-image-scan \\\n  --repository-name my-app \\\n  --image-id imageTag=v1.2.3",
        "aws ecr describe-image-scan-findings \\\n  --repository-name my-app \\\n  --image-id imageTag=v1.2.3",
    ],
    "05-lifecycle-policies": [PUT_POLICY],
}
"""The commands that a lesson shows exactly as people type them."""

SPELLINGS = {
    r"\b(amazon ecr|Amazon Ecr|AWS ECR|AWS Ecr)\b": "Amazon ECR",
    r"\b(Aws|aws) (CLI|cli|Cli)\b": "AWS CLI",
    r"\b(Iam|AWS IAM)\b": "IAM",
    r"\b(Kms|Sts|Ecr)\b": "KMS, STS, ECR",
    r"\b(docker hub|DockerHub|Dockerhub)\b": "Docker Hub",
    r"\b(DockerFile|Docker file|docker file)\b": "Dockerfile",
    r"\bAmazon Lambda\b": "AWS Lambda",
    r"\b(Github|Jupyterlab|Jupyter Lab|Pypi)\b": "GitHub, JupyterLab, PyPI",
    r"\b(arm-64|ARM64|AMD64)\b": "arm64, amd64",
    r"\bregion\b": "Region",
}
"""What AWS's and Docker's names must not look like in prose, and how they are written."""

NEVER_PRINTED = {
    "a port": r"127\.0\.0\.1|localhost",
    "a temporary path": r"/tmp|/var/folders|ecrlab-lab-",
    "a home directory": r"/home/|/root\b|/Users/",
    "metadata of an answer": r"ResponseMetadata|RequestId|HTTPHeaders",
    "progress": r"\b\d+ of \d+\b(?! images|, newest first)",  # a rule's explanation counts so
    "a traceback": r"Traceback \(most recent call last\)",
    "terminal codes": r"\x1b\[",
    "an object's address": r" at 0x[0-9a-f]{6,}",
}

DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")


@functools.cache
def cells(lesson):
    return tuple(nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4).cells)


def prose(lesson):
    return [cell.source for cell in cells(lesson) if cell.cell_type == "markdown"]


def code(lesson):
    return [cell for cell in cells(lesson) if cell.cell_type == "code"]


def sections(lesson):
    """Heading of the second level -> the code cells below it; those before the first heading are under ""."""
    found = {"": []}
    for cell in cells(lesson):
        if cell.cell_type == "code":
            found[list(found)[-1]].append(cell)
        else:
            text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            found |= {title: [] for title in re.findall(r"^## +(.+)$", text, re.MULTILINE)}
    return found


def more(lesson):
    """The code cells that nobody has to do."""
    return sections(lesson).get("More", [])


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def printed(cell):
    """All text that a cell's committed outputs hold."""
    texts = []
    for output in cell.outputs:
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(texts)


def headings(lesson):
    """Level and text of each heading, leaving out what is in code blocks."""
    text = re.sub(r"```.*?```", "", "\n\n".join(prose(lesson)), flags=re.DOTALL)
    return [(len(marks), title.strip()) for marks, title in re.findall(r"^(#{1,6}) +(.+)$", text, re.MULTILINE)]


def bullets(text, after):
    """The list that follows a line."""
    found = re.search(re.escape(after) + r"[^\n]*\n+((?:- .+\n?)+)", text)
    return re.findall(r"^- (.+?)[,.]?$", found[1], re.MULTILINE) if found else []


def words(text):
    """Words of prose: tables, diagrams and addresses are not read word by word."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    return len(re.findall(r"[\w`]\S*", re.sub(r"\]\([^)]*\)", "]", text)))


def minutes(lesson):
    """How long the core path takes somebody who reads, guesses, types and runs it.

    200 words of prose a minute, and 100 of code; ⅓ minute to run a cell and look at its output, ½ for each guess and
    card, 1 for the question in a sentence, 1½ for each gap to fill in, and 2½ more for each exercise. For the lessons
    00 to 06 together, with "More", this is what three learners estimated.
    """
    core = [cell for cell in code(lesson) if cell not in more(lesson)]
    before, _, rest = "\n\n".join(prose(lesson)).partition("\n## More\n")
    cards = 2 * (lesson != LESSONS[0]) + len(catalogue.lesson(lesson).CARDS)
    return (
        words(before + rest.partition("\n## ")[2]) / 200
        + sum(len(cell.source.split()) / 100 + 1 / 3 for cell in core)
        + (before.count("**Guess:**") + cards) / 2
        + len(catalogue.lesson(lesson).QUESTIONS)
        + sum(1.5 * ("..." in cell.source) + 2.5 * ("lab.check(" in cell.source) for cell in core)
    )


each_lesson = pytest.mark.parametrize("lesson", LESSONS)


@each_lesson
def test_one_main_heading_comes_first_and_the_others_in_order(lesson):
    levels = [level for level, _ in headings(lesson)]

    assert cells(lesson)[0].source.startswith("# ")
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert len({title for _, title in headings(lesson)}) == len(levels)


@each_lesson
def test_it_opens_with_a_promise_minutes_and_objectives(lesson):
    opening = cells(lesson)[0].source
    promise = opening.split("\n\n")[1]
    stated = re.search(r"^\*\*Minutes:\*\* (\d+)$", opening, re.MULTILINE)

    assert promise.count(". ") == 0
    assert promise.endswith(".")
    assert stated
    assert minutes(lesson) <= int(stated[1]) <= 45
    assert 3 <= len(bullets(opening, "**You will be able to**")) <= 5
    assert re.search(r"^\*\*Read first:\*\* ", opening, re.MULTILINE)


@each_lesson
def test_it_closes_with_the_same_objectives_and_a_way_on(lesson):
    closing = next(text for text in reversed(prose(lesson)) if "## You can now" in text)

    assert bullets(closing, "## You can now") == bullets(cells(lesson)[0].source, "**You will be able to**")
    assert re.search(r"^Next", closing, re.MULTILINE)


@each_lesson
def test_it_begins_by_starting_a_lab_and_ends_by_stopping_it(lesson):
    first, last = code(lesson)[0], code(lesson)[-1]

    assert "import ecrlab" in first.source
    assert "lab = ecrlab.start(" in first.source
    assert last.source == "lab.stop()"


@each_lesson
def test_cells_are_few_and_short(lesson):
    sizes = [len(lines(cell)) for cell in code(lesson)]
    worked, aside = (
        [cell for cell in some if not CHECK.fullmatch(cell.source)] for some in (code(lesson), more(lesson))
    )
    long = [cell.source for cell in code(lesson) if len(lines(cell)) > 15 and not tagged(cell, "verbatim")]

    assert 12 <= len(worked) - len(aside) <= 25
    assert len(aside) <= 15
    assert statistics.median(sizes) <= 4
    assert long == []


@each_lesson
def test_there_is_prose_for_each_code_cell_and_not_too_much(lesson):
    per_cell = words("\n\n".join(prose(lesson))) / len(code(lesson))

    assert 40 <= per_cell <= 60


@each_lesson
def test_it_asks_for_guesses_and_provokes_an_error(lesson):
    text = "\n".join(prose(lesson))

    assert text.count("**Guess:**") >= 3
    assert re.search(r"\*\*Failure drill|## Failure", text)


@each_lesson
def test_there_is_something_to_type_before_the_third_section(lesson):
    titles = [title for title in sections(lesson) if title]
    before = [cell for title in ["", *titles[:2]] for cell in sections(lesson)[title]]

    assert any("..." in cell.source for cell in before)


@each_lesson
def test_an_exercise_with_less_help_follows_under_more(lesson):
    assert any("lab.check(" in cell.source for cell in more(lesson))


@each_lesson
def test_a_question_is_answered_in_a_sentence_beside_a_model_answer(lesson):
    used = {name for cell in code(lesson) for name in re.findall(r'lab\.compare\("([^"]+)"', cell.source)}

    assert used
    assert used == {question.id for question in catalogue.lesson(lesson).QUESTIONS}


@each_lesson
def test_model_answers_are_not_printed(lesson):
    for cell in code(lesson):
        for question in catalogue.lesson(lesson).QUESTIONS:
            assert question.model not in printed(cell)


@each_lesson
def test_every_figure_has_its_data_as_a_table_beside_it(lesson):
    found = code(lesson)
    for cell, following in zip(found, [*found[1:], None], strict=True):
        kinds = [kind for output in cell.outputs for kind in output.get("data", {})]
        nearby = [kind for output in (following.outputs if following else []) for kind in output.get("data", {})]
        if any(kind.startswith("image/") for kind in kinds):
            assert "text/html" in kinds + nearby, cell.source


@each_lesson
def test_every_figure_is_named_and_bars_have_labels_with_units(lesson):
    for cell in code(lesson):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            assert re.search(r'(stacked|picture|show|figure)\(\s*"[^"]+"|lab\.show\(|\.picture\(', cell.source)
        for call in re.findall(r"bars\.stacked\(.*", cell.source):
            assert "unit=" in call
            assert "row_label=" in call


@each_lesson
def test_pictures_in_prose_have_alternative_text(lesson):
    for text in prose(lesson):
        assert not re.search(r"!\[\s*\]\(", text)
        assert not re.search(r"<img(?![^>]*\balt=)", text)


@each_lesson
def test_links_lead_somewhere(lesson):
    targets = {heading.lower().replace(" ", "-") for _, heading in headings(lesson)}
    for label, link in re.findall(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", "\n".join(prose(lesson))):
        address, _, anchor = link.partition("#")
        assert label.strip()
        assert not address.startswith("http://"), link
        if address and "://" not in address:
            assert (NOTEBOOKS / address).exists(), link
        elif not address:
            assert anchor.lower() in targets, link


@each_lesson
@pytest.mark.parametrize(("wrong", "right"), SPELLINGS.items())
def test_names_are_spelt_as_their_owners_spell_them(lesson, wrong, right):
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", "\n".join(prose(lesson)), flags=re.DOTALL)

    assert re.findall(wrong, text) == [], f"write {right}"


@pytest.mark.parametrize(
    ("lesson", "number"), [(name, n) for name, all_of in COMMANDS.items() for n in range(len(all_of))]
)
def test_the_known_commands_are_there_word_for_word(lesson, number):
    verbatim = [cell.source for cell in code(lesson) if tagged(cell, "verbatim")]

    assert any(COMMANDS[lesson][number] in source for source in verbatim)


@each_lesson
@pytest.mark.parametrize("kind", NEVER_PRINTED)
def test_outputs_hold_nothing_of_one_machine_or_one_run(lesson, kind):
    for cell in code(lesson):
        assert not re.search(NEVER_PRINTED[kind], printed(cell)), cell.source


@each_lesson
def test_dates_in_outputs_are_the_labs(lesson):
    """The lab's calendar begins in October 2026; the gallery's images are older, a history that is loaded ends then."""
    past = "2026-09-30" if any("lab.load(" in cell.source for cell in code(lesson)) else "2026-08-31"
    for cell in code(lesson):
        for date in DATE.findall(printed(cell)):
            assert "2026-10-01" <= date <= "2029-12-31" or date <= past, cell.source


@each_lesson
def test_outputs_are_committed_and_cells_were_run_in_order(lesson):
    assert [cell.execution_count for cell in code(lesson)] == list(range(1, len(code(lesson)) + 1))
    assert any(cell.outputs for cell in code(lesson))


@each_lesson
def test_no_cell_hides_its_result_or_uses_what_cannot_be_compared(lesson):
    for cell in code(lesson):
        assert not cell.source.rstrip().endswith(";"), cell.source
        assert "@interact" not in cell.source
        assert "Output(" not in cell.source


@each_lesson
def test_every_exercise_of_a_lesson_is_in_its_notebook_and_the_other_way_round(lesson):
    used = {name for cell in code(lesson) for name in re.findall(r'lab\.check\("([^"]+)"', cell.source)}

    assert used == {exercise.id for exercise in catalogue.lesson(lesson).EXERCISES}
    assert any(title == "Your turn" for _, title in headings(lesson))


@each_lesson
def test_a_check_stands_alone_and_is_marked_for_nbgrader(lesson):
    """nbgrader restores the text of a marked cell, so what a learner writes stands in another one."""
    checks = {cell.source: cell for cell in code(lesson) if "lab.check(" in cell.source}
    found = {source: CHECK.fullmatch(source) for source in checks}

    assert all(found.values()), found
    for source, cell in checks.items():
        assert cell.metadata["nbgrader"] == for_nbgrader(found[source][1])
    assert [cell for cell in cells(lesson) if "nbgrader" in cell.metadata] == list(checks.values())


@each_lesson
def test_the_quiz_of_a_lesson_is_shown_with_a_question_for_each_objective(lesson):
    topic = lesson.partition("-")[2]
    shown = [cell for cell in code(lesson) if cell.source == f'ecrlab.quiz("{topic}")']
    questions = [card.question for card in catalogue.lesson(lesson).CARDS]

    assert len(shown) == 1
    assert all(question in printed(shown[0]) for question in questions)
    assert len(questions) >= len(bullets(cells(lesson)[0].source, "**You will be able to**"))


def test_every_lesson_of_the_catalogue_has_a_notebook():
    assert set(catalogue.MODULES) <= set(LESSONS)
    assert [lesson for lesson in LESSONS if catalogue.lesson(lesson) is None] == []
