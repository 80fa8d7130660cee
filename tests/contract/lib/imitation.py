"""The sandbox as a process of its own, for as long as a test needs it."""

import contextlib
import re
import signal
import subprocess

import program

NOW = "2026-11-20T08:00:00Z"


@contextlib.contextmanager
def running(*arguments: str):
    """The environment that `apportion sandbox` prints, while it runs."""
    process = subprocess.Popen(
        [program.binary(), "--quiet", "--now", NOW, "sandbox", *arguments],
        env=program.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        exported = {}
        while len(exported) < 4:
            line = process.stdout.readline()
            assert line, "the sandbox ended before it told its address"
            name, value = re.fullmatch(r"export (AWS_[A-Z_]+)=(\S+)\n", line).groups()
            exported[name] = value
        yield exported
        assert process.poll() is None, "the sandbox did not live through its clients"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
