"""pg_dump and psql: a database dumped through the gateway, restored through it, dumped again."""

import difflib
import re

import fetch
from suites import postgres_source

NAME = "dump"
TITLE = "`pg_dump | psql`"
SEED = fetch.HERE / "dump.sql"
FORMATS = {"plain": ["-Fp"], "inserts": ["-Fp", "--inserts"], "custom": ["-Fc"]}


def prepare():
    postgres_source.prepare()


def version():
    return postgres_source.server_version()


def run(target):
    outcomes = {}
    folder = fetch.results() / f"{NAME}.{target.name}"
    fetch.call("rm", "-rf", folder)
    folder.mkdir(parents=True)

    def step(name, *words):
        done = target.command(*words)
        folder.joinpath(f"{name}.log".replace(" ", "-")).write_text(done.stdout + done.stderr)
        outcomes[name] = "passed" if done.returncode == 0 else "failed"
        return done.returncode == 0

    step("seed", "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", SEED)
    for name, format in FORMATS.items():
        dump = folder / f"{name}.dump"
        copy = f"copy_{name}"
        if not step(f"{name}: dump", "pg_dump", *format, "-f", dump):
            continue
        step(f"{name}: create", "psql", "-Xq", "-c", f"CREATE DATABASE {copy}")
        if name == "custom":
            step(f"{name}: restore", "pg_restore", "-e", "-d", copy, dump)
        else:
            step(f"{name}: restore", "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", copy, "-f", dump)
        again = folder / f"{name}.again"
        step(f"{name}: dump again", "pg_dump", "-Fp", "-d", copy, "-f", again)
        first = folder / "plain.dump"
        if first.exists() and again.exists():
            changed = list(difflib.unified_diff(lines(first), lines(again), lineterm="", n=0))
            folder.joinpath(f"{name}.diff").write_text("\n".join(changed))
            outcomes[f"{name}: nothing was lost"] = "failed" if changed else "passed"
    if (first := folder / "plain.dump").exists():
        other = fetch.results() / f"{NAME}.direct" / "plain.dump"
        outcomes["the same as a direct dump"] = "passed" if lines(first) == lines(other) else "failed"
    return outcomes


def lines(path):
    """A dump without the line that is random by design."""
    text = path.read_text(errors="replace")
    return [line for line in text.split("\n") if not re.match(r"\\(un)?restrict ", line)]
