"""A PostgreSQL server of one's own, and a gateway before it that permits everything."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import fetch

HERE = Path(__file__).parent
DATABASE = "compat"
PASSWORD = "compat secret"


@dataclass(frozen=True)
class Target:
    """Where a suite connects to, as role `postgres`."""

    name: str
    port: int
    password: str

    def environment(self, **more):
        """This process's environment with libpq's variables for this target."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGPASSWORD": self.password,
            "PGDATABASE": DATABASE,
            **more,
        }

    def command(self, *words, timeout=900, environment=None, **options):
        """Runs a program against this target; a program that hangs is ended and counts as failed."""
        try:
            return subprocess.run(
                words, env=self.environment(**(environment or {})), capture_output=True, text=True, errors="replace",
                timeout=timeout, stdin=subprocess.DEVNULL, **options,
            )
        except subprocess.TimeoutExpired as late:
            text = lambda part: (part or b"").decode("utf-8", "replace") if isinstance(part, bytes) else part or ""
            return subprocess.CompletedProcess(words, 124, text(late.stdout), text(late.stderr) + "\ntimed out")


class Stack:
    """The server and the gateway; both end with the `with` block."""

    def __init__(self, folder, closing):
        self.folder = folder
        self.closing = closing

    @classmethod
    @contextlib.contextmanager
    def start(cls):
        with contextlib.ExitStack() as closing:
            folder = Path(tempfile.mkdtemp(prefix="ostiary-compat-"))
            closing.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o755)
            stack = cls(folder, closing)
            stack.start_server()
            stack.start_gateway()
            yield stack

    def start_server(self):
        binaries = postgres_binaries()
        user = unprivileged()
        self.port = free_port()
        home = self.folder / "postgres"
        home.mkdir(mode=0o755)
        if user:
            os.chown(home, *user)
        data = home / "data"
        secret = home / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        identity = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        fetch.call(
            binaries / "initdb", "-D", data, "-U", "postgres", "--auth-host=scram-sha-256", "--auth-local=trust",
            f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync", env=environment, cwd="/", **identity,
        )
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(
                f"listen_addresses='127.0.0.1'\nport={self.port}\nunix_socket_directories='{home}'\nfsync=off\n"
                "max_connections=200\nmax_prepared_transactions=10\nshared_buffers=64MB\n"
            )
        self.spawn(
            [binaries / "postgres", "-D", data], self.folder / "postgres.log", env=environment, cwd="/", **identity
        )
        self.direct = Target("direct", self.port, PASSWORD)
        wait("PostgreSQL", lambda: self.sql("SELECT 1", database="postgres", check=False).returncode == 0)
        self.server_version = self.sql("SHOW server_version", database="postgres").stdout.split()[0]

    def start_gateway(self):
        shutil.copytree(HERE / "policy", self.folder / "policy")
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD)
        gateway = free_port()
        (self.folder / "ostiary.yaml").write_text(
            f"""state_dir: state
control_plane: {{listen: "127.0.0.1:{free_port()}"}}
identity: {{issuers: [{{issuer: "http://127.0.0.1:{(issuer := free_port())}", audience: ostiary}}]}}
roles: {{admin: [platform], reviewer: [dba], auditor: [security]}}
policy: policy
envoy: {{admin: "127.0.0.1:{free_port()}", concurrency: 2}}
resources:
  - {{name: compat, kind: postgres, listen: "127.0.0.1:{gateway}", address: "127.0.0.1:{self.port}",
     role: postgres, password: {{file: password}}}}
"""
        )
        ostiary = fetch.ROOT / "dist" / "ostiary"
        if not ostiary.exists():
            raise SystemExit("compat: dist/ostiary is missing: `just build` makes it")
        ready = self.folder / "ready"
        log = self.folder / "ostiary.log"
        command = [ostiary, "up", "-f", self.folder / "ostiary.yaml", "--dev", "--ready-file", ready, "--grace", "0"]
        if fetch.os.environ.get("COMPAT_VERBOSE"):
            command.append("--verbose")
        gate = self.spawn(command, log, cwd=self.folder)
        wait("the gateway", lambda: ready.exists() or ended(gate, log))
        token = fetch.call(
            ostiary, "dev", "token", "--state", self.folder / "state" / "dev", "--sub", "compat", "--groups", "agents",
            "--ttl", "12h",
        ).strip()
        self.through = Target("through", gateway, token)

    def spawn(self, command, log, **options):
        with log.open("ab") as out:
            process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                **options,
            )
        self.closing.callback(end, process)
        return process

    def sql(self, text, database=DATABASE, check=True):
        """Runs SQL past the gateway."""
        done = self.direct.command("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text)
        if check and done.returncode != 0:
            raise SystemExit(f"compat: {text}: {done.stderr}")
        return done

    def fresh_database(self):
        """An empty database, and no other that a suite left."""
        others = self.sql(
            "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')", "postgres"
        )
        for name in others.stdout.split("\n"):
            if name:
                quoted = name.replace('"', '""')
                self.sql(f'DROP DATABASE "{quoted}" WITH (FORCE)', "postgres")
        self.sql(f"CREATE DATABASE {DATABASE}", "postgres")


def postgres_binaries():
    """`PG_BIN`, or the newest of the system's."""
    named = os.environ.get("PG_BIN")
    found = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "initdb").exists():
            return folder
    raise SystemExit("compat: no PostgreSQL server here; `./bootstrap compat` installs it")


def unprivileged():
    """Who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise SystemExit("compat: neither `postgres` nor `nobody` is a user here")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(what, condition, seconds=300):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"compat: {what} does not start")
        time.sleep(0.1)


def ended(process, log):
    if process.poll() is not None:
        raise SystemExit(f"compat: the gateway ended:\n{log.read_text()[-3000:]}")
    return False


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
