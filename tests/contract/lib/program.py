"""The program as its users have it: a binary, arguments, an exit code."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def binary() -> Path:
    """The binary named by APPORTION_BIN, or the one that `cargo build` makes."""
    named = os.environ.get("APPORTION_BIN")
    if named:
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug" / "apportion"


@dataclass
class Result:
    """How a run ended, and what it said to people."""

    code: int
    said: str


def environment(**extra: str) -> dict[str, str]:
    """The environment without anything of AWS but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nowhere | {"AWS_EC2_METADATA_DISABLED": "true"} | extra


def run(*arguments: object, cwd: Path, **extra: str) -> Result:
    """Runs the program to its end."""
    done = subprocess.run(
        [binary(), *map(str, arguments)],
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return Result(done.returncode, done.stdout + done.stderr)


def read_json(path: Path):
    """A JSON file; amounts in it are strings, so no float is ever read."""
    return json.loads(path.read_text(), parse_float=_no_float)


def _no_float(text: str):
    raise AssertionError(f"an amount was written as a number: {text}")
