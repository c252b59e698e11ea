"""PostgreSQL's own source, of the version of the server that is installed or the nearest Debian has."""

import re
import shutil

import fetch
from stack import postgres_binaries


def server_version():
    return fetch.call(postgres_binaries() / "postgres", "--version").split()[2]


def major():
    return server_version().split(".")[0]


def prepare():
    """The source's folder; with it come the headers and the programs that run its tests."""
    header = f"/usr/include/postgresql/{major()}/server/common/fe_memutils.h"
    fetch.packages({f"postgresql-server-dev-{major()}": header})
    return fetch.debian_source(f"postgresql-{major()}", f"postgresql-{server_version()}")


def version():
    """Of the source, once it is there."""
    if not source().exists():
        return server_version()
    return re.search(r"PACKAGE_VERSION='(.+)'", source().joinpath("configure").read_text())[1]


def source():
    return fetch.CACHE / f"postgresql-{server_version()}"


def tool(name):
    """A program of the test framework."""
    return postgres_binaries().parent / "lib" / "pgxs" / "src" / "test" / name


def compiler():
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise SystemExit("compat: no C compiler here: apt-get install gcc libc6-dev")
