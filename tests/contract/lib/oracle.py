"""Node's programs of `oracle/`, with the packages that its lock file pins, installed once beside the Python ones."""

import hashlib
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "oracle"
FILES = ("package.json", "package-lock.json", ".npmrc", "decide.mjs", "reference.mjs")


@cache
def home() -> Path:
    """The folder with the programs and their packages, named by what is in it; nothing is put among the sources."""
    texts = b"".join((SOURCE / name).read_bytes() for name in FILES)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "apportion" / f"node-{hashlib.sha256(texts).hexdigest()[:16]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in FILES:
            shutil.copy(SOURCE / name, folder / name)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        (folder / "complete").touch()
    return folder


def run(name: str, question=None):
    """What a program of `oracle/` answers to a question."""
    asked = None if question is None else json.dumps(question)
    done = subprocess.run(
        ["node", home() / name], input=asked, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
