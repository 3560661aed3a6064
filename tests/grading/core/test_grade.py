"""Who gets which points, and what a learner is told: decided without a kernel, so quickly."""

from dataclasses import replace

import pytest

from course_utils.grading.grade import grade_one
from course_utils.grading.key import read_key
from course_utils.grading.running.run import CellOutcome, RunOutcome

DOUBLE = "def double(x):\n    return x + x"
SQUARE = "def square(x):\n    return x * x"
CUBE = "def cube(x):\n    return x * x * x"
RIGHT = {"double": DOUBLE, "square": SQUARE, "cube": CUBE}


@pytest.fixture(scope="session")
def key(built_key):
    return read_key(built_key / "ex01_mini.ipynb")


@pytest.fixture
def grade(key, hand_in, run_in_process):
    """Grade some answers; `grade.runs` counts the runs."""

    def graded(answers=None, *, run=run_in_process, change=None):
        def counted(notebook):
            graded.runs.append(notebook)
            return run(notebook)

        graded.runs = []
        return grade_one(hand_in(answers, change=change), key, learner="ana", run=counted)

    return graded


def outcomes(result):
    return [question.outcome for question in result.questions]


def test_right_answers_earn_all_points_in_one_run(grade):
    result = grade(RIGHT)
    assert (result.points, result.max_points, result.status) == (20, 20, "graded")
    assert outcomes(result) == ["earned"] * 3
    assert [question.visible for question in result.questions] == ["passed"] * 3
    assert len(grade.runs) == 1


def test_an_untouched_hand_in_gets_nothing_and_is_not_run(grade):
    result = grade()
    assert (result.points, result.status, outcomes(result)) == (0, "graded", ["blank"] * 3)
    assert grade.runs == []


@pytest.mark.parametrize("slug", RIGHT)
def test_each_question_earns_standing_alone(grade, slug):
    result = grade({slug: RIGHT[slug]})
    assert [q.slug for q in result.questions if q.points] == [slug]
    assert result.points == next(q.max_points for q in result.questions if q.slug == slug)


def test_a_wrong_answer_is_named_where_it_is_known(grade):
    result = grade(RIGHT | {"square": "def square(x):\n    return 3.0 + x"})
    wrong = result.questions[1]
    assert (wrong.outcome, wrong.points, result.points) == ("not_earned", 0, 13)
    assert (wrong.misconception, wrong.advice) == ("adds instead", "You added square. Multiply.")
    unknown = grade({"square": "def square(x):\n    return 5.0 - x"}).questions[1]
    assert (unknown.misconception, unknown.advice) == ("", "")


def test_an_answer_that_only_fits_the_visible_check_earns_nothing(grade):
    result = grade({"square": "def square(x):\n    return 2.25"})
    assert (result.questions[1].visible, result.questions[1].outcome) == ("passed", "not_earned")
    assert "other inputs" in result.questions[1].message


def test_points_titles_and_outputs_of_the_hand_in_count_for_nothing(grade):
    def forge(content):
        for cell in content["cells"]:
            if cell["id"].endswith("-answer"):
                cell["metadata"]["nbgrader"] |= {"points": 1000, "grade": True}
                cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "✓ 1.1\n"}]
            if cell["id"].endswith("-prompt"):
                cell["source"] = "## Question 1.1 · Twice (500 points)"

    result = grade({"double": DOUBLE}, change=forge)
    assert (result.points, result.max_points) == (7, 20)


CHECKS_GONE = {
    "deleted": lambda cells: [c for c in cells if not c["id"].endswith("-visible")],
    "edited": lambda cells: [
        c | {"source": "pass"} if c["id"].endswith("-visible") else c for c in cells
    ],
    "duplicated": lambda cells: [
        c | {"id": f"{c['id']}-{n}"} for c in cells for n in range(2 if "visible" in c["id"] else 1)
    ],
    "shuffled": lambda cells: cells[::-1],
}


@pytest.mark.parametrize("spoil", CHECKS_GONE.values(), ids=CHECKS_GONE)
def test_check_cells_of_the_hand_in_change_nothing(grade, spoil):
    def change(content):
        content["cells"] = spoil(content["cells"])

    wrong = RIGHT | {"cube": "def cube(x):\n    return x"}
    assert grade(wrong, change=change).points == 14


def test_one_answer_that_spoils_the_others_costs_itself_only(grade):
    """Every check after it prints nothing; alone, each is judged by itself."""
    spoils = "def double(x):\n    return 0.0\n\nprint = lambda *values: None"
    result = grade(RIGHT | {"double": spoils})
    assert outcomes(result) == ["not_earned", "earned", "earned"]
    assert len(grade.runs) == 3  # together, then 1.2 and 1.3 alone: 1.1 had run first anyway


