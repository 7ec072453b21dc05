"""SQL lives in `.sql` files as named blocks; no Python file spells or builds a statement."""

import ast
import re

import pytest

from tests.house.exceptions import limit
from tests.house.tree import PACKAGE, ROOT, Source, listed, source, sources

STATEMENT = re.compile(
    r"""\s*(
      (?i: select \s+ (.+?\s+from\s | [\d'*] | [\w.]+\( )
        | insert \s+ into \s | delete \s+ from \s | update \s+ [\w.]+ \s+ set \s+ \w+ \s* =
        | with \s+ (recursive\s+)? \w+ (\s*\([^)]*\))? \s+ as \s+ (not\s+materialized\s*)? \(
        | (create|alter|drop|truncate) \s+
          (table|index|unique|schema|database|role|type|view|sequence|function) \s )
      | (LISTEN|UNLISTEN|NOTIFY|SET|RESET|SHOW|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|LOCK|VACUUM|ANALYZE) (\s|;|$)
    ) | .*\b(ORDER\ BY|GROUP\ BY|ON\ CONFLICT|FOR\ UPDATE|RETURNING)\b""",
    re.VERBOSE | re.DOTALL,
)
RUNS_SQL = {"execute", "executemany", "stream", "copy"}
HEADING = re.compile(r"^-- ([a-z][a-z0-9_]*) --$", re.MULTILINE)


def spelt(file: Source) -> list[str]:
    """The strings of a file that are SQL; docstrings may speak of it."""
    prose = {id(node.value) for node in ast.walk(file.tree) if isinstance(node, ast.Expr)}
    return [
        f"{file.at(node)} {node.value.strip()[:60]!r}"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
        if STATEMENT.match(node.value)
    ]


def built(file: Source) -> list[str]:
    """The calls that run a statement glued together on the spot."""
    return [
        f"{file.at(call)} {ast.unparse(call)[:80]}"
        for call in ast.walk(file.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr in RUNS_SQL and call.args and _glued(call.args[0])
    ]


def names_said(file: Source) -> set[str]:
    """The names a file may ask for, as patterns: `"claim"` says itself, `f"count_{what}"` every count."""
    said = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and re.fullmatch("[a-z][a-z0-9_]*", str(node.value)):
            said.add(str(node.value))
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values]
            if re.fullmatch("[a-z0-9_]{3,}", "".join(parts)):
                said.add("".join(part or "[a-z0-9_]+" for part in parts))
    return said


def _glued(argument: ast.expr) -> bool:
    return isinstance(argument, ast.JoinedStr | ast.BinOp) or _formatted(argument)


def _formatted(argument: ast.expr) -> bool:
    """Whether a text is filled in by `.format`; the driver's own `SQL(...).format` quotes what it gets."""
    if not (isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute)):
        return False
    onto = argument.func.value
    quotes = isinstance(onto, ast.Call) and ast.unparse(onto.func).endswith("SQL")
    return argument.func.attr == "format" and not quotes


def test_python_spells_no_sql() -> None:
    found = [(file, spelt(file)) for file in sources()]
    faults = [fault for file, some in found if len(some) > limit("sql strings", file.path) for fault in some]
    assert faults == [], listed(faults)


def test_python_builds_no_sql() -> None:
    faults = [fault for file in sources() for fault in built(file)]
    assert faults == [], listed(faults)


def test_every_named_statement_is_used() -> None:
    said = re.compile("|".join(pattern for file in sources() for pattern in names_said(file)) or "(?!)")
    unused = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted(PACKAGE.rglob("*.sql"))
        for name in HEADING.findall(path.read_text(encoding="utf-8"))
        if not said.fullmatch(name)
    ]
    assert unused == [], listed(unused)


def test_named_statements_have_one_meaning_each() -> None:
    for path in PACKAGE.rglob("*.sql"):
        names = HEADING.findall(path.read_text(encoding="utf-8"))
        assert len(names) == len(set(names)), path


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "select id, name\n from jobs",
        "SELECT pg_try_advisory_lock(1)",
        "INSERT INTO runs VALUES (1)",
        "update cronzimus.jobs set status = 'paused'",
        "DELETE FROM runs",
        "WITH due AS (SELECT 1) SELECT * FROM due",
        "CREATE TABLE t (i int)",
        "LISTEN cronzimus_jobs",
        "SET LOCAL lock_timeout = 5",
        "BEGIN",
        " ORDER BY due_at",
    ],
)
def test_spelt_knows_sql(statement: str) -> None:
    assert spelt(source(f"x = {statement!r}"))
    assert spelt(source(f"x = f{statement + ' {y}'!r}"))


@pytest.mark.parametrize(
    "sentence",
    [
        "Select the jobs by tag",
        "Update the set of jobs",
        "Create a job from a file",
        "Delete the job",
        "with its trigger as given",
        "Show one run",
        "SETTINGS",
        "BEGINNING",
        "jobs.insert",
    ],
)
def test_spelt_knows_english(sentence: str) -> None:
    assert not spelt(source(f"x = {sentence!r}"))


def test_spelt_lets_docstrings_speak() -> None:
    assert not spelt(source('def f():\n    """SELECT 1 is what it runs."""\n'))


@pytest.mark.parametrize("argument", ['f"x {y}"', '"x" + y', '"x %s" % y', '"x {}".format(y)'])
def test_built_knows_glue(argument: str) -> None:
    assert built(source(f"db.execute({argument})"))


@pytest.mark.parametrize(
    "argument", ['SQL["claim"]', "statement", '"claim", [y]', 'sql.SQL(_SQL["listen"]).format(channel)']
)
def test_built_leaves_names_alone(argument: str) -> None:
    assert not built(source(f"db.execute({argument})"))


def test_names_said_knows_names_and_families() -> None:
    file = source('a = SQL["claim"]\nb = SQL[f"count_{what}"]\nc = f"{what}"\nd = f"{a}: {b}"')
    assert names_said(file) == {"claim", "count_[a-z0-9_]+", "count_"}
