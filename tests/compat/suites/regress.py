"""PostgreSQL's regression tests, run by pg_regress and psql.

A test's outcome is pg_regress's verdict and a digest of what psql printed: through the gateway every line has
to be the same, also where both differ from what the source expects.
"""

import hashlib
import re

import fetch
from suites import postgres_source

NAME = "regress"
TITLE = "PostgreSQL's regression tests"


def prepare():
    tests = postgres_source.prepare() / "src" / "test" / "regress"
    library = tests / "regress.so"
    if not library.exists():
        include = fetch.call("pg_config", "--includedir-server").strip()
        fetch.call(postgres_source.compiler(), "-O1", "-fPIC", "-shared", f"-I{include}", "-o", library, tests / "regress.c")
    # The server, another user, reads and writes files here.
    fetch.call("chmod", "-R", "a+rwX", tests)


def version():
    return postgres_source.version()


def run(target):
    tests = postgres_source.source() / "src" / "test" / "regress"
    output = fetch.results() / f"{NAME}.{target.name}"
    fetch.call("rm", "-rf", output)
    output.mkdir(parents=True)
    output.chmod(0o777)
    done = target.command(
        postgres_source.tool("regress/pg_regress"), f"--inputdir={tests}", f"--outputdir={output}", f"--dlpath={tests}",
        f"--bindir={postgres_source.postgres_binaries()}", "--host=127.0.0.1", f"--port={target.port}", "--user=postgres",
        "--max-connections=4", f"--schedule={tests}/parallel_schedule", timeout=1800, cwd=tests,
    )
    output.joinpath("log").write_text(done.stdout + done.stderr)
    outcomes = {}
    for name, verdict in re.findall(r"^(?:test|    |ok \d+|not ok \d+)\s+(\w+)\s+\.\.\. (ok|FAILED)", done.stdout, re.MULTILINE):
        outcomes[name] = "passed" if verdict == "ok" else "failed"
    if not outcomes:
        raise SystemExit(f"compat: {NAME} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    for path in sorted((output / "results").glob("*.out")):
        text = plain(path.read_text(errors="replace"), target, output)
        outcomes[f"{path.stem} (output)"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    return outcomes


def plain(text, target, output):
    """What does not depend on where the test ran."""
    return text.replace(str(output), "OUTPUT").replace(str(target.port), "PORT")
