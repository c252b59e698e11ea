"""Brings suites and their tools: from Debian, PyPI and npm, into .cache/compat."""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = (ROOT / ".cache").resolve() / "compat"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def say(text):
    print(f"compat: {text}", file=sys.stderr, flush=True)


def results():
    folder = CACHE / "results"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def call(*command, **options):
    """Runs a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"compat: {' '.join(map(str, command))}: {(done.stdout + done.stderr).strip()[-3000:]}")
    return done.stdout


def packages(wanted):
    """Installs packages of the system: name to a file it holds."""
    names = [package for package, file in wanted.items() if not Path(file).exists()]
    if not names:
        return
    if os.geteuid() != 0:
        raise SystemExit(f"compat: as root: apt-get install -y {' '.join(names)}")
    say(f"installing from the system's packages: {' '.join(names)}")
    call("apt-get", "update", "-qq")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    call("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names, env=environment)


def debian_source(package, into, release=None, version=None):
    """The original tarball of a Debian source package, unpacked into .cache/compat/`into`.

    Of the system's release if none is named. apt keeps lists of its own for it; the system's are left alone.
    """
    release = release or platform.freedesktop_os_release()["VERSION_CODENAME"]
    wanted = f"{package}={version}" if version else package
    folder = CACHE / into
    if folder.exists():
        return folder
    apt = CACHE / "apt" / release
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {mirror()} {release} main\n")
    (apt / "conf").write_text(
        f'Dir::Etc::sourcelist "{apt}/sources.list"; Dir::Etc::sourceparts "-";'
        f'Dir::State::lists "{apt}/lists"; Dir::Cache "{apt}/cache";'
        f'APT::Sandbox::User "{os.environ.get("USER", "root")}";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(apt / "conf")}
    downloads = CACHE / "downloads" / into
    downloads.mkdir(parents=True, exist_ok=True)
    say(f"fetching the source {wanted} from Debian {release}")
    call("apt-get", "-qq", "update", env=environment)
    command = ["apt-get", "-qq", "source", "--tar-only", "--download-only", wanted]
    # A package of many parts: the suite is in the first, and the others may be missing.
    done = subprocess.run(command, cwd=downloads, env=environment, capture_output=True, text=True)
    found = [path for path in downloads.iterdir() if ".orig.tar." in path.name]
    if not found:
        raise SystemExit(
            f"compat: {wanted} cannot be had from Debian's mirror; unpack its source into {folder} by hand\n"
            f"{done.stderr.strip()[-800:]}"
        )
    return unpack(found[0], folder)


def mirror():
    """The one of the system's that has the source packages."""
    listed = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    for line in (line for path in listed if path.exists() for line in path.read_text().splitlines()):
        words = [word for word in line.split() if not word.startswith("[")]
        if words[:1] in (["URIs:"], ["deb"]):
            return words[1]
    raise SystemExit("compat: no mirror of Debian's is configured here")


def sdist(package, version, into):
    """A source distribution, unpacked into .cache/compat/`into`."""
    folder = CACHE / into
    if folder.exists():
        return folder
    say(f"fetching the source of {package} {version} from the Python package index")
    downloads = CACHE / "downloads" / into
    downloads.mkdir(parents=True, exist_ok=True)
    call(
        python(), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package, "--dest", downloads,
        f"{package}=={version}",
    )
    return unpack(next(downloads.glob(f"{package}-*.tar.gz")), folder)


def unpack(tarball, folder):
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    with tarfile.open(tarball) as archive:
        archive.extractall(part, filter="data")
    inner = list(part.iterdir())
    if len(inner) == 1 and inner[0].is_dir():
        inner[0].rename(folder)
        part.rmdir()
    else:
        part.rename(folder)
    return folder


def python(requirements=None):
    """The Python of an environment with these requirements; one environment for each file."""
    name = requirements.stem if requirements else "base"
    venv = CACHE / "venv" / name
    program = venv / "bin" / "python"
    wanted = requirements.read_text() if requirements else ""
    stamp = venv / "requirements"
    if stamp.exists() and stamp.read_text() == wanted:
        return program
    shutil.rmtree(venv, ignore_errors=True)
    call(sys.executable, "-m", "venv", venv)
    if requirements:
        say(f"installing into .cache/compat/venv/{name}: {' '.join(wanted.split())}")
        call(program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements)
    stamp.write_text(wanted)
    return program


def node_modules(folder, *names):
    """Installs npm packages of fixed versions beside a suite."""
    stamp = folder / "node_modules" / ".compat"
    wanted = "\n".join(names)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not shutil.which("npm"):
        packages({"npm": "/usr/bin/npm"})
    say(f"installing into .cache/compat/{folder.name}/node_modules: {' '.join(names)}")
    call(
        "npm", "install", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps",
        "--prefix", folder, *names, cwd=folder,
    )
    stamp.write_text(wanted)
