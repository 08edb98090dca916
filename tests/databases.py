"""A throwaway PostgreSQL for the tests: one cluster a run, one database at a time for each test.

The server is started by the first test that needs it, shared by all xdist workers, and stopped
by a watcher once the last of them has ended, however it ended. It needs PostgreSQL's server
programs (scripts/install-postgres), or SALEOR_KUSTOM_TEST_DATABASE_URL with the URL of a server
where databases may be created.
"""

import asyncio
import contextlib
import fcntl
import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

SECRET_KEY = "a secret key that is long enough for tests"
MISSING = (
    "PostgreSQL's server programs (initdb, postgres) are not installed, and these tests need "
    "them: run scripts/install-postgres as root, or apt-get install postgresql, or set "
    "SALEOR_KUSTOM_TEST_DATABASE_URL to a server where databases may be created"
)


class Cluster:
    """A PostgreSQL server of our own in a folder, reached through a socket in that folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.programs = server_programs()

    @property
    def url(self):
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder), safe='')}"

    def create(self, *options):
        """Make the files; options are those of initdb. Never as root: PostgreSQL refuses."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        user = _unprivileged()
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run(
            "initdb", "-D", str(self.folder / "pg"), "-U", "postgres", "--auth=trust",
            "--no-sync", "--encoding=UTF8", "--no-locale", *options,
        )  # fmt: skip

    def start(self, *, durable=False):
        """Start and wait until it answers. Not durable: a test's crash is never the machine's."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "fsync": "on" if durable else "off",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run(
            "pg_ctl", "start", "-w", "-t", "60", "-D", str(self.folder / "pg"), "-o", options,
            "-l", str(self.folder / "log"),
        )  # fmt: skip

    def stop(self, mode="immediate"):
        """Stop; `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.folder / "pg"))

    def limit_files(self, pid, most):
        """Let a process of the server write no file beyond so many bytes ("unlimited": any)."""
        self._run("/usr/bin/prlimit", f"--fsize={most}:", "--pid", str(pid))

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        user = _unprivileged()
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        done = subprocess.run(
            [self.programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            cwd="/",
            check=False,
            **as_user,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, program, done.stdout)


def server_programs():
    """Return the folder of PostgreSQL's server programs, the newest there is."""
    found = shutil.which("initdb")
    if found and shutil.which("pg_ctl"):
        return Path(found).parent
    by_version = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    if not by_version:
        raise RuntimeError(MISSING)
    return by_version[-1].parent


def _unprivileged():
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


#: What tells whether a database is as our migrations made it, but for its rows.
_SCHEMA = """select
    (select string_agg(format('%s %s %s', relname, relkind, reloptions), ',' order by relname)
        from pg_class where relnamespace = 'public'::regnamespace),
    (select string_agg(format('%s %s', attname, atttypid), ',' order by attname, relname)
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and attnum > 0),
    (select count(*) from pg_trigger where not tgisinternal),
    (select count(*) from pg_constraint),
    (select count(*) from pg_proc where pronamespace = 'public'::regnamespace),
    (select count(*) from migration),
    (select count(*) from pg_db_role_setting join pg_database on pg_database.oid = setdatabase
        where datname = current_database())"""
_OTHERS = """select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend'"""
_EMPTY = """do $$ declare found record; begin
    perform set_config('session_replication_role', 'replica', true);  -- foreign keys rest
    for found in select relname, relkind from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')
    loop
        if found.relkind = 'S' then
            execute format('alter sequence %I restart', found.relname);
        elsif found.relname <> 'migration' then
            execute format('delete from %I', found.relname);
        end if;
    end loop;
end $$"""


class Server:
    """The server of this test run, with a template that has our schema."""

    def __init__(self, run_id):
        self._given = os.environ.get("SALEOR_KUSTOM_TEST_DATABASE_URL", "")
        self._template = f"kustom_template_{run_id[:12]}"
        self._folder = Path(tempfile.gettempdir()) / f"saleor-kustom-{run_id[:12]}"
        self._ready = self._folder.with_suffix(".ready")
        self._starting = self._folder.with_suffix(".starting")
        self._in_use = None
        self._idle = []  # emptied databases of this process, to use again
        self.url = self._given or Cluster(self._folder).url

    def start(self):
        """Start it unless another worker of this run has."""
        with _locked(self._starting):
            self._in_use = self._folder.with_suffix(".in-use").open("a")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)  # until this process ends
            if not self._ready.exists():
                if not self._given:
                    cluster = Cluster(self._folder)
                    cluster.create()
                    cluster.start()
                    _watch(self._folder)
                self._make_template()
                self._ready.touch()

    def end(self):
        """Stop using it; what stops is the watcher's business, a given server is left clean."""
        for url in self._idle if self._given else ():
            self._drop(url)
        with self._in_use, _locked(self._starting), contextlib.suppress(BlockingIOError):
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._given:  # and nobody else of this run uses it
                self._admin(f"drop database if exists {self._template}")
                for file in (self._ready, self._starting, Path(self._in_use.name)):
                    file.unlink(missing_ok=True)

    def create(self, *, empty=False, fresh=False):
        """Make a database and return its URL; one that was used and emptied will do.

        Empty: without our schema. Fresh: never used, so that it has no statistics.
        """
        if self._idle and not (empty or fresh):
            return self._idle.pop()
        name = f"kustom_{uuid.uuid4().hex}"
        template = "template0" if empty else self._template
        self._admin(f"create database {name} template {template}")
        return _with_database(self.url, name)

    def drop(self, url):
        """Empty a database for the next test, or drop it if a test changed more than its rows."""
        with contextlib.suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as session:
            if session.execute(_SCHEMA).fetchone() == self._schema:
                session.execute(_OTHERS)
                session.execute(_EMPTY)
                self._idle.append(url)
                return
        self._drop(url)

    def _drop(self, url):
        self._admin(f"drop database if exists {urlsplit(url).path[1:]} with (force)")

    @functools.cached_property
    def _schema(self):
        with psycopg.connect(_with_database(self.url, self._template)) as session:
            return session.execute(_SCHEMA).fetchone()

    def _make_template(self):
        self._admin(f"drop database if exists {self._template}")
        self._admin(f"create database {self._template} template template0")
        asyncio.run(_migrated(_with_database(self.url, self._template)))

    def _admin(self, sql):
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)


async def _migrated(url):
    from saleor_kustom.store import Store

    store = await Store.open(url, secret_key=SECRET_KEY)
    await store.close()


def _with_database(url, name):
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextlib.contextmanager
def _locked(path):
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _watch(folder):
    """Start this file as a process that outlives us and clears up."""
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    os.posix_spawn(
        sys.executable,
        [sys.executable, __file__, str(folder)],
        os.environ,
        file_actions=nothing,
        setsid=True,
    )


def _clear_up(folder):
    """Wait until no process of the run uses the server, then stop and remove it."""
    folder = Path(folder)
    in_use, starting = folder.with_suffix(".in-use"), folder.with_suffix(".starting")
    while folder.exists():
        time.sleep(2.0)  # the next worker may be about to begin
        with _locked(in_use):
            pass
        with _locked(starting), in_use.open("a") as users, contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.with_suffix(".ready").unlink(missing_ok=True)
            Cluster(folder).remove()
    in_use.unlink(missing_ok=True)
    starting.unlink(missing_ok=True)


if __name__ == "__main__":
    _clear_up(sys.argv[1])
