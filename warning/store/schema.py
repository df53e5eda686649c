"""Migrations, from the first tables to today's: what is here once is never edited, only added to."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from warning.store import finding, inforce, load, matrix, pull, push, score, tally
from warning.store.first_tables import ALERTS, JUDGEMENTS, OBSERVATIONS, RUNS, TELLING

MIGRATIONS = Migrations("kapok")

_WAITING = """
CREATE TABLE due_from (
    job TEXT PRIMARY KEY,
    instant TEXT NOT NULL
);
CREATE TABLE refused_file (
    name TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since TEXT NOT NULL
);
CREATE TABLE fit (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
);
"""

_SETTLED = """
ALTER TABLE quarantine ADD COLUMN indicator TEXT;
ALTER TABLE quarantine ADD COLUMN place TEXT;
ALTER TABLE quarantine ADD COLUMN date TEXT;
ALTER TABLE quarantine ADD COLUMN number TEXT;
ALTER TABLE quarantine ADD COLUMN received_at TEXT;
ALTER TABLE quarantine ADD COLUMN state TEXT NOT NULL DEFAULT 'open'
    CHECK (state IN ('open', 'delivered', 'fixed', 'dropped'));
ALTER TABLE quarantine ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE quarantine ADD COLUMN at TEXT;
ALTER TABLE quarantine ADD COLUMN "by" INTEGER REFERENCES feed_file (id);
CREATE INDEX quarantine_open ON quarantine (indicator, place) WHERE state = 'open';
"""


_CORRECTIONS = """
ALTER TABLE judged ADD COLUMN known_at INTEGER;
CREATE TABLE stood (
    series_id INTEGER NOT NULL REFERENCES series (id),
    day INTEGER NOT NULL,
    alert TEXT,
    PRIMARY KEY (series_id, day)
) WITHOUT ROWID;
"""

_SEVERAL = """
ALTER TABLE quarantine RENAME TO quarantine_before;
DROP INDEX quarantine_open;
CREATE TABLE quarantine (
    file INTEGER NOT NULL REFERENCES feed_file (id),
    row INTEGER NOT NULL,
    part INTEGER NOT NULL,
    "column" TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    indicator TEXT,
    place TEXT,
    date TEXT,
    number TEXT,
    received_at TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'delivered', 'fixed', 'dropped')),
    note TEXT NOT NULL DEFAULT '',
    at TEXT,
    "by" INTEGER REFERENCES feed_file (id),
    PRIMARY KEY (file, row, part)
) WITHOUT ROWID;
INSERT INTO quarantine SELECT file, row, 1, "column", value, reason, indicator, place, date, number, received_at,
    state, note, at, "by" FROM quarantine_before;
DROP TABLE quarantine_before;
CREATE INDEX quarantine_open ON quarantine (indicator, place) WHERE state = 'open';
"""

_SAME_CONTENT = """
ALTER TABLE feed_file ADD COLUMN content TEXT;
CREATE INDEX feed_file_content ON feed_file (content) WHERE content IS NOT NULL;
"""


_BATCHES = """
ALTER TABLE signal ADD COLUMN batch_total REAL;
ALTER TABLE signal ADD COLUMN batch_usual REAL;
"""


@MIGRATIONS()
def m001_first_tables(db: Database) -> None:
    """Observations, what was judged from them, alerts, messages, documents and runs."""
    for part in (OBSERVATIONS, JUDGEMENTS, ALERTS, TELLING, RUNS):
        db.executescript(part)


@MIGRATIONS()
def m002_waiting_refused_and_fits(db: Database) -> None:
    """From when on a job is due that never ran, the files nobody can read, the fits of a week."""
    db.executescript(_WAITING)


@MIGRATIONS()
def m003_judged_again(db: Database) -> None:
    """What was known when a series was judged last, and which alert it had after each of the last dates."""
    db.executescript(_CORRECTIONS)


@MIGRATIONS()
def m004_settled_rows(db: Database) -> None:
    """What the rows in quarantine said, and what became of them."""
    db.executescript(_SETTLED)


@MIGRATIONS()
def m005_pulls_and_pushes(db: Database) -> None:
    """How the last pull of each feed went, and what each push was answered."""
    db.executescript(pull.TABLE + push.TABLE)


@MIGRATIONS()
def m006_several_of_a_row(db: Database) -> None:
    """Several cells of one row of a wide table, or of several sheets, each with its own reason."""
    db.executescript(_SEVERAL)


@MIGRATIONS()
def m007_same_content(db: Database) -> None:
    """Which files are one content, read by several mappings."""
    db.executescript(_SAME_CONTENT)


@MIGRATIONS()
def m008_tallies(db: Database) -> None:
    """How many events of each grid and kind a day had."""
    db.executescript(tally.TABLE)


@MIGRATIONS()
def m009_matrix(db: Database) -> None:
    """A BLOB of values a day, and which days' rows were written since it was made."""
    db.executescript(matrix.TABLES)


@MIGRATIONS()
def m010_scores_as_blobs(db: Database) -> None:
    """Scores as a BLOB a day instead of a row for each."""
    score.carry_over(db)


@MIGRATIONS()
def m011_remarks_and_batches(db: Database) -> None:
    """What a method remarks beside a score; what a place reported on a day that may have been entered together."""
    db.executescript(score.REMARKS + _BATCHES)


@MIGRATIONS()
def m012_how_long_at_a_level(db: Database) -> None:
    """How many periods an alert was judged since it reached its level."""
    db.executescript("ALTER TABLE alert ADD COLUMN stayed INTEGER NOT NULL DEFAULT 0;")


@MIGRATIONS()
def m013_rules_in_force(db: Database) -> None:
    """Which rules a service goes by since when, and why changed files were refused."""
    db.executescript(inforce.TABLE)


@MIGRATIONS()
def m014_findings(db: Database) -> None:
    """What officers found of alerts."""
    db.executescript(finding.TABLE)


@MIGRATIONS()
def m015_loads(db: Database) -> None:
    """What each sweep asked of those on duty."""
    db.executescript(load.TABLE)


KNOWN = (
    m001_first_tables.__name__,
    m002_waiting_refused_and_fits.__name__,
    m003_judged_again.__name__,
    m004_settled_rows.__name__,
    m005_pulls_and_pushes.__name__,
    m006_several_of_a_row.__name__,
    m007_same_content.__name__,
    m008_tallies.__name__,
    m009_matrix.__name__,
    m010_scores_as_blobs.__name__,
    m011_remarks_and_batches.__name__,
    m012_how_long_at_a_level.__name__,
    m013_rules_in_force.__name__,
    m014_findings.__name__,
    m015_loads.__name__,
)  # in order; a database that has others is of a newer version
