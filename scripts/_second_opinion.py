"""What scripts/second-opinion asks pgrls; its argument is the path of that program."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.databases import Database, clone_template, make_template, run_alembic
from tests.support.raw import connect
from tests.support.server import TestServer

# alembic_version is not the application's. The key of an account is its user's.
CONFIGURATION = """
[lint.rules.SEC001]
allowlist = ["public.alembic_version"]

[lint.rules.SEC021]
identity_columns = ["owner_id", "id"]
"""
FUNCTIONS = ("--auth-function", "rls.user_id", "--auth-function", "rls.role")
DROP_POLICIES_OF_OTHERS = """
    DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT * FROM pg_policies
            WHERE schemaname = 'public' AND permissive = 'PERMISSIVE'
                AND 'rls_app_user' <> ALL (roles)
        LOOP
            EXECUTE format('DROP POLICY %I ON %I', one.policyname, one.tablename);
        END LOOP;
    END $$
"""
SECRET = "a secret for this database alone"  # noqa: S105


class Opinion:
    """pgrls, asked about one database."""

    def __init__(self, program: str, database: Database, folder: Path) -> None:
        self._program = Path(program).absolute()
        self._url = database.owner_url.set(drivername="postgresql")
        self._folder = folder
        (folder / "pgrls.toml").write_text(CONFIGURATION)

    def ask(self, *arguments: str) -> str:
        """Return what pgrls says; ends this program where it finds fault."""
        url = self._url.render_as_string(hide_password=False)
        result = subprocess.run(
            [self._program, *arguments, "--schemas", "public"],
            cwd=self._folder,
            env={"DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        said = result.stdout + result.stderr
        if result.returncode != 0:
            sys.exit(f"{said}\nscripts/second-opinion: pgrls {' '.join(arguments)} finds fault.")
        print(f"pgrls {' '.join(arguments[:4])}: no fault")
        return result.stdout


def judge(opinion: Opinion, database: Database) -> None:
    opinion.ask("lint", "--fail-on", "error")
    opinion.ask("verify", "--strict", "--mode", "anon", *FUNCTIONS)
    cells = json.loads(opinion.ask("matrix", "--format", "json", "--roles", "rls_app_user"))
    unfiltered = [
        f"{row['table']} {row['command']}"
        for row in cells["rows"]
        if row["access"]["rls_app_user"]["verdict"] == "open"
    ]
    if unfiltered:
        sys.exit(f"scripts/second-opinion: open to rls_app_user: {', '.join(unfiltered)}.")
    # The prover does not tell roles apart in these modes, and the policies of others than users are
    # to let more through: they go first, in this database of the script's own.
    with connect(database.owner_url) as owner:
        owner.execute(DROP_POLICIES_OF_OTHERS)
        owner.commit()
    for mode in ("cross-tenant", "write"):
        opinion.ask("verify", "--strict", "--mode", mode, *FUNCTIONS)


def main(program: str) -> None:
    server = TestServer()
    url = server.start()
    try:
        make_template(url)
        for settings in ({}, {"RLS_CONTEXT_SECRET": SECRET}):
            database = clone_template(url)
            # pgrls takes FORCE for granted; so migrated, the policies are the same.
            result = run_alembic(
                database, "upgrade", "head", settings={"RLS_FORCE": "true", **settings}
            )
            if result.returncode != 0:
                sys.exit(result.stderr)
            with tempfile.TemporaryDirectory() as folder:
                judge(Opinion(program, database, Path(folder)), database)
    finally:
        server.stop()


if __name__ == "__main__":
    main(sys.argv[1])
