"""A Dask cluster of real processes: the same grades as on this machine, whoever dies."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_utils import cli
from course_utils.grading.batches import cluster
from course_utils.grading.key import Key
from course_utils.grading.results import result_paths

HERE = str(Path(__file__).parent)
RIGHT = {"double": "def double(x):\n    return x + x"}
WRONG = {"double": "def double(x):\n    return x"}
# `course grade` that runs the cells in the process that grades, here or on a worker
IN_PROCESS = """
import sys
import conftest
from course_utils import cli
from course_utils.cli import grade

grade._runner = lambda *how: conftest.run_slowly
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start processes that end with the test; what they print goes to a log."""
    monkeypatch.setenv("PYTHONPATH", HERE)  # conftest is to be found wherever hand-ins are graded
    monkeypatch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    started = []

    def run(*arguments):
        with (tmp_path / "log").open("a") as log:
            command = [sys.executable, *map(str, arguments)]
            started.append(subprocess.Popen(command, stdout=log, stderr=log))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(start, tmp_path):
    """The address of a scheduler without workers."""
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--no-show"]
    start("-m", "dask", "scheduler", *options, "--scheduler-file", file)
    log = tmp_path / "log"
    return waited_for(lambda: log.is_file() and address_in(log.read_text()))


def address_in(text):
    """The address that a scheduler prints, if it has."""
    _, found, rest = text.partition("Scheduler at:")
    return rest.split()[0] if found and rest.split() else ""


def waited_for(condition, *, seconds=120):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, Path("log").read_text()
        time.sleep(0.05)
    return value


@pytest.fixture
def start_workers(start, scheduler, tmp_path):
    """Start worker processes of one thread each, and wait until the scheduler knows them."""
    options = ["--nthreads", 1, "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    log = tmp_path / "log"

    def registered():
        return log.read_text().count("Registered to:")

    def start_some(number):
        before = registered()
        started = [start("-m", "dask", "worker", scheduler, *options) for _ in range(number)]
        waited_for(lambda: registered() == before + number)
        return started

    return start_some


@pytest.fixture
def workers(start_workers):
    return start_workers(2)


@pytest.fixture
def arguments(folder, hand_in, built_key):
    """What to grade: a class of 16."""
    kinds = [hand_in(RIGHT), hand_in(WRONG), hand_in(), b"{"] * 4
    path = folder(**{f"learner{number:02}": data for number, data in enumerate(kinds)})
    return ["grade", path, "--key", built_key]


def test_one_of_two_workers_killed_grades_are_those_of_this_machine(
    start, scheduler, workers, arguments, without_seconds, tmp_path
):
    command = ["-c", IN_PROCESS, *arguments, "--unsafe-no-sandbox"]
    assert start(*command, "--jobs", 1, "--out", tmp_path / "local").wait() == 0
    out = tmp_path / "out"
    batch = start(*command, "--scheduler", scheduler, "--out", out)
    waited_for(lambda: len([*result_paths(out)]) >= 3)
    workers[0].kill()
    assert batch.poll() is None, "it ended before a worker could be killed"
    assert batch.wait() == 0, (tmp_path / "log").read_text()
    assert without_seconds(out) == without_seconds(tmp_path / "local")


def test_a_batch_goes_on_when_all_of_its_workers_are_replaced(
    start, scheduler, start_workers, arguments, tmp_path
):
    """Nothing that a hand-in needs, e.g. its key, was with the workers alone."""
    (first,) = start_workers(1)
    out = tmp_path / "out"
    command = ["-c", IN_PROCESS, *arguments, "--unsafe-no-sandbox"]
    batch = start(*command, "--scheduler", scheduler, "--out", out)
    waited_for(lambda: len([*result_paths(out)]) >= 3)
    first.kill()
    assert batch.poll() is None, "it ended before its worker could be killed"
    start_workers(1)
    assert batch.wait() == 0, (tmp_path / "log").read_text()
    assert len([*result_paths(out)]) == 16


def test_workers_have_sandboxes_of_their_own(
    scheduler, workers, folder, hand_in, built_key, tmp_path, sandbox, capsys
):
    path, out = folder(ana=hand_in(RIGHT), bob=b"{"), tmp_path / "out"
    status = cli.main(
        ["grade", str(path), "--key", str(built_key), "--out", str(out), "--scheduler", scheduler]
    )
    assert status == 0, capsys.readouterr()
    assert "ana,ex01_mini,7,20,graded" in (out / "gradebook.csv").read_text()


def test_a_scheduler_that_is_gone_ends_the_batch(folder, hand_in, grade_here, tmp_path):
    """Its end closes the client, which then raises at each hand-in."""

    class Closed:
        def get_executor(self, **options):
            return self

        def submit(self, *job, **options):
            raise ValueError("Client is closed")

    path = folder(ana=hand_in(RIGHT))
    with pytest.raises(cluster.ClusterError, match=r"gone .*Client is closed.* the same command"):
        grade_here(path, tmp_path / "out", executor=cluster.KeysSentOnce(Closed()))


def test_a_key_is_sent_once(folder, hand_in, grade_here, at_once, tmp_path):
    class Counting(at_once):
        sent = 0

        def get_executor(self, **options):
            return self

        def submit(self, job, *args, **options):
            if isinstance(args[0], Key):
                self.sent += 1
                return args[0]
            return super().submit(job, *args, **options)

    client = Counting()
    path = folder(ana=hand_in(RIGHT), bob=hand_in(WRONG), cy=hand_in())
    grade_here(path, tmp_path / "out", executor=cluster.KeysSentOnce(client))
    assert client.sent == 1


@pytest.fixture
def refusal(arguments, tmp_path, capsys):
    """Grade on the scheduler at an address; the one line that it is refused with."""

    def grade(address):
        out = tmp_path / "out"
        assert cli.main([*map(str, arguments), "--out", str(out), "--scheduler", address]) == 1
        assert not out.exists()
        said = capsys.readouterr()
        assert said.out == ""
        return said.err.splitlines()[-1]

    return grade


def test_a_scheduler_without_workers_is_refused(scheduler, refusal):
    assert refusal(scheduler) == (
        "The scheduler has no workers. Start some with: dask worker ADDRESS"
    )


def test_workers_with_another_version_of_the_grader_are_refused(
    scheduler, workers, refusal, monkeypatch
):
    monkeypatch.setattr(cluster, "grader_version", lambda: "0.0.0+this")
    assert "The grader here is 0.0.0+this, but tcp://127.0.0.1:" in refusal(scheduler)


def test_a_scheduler_that_does_not_answer_is_told(refusal, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN", "1s")
    assert "No scheduler answers at tcp://127.0.0.1:9" in refusal("tcp://127.0.0.1:9")


def test_an_address_that_is_none_is_told(refusal):
    assert "No scheduler answers at nonsense://x" in refusal("nonsense://x")


def test_without_the_package_the_remedy_is_told(refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert refusal("tcp://127.0.0.1:9").endswith("Run: pip install distributed")
