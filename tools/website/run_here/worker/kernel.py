"""The kernel in the browser: IPython's shell, whose outputs go to the page as nbformat has them.

``worker.js`` writes this file into Pyodide and calls ``start``, ``run`` and their neighbours.
Whatever goes to the page goes as JSON, through the function that ``start`` is given.
"""

import ast
import base64
import builtins
import importlib.metadata
import importlib.util
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
os.environ["IPYTHONDIR"] = tempfile.mkdtemp()

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

SHOWN = ("numpy", "scipy", "scikit-learn", "matplotlib", "sympy", "gmmlib")
AT_ONCE = 100  # pieces of a cell's text that are sent one by one
PAUSE = 0.1  # seconds between those that follow


class Page:
    """The page: where outputs go to, each with the number of the cell that runs."""

    def __init__(self) -> None:
        self.post = lambda text: None
        self.cell = None

    def send(self, kind, **content) -> None:
        self.post(json.dumps({"type": kind, "id": self.cell, **content}))

    def output(self, kind, **content) -> None:
        for stream in STREAMS:
            stream.flush()
        self.send("output", output={"output_type": kind, **content})


class Stream(io.TextIOBase):
    """Standard output or error. A line is sent at once, until there are very many of them."""

    encoding = "utf-8"

    def __init__(self, name) -> None:
        self._name = name
        self._held = []
        self._sent = 0
        self._last = 0.0

    def writable(self) -> bool:
        return True

    def begin(self) -> None:
        """A cell begins."""
        self._sent, self._held = 0, []

    def write(self, text) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._held.append(text)
        if "\n" in text and self._may():
            self.flush()
        return len(text)

    def _may(self) -> bool:
        return self._sent < AT_ONCE or time.monotonic() - self._last > PAUSE

    def flush(self) -> None:
        text = "".join(self._held)
        if not text:
            return
        self._held.clear()
        self._sent += 1
        self._last = time.monotonic()
        PAGE.send("output", output={"output_type": "stream", "name": self._name, "text": text})


PAGE = Page()
STREAMS = ()


def _encoded(data) -> dict:
    """Pictures as text."""
    return {
        kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for kind, value in data.items()
    }


class Publisher(DisplayPublisher):
    """``display`` and figures."""

    def publish(self, data, metadata=None, source=None, **options) -> None:
        PAGE.output("display_data", data=_encoded(data), metadata=metadata or {})

    def clear_output(self, wait=False) -> None:
        for stream in STREAMS:
            stream.flush()
        PAGE.send("clear", wait=bool(wait))


class Hook(DisplayHook):
    """The value of a cell's last line."""

    def start_displayhook(self) -> None:
        pass

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict, md_dict=None) -> None:
        PAGE.output(
            "execute_result",
            execution_count=self.prompt_count,
            data=_encoded(format_dict),
            metadata=md_dict or {},
        )

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """IPython without a terminal, a history or processes."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)

    def _showtraceback(self, etype, evalue, stb) -> None:
        PAGE.output("error", ename=etype.__name__, evalue=str(evalue), traceback=list(stb))

    def system(self, cmd) -> None:
        raise OSError("There are no other programs here: Python runs in the page alone.")

    system_piped = system_raw = getoutput = system

    def ask_exit(self) -> None:
        print("To end Python, restart it, or close the page.")

    def enable_gui(self, gui=None) -> None:
        pass


def _no_input(prompt="") -> str:
    raise StdinNotImplementedError("A cell cannot ask for input here. Set a variable instead.")


SHELL = None


def start(post) -> None:
    """Make the shell, in the folder of the chapters."""
    global SHELL, STREAMS
    PAGE.post = post
    os.chdir(Path(__file__).parent / "chapters")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    SHELL = Shell.instance(config=config)
    STREAMS = (Stream("stdout"), Stream("stderr"))
    sys.stdout, sys.stderr = STREAMS
    builtins.input = _no_input
    import matplotlib.pyplot  # noqa: F401  what draws is set up before the first cell

    settle()


def settle() -> None:
    """Packages that start threads, which are not to be had here, are told to do without."""
    import tqdm

    tqdm.tqdm.monitor_interval = 0
    if importlib.util.find_spec("dask"):
        from dask.base import named_schedulers
        from dask.local import get_sync

        named_schedulers.setdefault("threads", get_sync)  # in a browser Dask has no such name


def versions() -> str:
    """Python's and the packages'."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    return json.dumps(found | {name: importlib.metadata.version(name) for name in SHOWN})


def lacks(code, modules) -> bool:
    """Whether the code imports one of the modules, and it is not there."""
    try:
        nodes = list(ast.walk(ast.parse(SHELL.transform_cell(code))))
    except Exception:  # the cell will say it
        return False
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    tops = {name.partition(".")[0] for name in names}
    return any(not importlib.util.find_spec(name) for name in tops & set(json.loads(modules)))


async def run(cell, code) -> str:
    """Run a cell; its outputs have been sent when this ends."""
    PAGE.cell = cell
    for stream in STREAMS:
        stream.begin()
    if _awaits(code):
        transformed = SHELL.transform_cell(code)
        result = await SHELL.run_cell_async(code, store_history=True, transformed_cell=transformed)
        SHELL.events.trigger("post_execute")
        SHELL.events.trigger("post_run_cell", result)
    else:
        result = SHELL.run_cell(code, store_history=True)
    for stream in STREAMS:
        stream.flush()
    return json.dumps({"ok": bool(result.success), "count": result.execution_count})


def _awaits(code) -> bool:
    """Whether the cell awaits something at its top."""
    try:
        transformed = SHELL.transform_cell(code)
    except Exception:  # the cell will say it
        return False
    return SHELL.should_run_async(code, transformed_cell=transformed)
