"""The tables as the first version made them: never edited; what came since is a migration in ``schema``.

Bulky tables count days since 1970 and name series by number; the others keep
dates and instants as ISO text, so that a person can read them with any SQLite tool.
"""

OBSERVATIONS = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    indicator TEXT NOT NULL,
    place TEXT NOT NULL,
    UNIQUE (indicator, place)
);
CREATE TABLE feed_file (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    feed TEXT NOT NULL,
    rows INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    late INTEGER NOT NULL,
    corrected INTEGER NOT NULL,
    first_day INTEGER,
    last_day INTEGER,
    received TEXT NOT NULL,
    CHECK (rows = accepted + unchanged + quarantined)
);
CREATE TABLE quarantine (
    file INTEGER NOT NULL REFERENCES feed_file (id),
    row INTEGER NOT NULL,
    "column" TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (file, row)
) WITHOUT ROWID;
CREATE TABLE observation (
    series_id INTEGER NOT NULL REFERENCES series (id),
    day INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    value REAL NOT NULL,
    received INTEGER NOT NULL,
    feed INTEGER NOT NULL REFERENCES feed_file (id),
    late INTEGER NOT NULL,
    PRIMARY KEY (series_id, day, revision)
) WITHOUT ROWID;
CREATE INDEX observation_revised ON observation (series_id, day) WHERE revision > 0;
"""

JUDGEMENTS = """
CREATE TABLE method (
    id INTEGER PRIMARY KEY,
    detector TEXT NOT NULL,
    parameters TEXT NOT NULL,
    UNIQUE (detector, parameters)
);
CREATE TABLE score (
    method_id INTEGER NOT NULL REFERENCES method (id),
    series_id INTEGER NOT NULL REFERENCES series (id),
    day INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    observed REAL,
    expected REAL,
    lower REAL,
    upper REAL,
    surprise REAL,
    above REAL,
    reason INTEGER NOT NULL,
    PRIMARY KEY (method_id, series_id, day, known_at)
) WITHOUT ROWID;
CREATE TABLE signal (
    rule TEXT NOT NULL,
    series_id INTEGER NOT NULL REFERENCES series (id),
    day INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    level INTEGER NOT NULL,
    detector TEXT NOT NULL,
    observed REAL,
    expected REAL,
    lower REAL,
    upper REAL,
    surprise REAL,
    "window" INTEGER NOT NULL,
    rules_version TEXT NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (rule, series_id, day, known_at)
) WITHOUT ROWID;
CREATE INDEX signal_day ON signal (day);
CREATE TABLE judged (
    series_id INTEGER PRIMARY KEY REFERENCES series (id),
    until INTEGER NOT NULL
);
CREATE TABLE coverage (
    date TEXT NOT NULL,
    place TEXT NOT NULL,
    watched INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    colour INTEGER NOT NULL,
    PRIMARY KEY (date, place)
) WITHOUT ROWID;
"""

ALERTS = """
CREATE TABLE alert (
    number TEXT PRIMARY KEY,
    indicator TEXT NOT NULL,
    place TEXT NOT NULL,
    active INTEGER NOT NULL,
    peak INTEGER NOT NULL,
    stage TEXT NOT NULL,
    onset TEXT NOT NULL,
    opened TEXT NOT NULL,
    updated TEXT NOT NULL,
    quiet INTEGER NOT NULL,
    evidence TEXT NOT NULL
);
CREATE UNIQUE INDEX alert_live ON alert (indicator, place) WHERE stage <> 'closed';
CREATE INDEX alert_opened ON alert (opened);
CREATE TABLE event (
    alert TEXT NOT NULL REFERENCES alert (number),
    sequence INTEGER NOT NULL,
    date TEXT NOT NULL,
    at TEXT NOT NULL,
    transition TEXT NOT NULL,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL,
    note TEXT NOT NULL,
    known TEXT NOT NULL,
    PRIMARY KEY (alert, sequence)
);
CREATE INDEX event_known ON event (known);
CREATE TRIGGER event_is_not_edited BEFORE UPDATE ON event
BEGIN SELECT RAISE (ABORT, 'an event is never changed; append another'); END;
CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE (ABORT, 'an event is never deleted'); END;
"""

TELLING = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    date TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    "references" TEXT NOT NULL,
    created TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts INTEGER NOT NULL,
    next_try TEXT NOT NULL,
    last_try TEXT,
    reason TEXT NOT NULL
);
CREATE INDEX outbox_pending ON outbox (next_try) WHERE state = 'pending';
CREATE TABLE outbox_attachment (
    message_id TEXT NOT NULL REFERENCES outbox (message_id),
    position INTEGER NOT NULL,
    cid TEXT NOT NULL,
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (message_id, position)
);
CREATE TABLE outbox_alert (
    message_id TEXT NOT NULL REFERENCES outbox (message_id),
    alert TEXT NOT NULL,
    transition TEXT NOT NULL,
    PRIMARY KEY (message_id, alert, transition)
) WITHOUT ROWID;
CREATE INDEX outbox_alert_alert ON outbox_alert (alert);
CREATE TABLE document (
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    date TEXT NOT NULL,
    created TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (kind, place, date)
);
"""

RUNS = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    scheduled_for TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'missed', 'timeout', 'interrupted')),
    note TEXT NOT NULL
);
CREATE INDEX run_job ON run (job, scheduled_for);
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    date TEXT NOT NULL,
    about TEXT NOT NULL,
    text TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (about, text, date)
);
CREATE INDEX notice_at ON notice (at);
"""
