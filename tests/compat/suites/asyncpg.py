"""asyncpg's own tests, against a server that runs already."""

import fetch
from suites import junit

NAME = "asyncpg"
TITLE = "asyncpg, its tests"
VERSION = "0.32.0"
REQUIREMENTS = fetch.HERE / "requirements" / "asyncpg.txt"


def prepare():
    fetch.python(REQUIREMENTS)
    folder = fetch.sdist("asyncpg", VERSION, f"asyncpg-{VERSION}")
    sources = folder / "asyncpg"
    if sources.exists():
        # The built package is tested, not these.
        sources.rename(folder / "asyncpg.sources")


def version():
    return VERSION


def run(target):
    folder = fetch.CACHE / f"asyncpg-{VERSION}"
    arguments = [
        "-p", "no:asyncio", "tests", "--ignore=tests/test__sourcecode.py", "--ignore=tests/test__environment.py",
    ]
    return junit.run(target, NAME, fetch.python(REQUIREMENTS), folder, arguments)
