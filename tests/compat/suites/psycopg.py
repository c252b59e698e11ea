"""psycopg 3's own tests."""

import fetch
from suites import junit

NAME = "psycopg"
TITLE = "psycopg 3, its tests"
VERSION = "3.2.6"
REQUIREMENTS = fetch.HERE / "requirements" / "psycopg.txt"


def prepare():
    fetch.python(REQUIREMENTS)
    fetch.debian_source("psycopg3", f"psycopg-{VERSION}", "trixie", f"{VERSION}-1")


def version():
    return VERSION


def run(target):
    folder = fetch.CACHE / f"psycopg-{VERSION}"
    dsn = f"host=127.0.0.1 port={target.port} user=postgres dbname=compat password='{target.password}'"
    arguments = [
        "-p", "no:randomly", "-p", "no:asyncio", f"--test-dsn={dsn}", "-m", "not slow and not timing and not mypy",
        "tests", "--ignore=tests/pool", "--ignore=tests/test_typing.py",
    ]
    return junit.run(target, NAME, fetch.python(REQUIREMENTS), folder, arguments)