def test_an_answer_may_build_on_an_earlier_one(grade):
    cube = "def cube(x):\n    return x * square(x)"
    assert grade(RIGHT | {"cube": cube}).points == 20
    assert grade({"cube": cube}).points == 0


def scripted(*endings):
    """A runner that dies as told, once for each run; the cells before the death are as told."""
    script = iter(endings)

    def run(notebook):
        ended, statuses = next(script)
        cells = {
            cell.id: CellOutcome(cell.id, statuses.get(cell.id, "not_run"))
            for cell in notebook.cells
            if cell.cell_type == "code"
        }
        return RunOutcome(ended, cells, 1.0, sandboxed=True, detail="pid 17 was gone")

    return run


def passed(*slugs):
    return {f"ex01-{s}-{role}": "passed" for s in slugs for role in ("answer", "visible", "hidden")}


def died_in(slug):
    return {f"ex01-{slug}-answer": "error"}


@pytest.mark.parametrize(
    "ended", ["kernel_died", "timed_out", "output_limit", "memory_limit", "sandbox_failed"]
)
def test_answers_before_and_after_a_deadly_one_keep_their_points(grade, ended):
    run = scripted(
        (ended, passed("double") | died_in("square")),
        (ended, died_in("square")),
        ("finished", passed("cube")),
    )
    result = grade(RIGHT, run=run)
    assert (result.points, result.status) == (13, ended)
    assert outcomes(result) == ["earned", ended, "earned"]
    assert result.questions[1].message
    assert result.reason
    assert "pid" not in result.questions[1].message


def test_a_run_that_dies_late_does_not_take_points_back(grade):
    result = grade(RIGHT, run=scripted(("kernel_died", passed("double", "square", "cube"))))
    assert (result.points, result.status) == (20, "kernel_died")


def test_the_better_of_two_runs_counts_but_not_twice(grade):
    run = scripted(("finished", passed("double", "cube")), ("finished", passed("square")))
    assert grade(RIGHT, run=run).points == 20


def test_a_result_says_whether_any_run_was_without_a_sandbox(grade, run_in_process):
    assert not grade(RIGHT, run=run_in_process).sandboxed
    safely = scripted(("finished", passed(*RIGHT)))
    assert grade(RIGHT, run=safely).sandboxed
    boxed = iter([True, False])

    def once_unsafe(notebook):
        return replace(run_in_process(notebook), sandboxed=next(boxed))

    assert not grade(RIGHT | {"cube": "def cube(x):\n    return 1"}, run=once_unsafe).sandboxed


MESSAGES = {
    "not answered": ('raise NotImplementedError("Question 1.2: Squared")  # hm', "Not answered"),
    "does not parse": ("def square(x:", "Your answer cell stopped: SyntaxError"),
    "stops": ("import nothing_here", "Your answer cell stopped: ModuleNotFoundError"),
    "visibly wrong": ("def square(x):\n    return 17.5", "The visible check says: square(1.5)"),
    "raises on other inputs": (
        "def square(x):\n    if x == 1.5:\n        return 2.25\n    raise ValueError(x)",
        "it raised ValueError.",
    ),
    "raises with a telling name": (
        "def square(x):\n    if x == 1.5:\n        return 2.25\n"
        "    raise type('X%s' % str(x).replace('.', '_'), (Exception,), {})",
        "it raised an exception.",
    ),
}


@pytest.mark.parametrize(("code", "words"), MESSAGES.values(), ids=MESSAGES)
def test_a_learner_is_told_what_went_wrong_but_no_hidden_input(grade, code, words):
    question = grade({"square": code}).questions[1]
    assert words in question.message
    assert "\n" not in question.message
    assert question.points == 0
    for number in ("2.20", "2.63", "2.44", "1.56"):  # the hidden inputs begin so
        assert number not in question.message
        assert number.replace(".", "_") not in question.message


def test_a_long_message_is_cut(grade):
    result = grade({"square": f"raise ValueError('{'a' * 5000}')"})
    assert len(result.questions[1].message) < 500


def test_an_unreadable_file_is_a_result_not_an_exception(key):
    result = grade_one(b"{", key, learner="bob", run=lambda notebook: pytest.fail("was run"))
    assert (result.status, result.points, result.max_points) == ("unreadable", 0, 20)
    assert "not JSON" in result.reason
    assert outcomes(result) == ["not_run"] * 3


def test_a_result_names_the_bytes_and_the_key_that_made_it(grade, key, hand_in):
    import hashlib

    result = grade(RIGHT)
    assert result.hand_in_sha256 == hashlib.sha256(hand_in(RIGHT)).hexdigest()
    assert result.key_sha256 == key.sha256
    assert grade(RIGHT).points == result.points
