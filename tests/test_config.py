"""``config.toml``: what is read from it, and what is said when it is wrong."""

from __future__ import annotations

import shutil
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from warning.clock import file_clock
from warning.config import Config, Settings, load_config, secret
from warning.errors import ConfigError
from warning.paths import shipped

BAD = sorted((Path(__file__).parent / "bad_config").glob("*.toml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_fault_is_named_with_its_key(path: Path, tmp_path: Path) -> None:
    expectation = path.read_text(encoding="utf-8").partition("\n")[0]
    shutil.copyfile(path, tmp_path / "config.toml")

    with pytest.raises(ConfigError) as refusal:
        load_config(tmp_path / "config.toml")

    assert refusal.value.where == str(tmp_path / "config.toml")
    assert refusal.value.faults == (expectation.removeprefix("# expect: "),)


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[web]\nport = -1\nhosts = "::1"\n[mail]\nchannel = "pigeon"\n', encoding="utf-8")

    with pytest.raises(ConfigError) as refusal:
        load_config(path)

    assert refusal.value.faults == (
        "mail.channel: input should be 'file' or 'smtp', found 'pigeon'",
        "web.port: input should be greater than or equal to 0, found -1",
        "web.hosts is not a setting; did you mean 'host'?",
    )


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(None, "the file is missing", id="missing"),
        pytest.param("# 广州".encode("gbk"), "byte 3 is not UTF-8; save the file as UTF-8", id="gbk"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError) as refusal:
        load_config(path)

    assert str(refusal.value) == f"{path}: 1 problem(s)\n  {fault}"


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the file cannot be read: Is a directory"):
        load_config(tmp_path)


def test_an_empty_file_is_every_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()

    config = load_config(path)

    assert config == Config(file=path, base=tmp_path)


def test_the_shipped_file_states_every_setting_with_its_default() -> None:
    written = tomllib.loads(shipped("config.toml").read_text(encoding="utf-8").replace("# file =", "file ="))

    known = Settings().model_dump(mode="json")

    known["clock"]["file"] = "var/clock"  # stated as a comment, since there is none by default
    known["mail"]["smtp"].pop("ca_file")
    assert flat(written) == flat(known)


def test_paths_are_relative_to_the_file_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "centre").mkdir()
    (tmp_path / "centre" / "config.toml").write_text(
        '[paths]\nfeeds = "../in"\ndatabase = "/srv/kapok.db"\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)

    config = load_config(Path("centre/config.toml"))

    assert config.path("feeds") == tmp_path / "in"
    assert config.path("database") == Path("/srv/kapok.db")
    assert config.path("city") == tmp_path / "centre" / "city"


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        pytest.param(datetime(2026, 11, 22, 15, 59, tzinfo=UTC), date(2026, 11, 21), id="a-minute-to-midnight"),
        pytest.param(datetime(2026, 11, 22, 16, 0, tzinfo=UTC), date(2026, 11, 22), id="midnight-in-guangzhou"),
    ],
)
def test_a_day_ends_at_midnight_on_the_centres_wall(instant: datetime, day: date) -> None:
    assert Config().yesterday(instant) == day


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        pytest.param({}, "", id="not-set"),
        pytest.param({"KEY": "open sesame"}, "open sesame", id="direct"),
        pytest.param({"KEY_FILE": "{folder}/key"}, "from a file ", id="by-file-without-its-line-end"),
    ],
)
def test_where_a_secret_comes_from(tmp_path: Path, environment: dict[str, str], found: str) -> None:
    (tmp_path / "key").write_text("from a file \n", encoding="utf-8")

    assert secret("KEY", {name: value.format(folder=tmp_path) for name, value in environment.items()}) == found


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        pytest.param({"KEY": "a", "KEY_FILE": "b"}, "KEY and KEY_FILE are both set; keep one", id="twice"),
        pytest.param({"KEY_FILE": "/nowhere/key"}, "KEY_FILE names /nowhere/key, which cannot be read", id="no-file"),
    ],
)
def test_a_secret_that_cannot_be_had_is_named(environment: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        secret("KEY", environment)

    assert refusal.value.faults == (fault,)


def test_a_clock_file_says_the_instant_at_every_look(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = file_clock(path)
    path.write_text("2026-11-23T07:30:00+08:00\n", encoding="ascii")
    first = clock()

    path.write_text("2026-11-23T07:31:00+08:00\n", encoding="ascii")

    assert first == datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert clock() == datetime(2026, 11, 22, 23, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(None, "clock.file cannot be read: No such file or directory", id="missing"),
        pytest.param(b"half past", "'half past' is not an ISO 8601 instant", id="no-instant"),
        pytest.param("七点半".encode(), "clock.file holds no ISO 8601 instant", id="no-ascii"),
        pytest.param(
            b"2026-11-23T07:30:00",
            "'2026-11-23T07:30:00' has no offset; write e.g. 2026-11-23T07:30:00+08:00",
            id="no-offset",
        ),
    ],
)
def test_a_clock_file_without_an_instant_is_refused(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "clock"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError) as refusal:
        file_clock(path)()

    assert refusal.value.faults == (fault,)


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a table of tables by dotted key."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found
