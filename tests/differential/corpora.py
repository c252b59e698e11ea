"""The corpora: where each one's texts come from."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import adversarial
import generate
import mutate
import psql
import readings

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "differential"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def everyday():
    """Recorded from tools and drivers, or written down as such tools send it; one list per file."""
    for path in sorted((HERE / "everyday").glob("*.sql")):
        yield path.stem, path.read_text().removesuffix("\n").split("\n---\n")


def everyday_texts():
    return [text for _, texts in everyday() for text in texts]


def adversarial_texts():
    return adversarial.texts()


def generated(count):
    return list(generate.texts("ostiary", count))


def lax(texts):
    return [pair for seed in range(2) for pair in readings.lax(f"ostiary/{seed}", texts)]


def mutants(corpus, count):
    return list(mutate.texts("ostiary", corpus, count))


def regression(release, major):
    """The scripts of PostgreSQL's regression tests, contrib modules and languages.

    Answers the version and the texts; they come from Debian's source package of a release.
    """
    tarball = source(release, major)
    texts = []
    with tarfile.open(tarball) as archive:
        members = [m for m in archive.getmembers() if m.isfile() and is_test(m.name)]
        for member in sorted(members, key=lambda m: m.name):
            script = archive.extractfile(member).read().decode("utf-8", "replace")
            texts += [text.sql for text in psql.split(script) if text.standard_strings]
    version = tarball.name.split("_")[1].removesuffix(".orig.tar.bz2")
    return version, texts


def is_test(name):
    parts = name.split("/")
    return name.endswith(".sql") and parts[-2] == "sql" and parts[1] in ("src", "contrib")


def source(release, major):
    """The original tarball, fetched by apt into .cache without touching the system's lists."""
    folder = CACHE / f"postgresql-{major}"
    found = sorted(folder.glob("*.orig.tar.bz2"))
    if found:
        return found[-1]
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    uri = "http://deb.debian.org/debian"
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    if sources.exists():
        lines = [line.split() for line in sources.read_text().splitlines()]
        uri = next((line[1] for line in lines if line[:1] == ["URIs:"]), uri)
    (apt / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {uri} {release} main\n")
    (apt / "conf").write_text(
        f'Dir::Etc::sourcelist "{apt}/sources.list"; Dir::Etc::sourceparts "-";'
        f'Dir::State::lists "{apt}/lists"; Dir::Cache "{apt}/cache"; APT::Sandbox::User "{os.environ.get("USER", "root")}";\n'
    )
    print(f"differential: fetching the source of PostgreSQL {major} from Debian {release}", file=sys.stderr)
    environment = {**os.environ, "APT_CONFIG": str(apt / "conf")}
    for command in (["update"], ["source", "--download-only", f"postgresql-{major}"]):
        done = subprocess.run(["apt-get", "-qq", *command], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"apt-get {' '.join(command)}: {done.stderr.strip()}")
    found = sorted(folder.glob("*.orig.tar.bz2"))
    if not found:
        raise SystemExit(f"apt-get source brought no tarball of postgresql-{major}")
    return found[-1]
