"""What a signed identity costs: the same statements with a literal WHERE, plain, and signed.

Each statement runs many times in one transaction on the server itself, in a loop of PL/pgSQL, so
that no network and no client is measured. The three ways take turns in one run; the figures are
medians of the rounds, in microseconds a statement, and `signed-plain` is the median of each round's
difference. Every way must return the same rows, and check the identity once a statement.

Examples:
  python benchmarks/signed_identity.py
  python benchmarks/signed_identity.py --rows 1000000 --rounds 1000
  python benchmarks/signed_identity.py --format json
"""

import argparse
import json
import re
import statistics
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import URL, Connection, NullPool, create_engine, text

import hedgerow
from benchmarks.server import create_database, private_server, run
from hedgerow import Identity, LoginPasswords, RowSecurity, Signing, sql
from hedgerow.provisioning import functions
from hedgerow.provisioning.keys import reconcile_functions
from hedgerow.provisioning.roles import ensure_roles

WAYS = ("literal", "plain", "signed")
USER = UUID(int=1)
PASSWORD = "benchmark"  # noqa: S105
SECURITY = {
    "literal": RowSecurity(),
    "plain": RowSecurity(),
    "signed": RowSecurity(signing=Signing("the secret of this benchmark")),
}
STATEMENTS = {
    "SELECT rls.user_id()": "SELECT {user}",
    "one row, by its key": "SELECT * FROM item WHERE id = 1 {and_mine}",
    "the newest 50": "SELECT * FROM item WHERE true {and_mine} ORDER BY owner_id, id DESC LIMIT 50",
    "count of one's own": "SELECT count(*) FROM item WHERE true {and_mine}",
}
SETUP = f"""
CREATE TABLE item (id bigint PRIMARY KEY, owner_id uuid NOT NULL, title text NOT NULL);
INSERT INTO item SELECT n, lpad(to_hex(n % {{users}} + 1), 32, '0')::uuid, 'item ' || n
    FROM generate_series(0, {{rows}} - 1) n;
UPDATE item SET owner_id = '{USER}' WHERE id = 1;
CREATE INDEX ON item (owner_id, id);
CREATE TABLE open_item AS TABLE item;
ALTER TABLE open_item ADD PRIMARY KEY (id);
CREATE INDEX ON open_item (owner_id, id);
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY item_owner ON item TO rls_app_user USING (owner_id = (SELECT rls.user_id()));
GRANT SELECT ON item, open_item TO rls_app_user;
"""


@dataclass(frozen=True)
class Measurement:
    """Medians in microseconds a statement, and the rows that each way returned."""

    statement: str
    rows: int
    literal: float
    plain: float
    signed: float
    signed_minus_plain: float


def spelled(statement: str, way: str) -> str:
    if way == "literal":
        filled = statement.format(user=f"'{USER}'::uuid", and_mine=f"AND owner_id = '{USER}'")
        return filled.replace("item", "open_item")
    return statement.format(user="(SELECT rls.user_id())", and_mine="")


def prepare_database(server: URL, way: str, arguments: argparse.Namespace) -> URL:
    url = create_database(server, way)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        ensure_roles(connection, SECURITY[way], LoginPasswords(PASSWORD, PASSWORD))
        for statement in functions.create_statements():
            connection.execute(sql.Statement(statement))
        reconcile_functions(connection, SECURITY[way])
        for statement in SETUP.format(rows=arguments.rows, users=arguments.users).split(";"):
            if statement.strip():
                connection.execute(sql.Statement(statement))
        for number, statement in enumerate(STATEMENTS.values()):
            query = spelled(statement, way).removeprefix("SELECT")
            connection.execute(
                sql.Statement(
                    f"CREATE FUNCTION loop_{number}(times integer) RETURNS double precision"
                    " LANGUAGE plpgsql AS $$ DECLARE began timestamptz := clock_timestamp(); BEGIN"
                    f" FOR i IN 1..times LOOP PERFORM {query}; END LOOP; RETURN"
                    " extract(epoch FROM clock_timestamp() - began) * 1e6 / times; END $$"
                )
            )
    run(url, "VACUUM ANALYZE item, open_item")
    return url.set(username="rls_app_user", password=PASSWORD)


def check_rows(connections: dict[str, Connection], statement: str) -> int:
    results = [
        {tuple(row) for row in connections[way].execute(text(spelled(statement, way)))}
        for way in WAYS
    ]
    assert results[0] == results[1] == results[2], f"not the same rows: {statement}"
    return len(results[0])


def check_plan(connection: Connection, statement: str) -> None:
    explain = f"EXPLAIN (ANALYZE, VERBOSE, TIMING OFF) {spelled(statement, 'signed')}"
    plan = "\n".join(connection.scalars(text(explain)))
    checks = re.findall(r"InitPlan 1.*\n.*loops=(\d+)\)\n.*rls\.user_id", plan)
    assert checks == ["1"], f"the identity is not checked once a statement:\n{plan}"


def measure(arguments: argparse.Namespace) -> list[Measurement]:
    with private_server() as server:
        connections: dict[str, Connection] = {}
        for way in WAYS:
            url = prepare_database(server, way, arguments)
            connections[way] = create_engine(url, poolclass=NullPool).connect()
            hedgerow.bind(connections[way], Identity(USER), SECURITY[way])
        try:
            return [
                _measure_one(connections, number, name, statement, arguments)
                for number, (name, statement) in enumerate(STATEMENTS.items())
            ]
        finally:
            for connection in connections.values():
                connection.close()


def _measure_one(
    connections: dict[str, Connection],
    number: int,
    name: str,
    statement: str,
    arguments: argparse.Namespace,
) -> Measurement:
    rows = check_rows(connections, statement)
    check_plan(connections["signed"], statement)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(arguments.rounds + 1):
        for way in (*WAYS[turn % 3 :], *WAYS[: turn % 3]):
            call = text(f"SELECT loop_{number}(:times)")
            taken = connections[way].scalar(call, {"times": arguments.statements})
            connections[way].commit()
            if turn > 0:  # the first round fills the caches
                times[way].append(float(taken))
    medians = {way: statistics.median(times[way]) for way in WAYS}
    differences = [s - p for s, p in zip(times["signed"], times["plain"], strict=True)]
    return Measurement(name, rows, **medians, signed_minus_plain=statistics.median(differences))


def print_table(measurements: list[Measurement], arguments: argparse.Namespace) -> None:
    print(f"{arguments.rows:,} rows of {arguments.users:,} users; µs a statement, medians\n")
    print(
        f"{'statement':24}{'rows':>6}{'literal':>10}{'plain':>10}{'signed':>10}{'signed-plain':>14}"
    )
    for one in measurements:
        print(
            f"{one.statement:24}{one.rows:>6}{one.literal:>10.2f}{one.plain:>10.2f}"
            f"{one.signed:>10.2f}{one.signed_minus_plain:>14.2f}"
        )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000, help="rows in the table")
    parser.add_argument("--users", type=int, default=1_000, help="users who share them")
    parser.add_argument("--rounds", type=int, default=300, help="turns that each way takes")
    parser.add_argument("--statements", type=int, default=50, help="statements in each turn")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    arguments = parser.parse_args()
    if min(arguments.rows, arguments.users, arguments.rounds, arguments.statements) < 1:
        parser.error("every number must be 1 or more")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    measurements = measure(arguments)
    if arguments.format == "json":
        print(json.dumps([asdict(one) for one in measurements], indent=2))
    else:
        print_table(measurements, arguments)


if __name__ == "__main__":
    main()
