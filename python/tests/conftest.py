"""What tests share: the command line of the package, and a small problem."""

import contextlib
import json
import signal
import subprocess

import pytest

import exarch
import exarch_program


def command_line(*arguments: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess:
    """Runs the program of the package."""
    done = subprocess.run([exarch_program.program(), *arguments], capture_output=True, text=True, input=stdin)
    assert done.returncode == code, done.stderr
    return done


def command_json(*arguments: str):
    return json.loads(command_line(*arguments, "--json").stdout)


@pytest.fixture
def small_problem() -> exarch.Problem:
    """Some 70 designs, which one can all look at."""
    space = {"PagePolicy": ["Open", "Closed"], "Scheduler": ["Fifo", "FrFcfs"], "RequestBufferSize": [1, 4],
             "MaxActiveTransactions": [1, 8, 128], "Arbiter": ["Simple", "Fifo", "Reorder"]}
    return exarch.Problem("dram", workload="cloud-1", space=space, objective="latency")


@pytest.fixture
def ctrl_c_after():
    """A context in which KeyboardInterrupt comes, as by Ctrl-C, when the process has computed for so many seconds."""

    @contextlib.contextmanager
    def context(seconds: float):
        before = signal.signal(signal.SIGVTALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    return context
