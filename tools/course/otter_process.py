"""What runs otter-grader, in a process of its own: it changes folders, signals and limits.

python -m course.otter_process assign MASTER RESULT
python -m course.otter_process run NOTEBOOK AUTOGRADER ANSWER LIMITS
"""

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import nbformat

INDEX = "course_index"  # where a cell of the submission keeps its number
STOPPED = "the whole notebook took longer than it may"

# The first cell of every submission. A test that hangs, exits or finds nothing to test fails
# with a sentence, and the other tests still run.
PRELUDE = """\
def _prelude():
    import inspect, signal
    from otter.test_files.exception_test import ExceptionTestFile, test_case

    class TooLong(Exception): ...

    def ring(*_):
        raise TooLong

    call = test_case.call_func

    def call_func(self, env):
        for name in self._get_func_params():
            if name != "env" and env.get(name) is None:
                raise AssertionError(
                    f"{{name}} is not there. Its cell is missing, or raised an error when it ran. "
                    "Put it back from your copy of the assignment, and run all cells from the top."
                )
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, {test})
        try:
            call(self, env)
        except TooLong:
            raise AssertionError(
                "It ran longer than {test} seconds and was stopped. Does a loop never end?"
            ) from None
        except SystemExit:
            raise AssertionError("It called exit() in the middle of the test.") from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    test_case.call_func = call_func
    ExceptionTestFile._generate_error_message = lambda self, error, context=0: (
        str(error) if isinstance(error, AssertionError) else f"{{type(error).__name__}}: {{error}}"
    )


_prelude()
"""


def assign(master: Path, result: Path) -> None:
    from otter.assign import main

    main(str(master), str(result), no_pdfs=True, no_run_tests=True)


def prepared(notebook: Any, test_seconds: float) -> Any:
    """The submission as it is run: its cells numbered, our kernel, the prelude."""
    for number, cell in enumerate(notebook.cells, 1):
        cell.metadata[INDEX] = number
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    notebook.cells.insert(0, nbformat.v4.new_code_cell(PRELUDE.format(test=test_seconds)))
    return notebook


def run(submission: Path, autograder: Path, limits: dict[str, float]) -> dict[str, Any]:
    """Otter's results as plain values, and the cells of the submission that ended in an error."""
    memory = int(limits["memory"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    import nbconvert.preprocessors
    from otter.api import grade_submission
    from traitlets import Bool, Integer

    kernels: list[int] = []
    late = threading.Event()

    class Limited(nbconvert.preprocessors.ExecutePreprocessor):
        """Otter sets no limit of time; a cell that passes ours is interrupted."""

        timeout = Integer(int(limits["cell"])).tag(config=True)
        interrupt_on_timeout = Bool(True).tag(config=True)

        def start_new_kernel_client(self) -> Any:
            kernels.append(self.km.provisioner.pid)
            return super().start_new_kernel_client()

    def end() -> None:
        late.set()
        for pid in kernels:
            os.kill(pid, signal.SIGKILL)

    # otter imports it by this name when it grades
    nbconvert.preprocessors.ExecutePreprocessor = Limited
    notebook = prepared(nbformat.read(submission, as_version=4), limits["test"])
    nbformat.write(notebook, submission)
    timer = threading.Timer(limits["notebook"], end)
    timer.daemon = True
    timer.start()
    try:
        results = grade_submission(str(submission), str(autograder), quiet=True)
    except Exception as error:
        if late.is_set():
            return {"failed": STOPPED}
        name = type(error).__name__
        if name == "DeadKernelError":
            return {"failed": "Python itself ended while it ran, as by os._exit or for memory"}
        return {"failed": f"otter-grader could not grade it ({name}: {error})"}
    finally:
        timer.cancel()
    if results.catastrophic_error is not None:
        return {"failed": "the last cell did not come to its end", "errors": errors(results)}
    files = {
        name: {
            "score": float(file.score),
            "cases": [
                {"passed": case.passed, "message": case.message or ""}
                for case in file.test_case_results
            ],
        }
        for name, file in results.results.items()
    }
    return {"questions": files, "errors": errors(results)}


def errors(results: Any) -> list[list[Any]]:
    """Number, name and text of the error of each cell that the student wrote."""
    found = []
    for cell in getattr(results, "notebook", None).cells if results.notebook else []:
        for output in cell.get("outputs", []):
            if output.output_type == "error" and INDEX in cell.metadata:
                found.append([cell.metadata[INDEX], output.ename, output.evalue])
    return found


def main(arguments: list[str]) -> None:
    if arguments[0] == "assign":
        assign(Path(arguments[1]), Path(arguments[2]))
        return
    answer = run(Path(arguments[1]), Path(arguments[2]), json.loads(arguments[4]))
    Path(arguments[3]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
