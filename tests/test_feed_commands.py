"""``kapok feed``: a file tried, its mapping guessed and written; nothing else is changed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from feed_shapes import SHAPES, Shape, workbook
from little_city import lay
from typer.testing import CliRunner

from warning.city import load_city
from warning.cli import app
from warning.errors import KapokError
from warning.feedset import read_feeds
from warning.guessing import guess
from warning.intake import mapped
from warning.paths import shipped
from warning.sources.columns import Body
from warning.sources.files import tables_of

CITY = load_city(shipped("city"))
NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
GUESSABLE = {name: shape for name, shape in SHAPES.items() if name != "serial-dates"}  # it names no indicator
TABLE = "区,日期,盗窃,火警\n东区,2026-11-19,3,1\n西 区,2026-11-19,4,—\n"


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    lay(tmp_path, history=False)
    return tmp_path


def types(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["feed", *words, "--config", str(folder / "config.toml")])
    if isinstance(result.exception, KapokError):
        return 2, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def sent(folder: Path, content: str = TABLE, name: str = "日报1119.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("shape", GUESSABLE.values(), ids=GUESSABLE)
def test_a_guess_reads_what_a_person_would_have_read(shape: Shape, tmp_path: Path) -> None:
    tables = tables_of(shape.name, shape.content)

    guessed = guess(tables, shape.name, CITY, date(2026, 11, 24))
    (tmp_path / "guessed.toml").write_text(guessed.toml(), encoding="utf-8")

    feeds, errors = read_feeds(tmp_path, CITY)
    assert errors == []
    late_after = {"daily": 1, "weekly": 3, "monthly": 10}
    zone = ZoneInfo("Asia/Shanghai")
    bodies = [*map(Body, tables)]
    rows = mapped(bodies, feeds["guessed"], CITY, NOW, late_after, zone=zone, name=shape.name, sha256="0")
    cells = zip((rows.keys[n] for n in rows.series), rows.dates, rows.values.tolist(), strict=True)
    assert {(*key, str(day), value) for key, day, value in cells} == shape.told
    assert rows.quarantined == ()


def test_fractions_of_a_ratio_are_guessed_to_be_fractions() -> None:
    content = "辖区,日期,涉诈资金紧急止付成功率\n荔湾区,2026-11-16,0.42\n越秀区,2026-11-16,1\n".encode()

    guessed = guess(tables_of("a.csv", content), "a.csv", CITY, date(2026, 11, 24))

    assert guessed.content["factors"] == {"ss_wa_stop_payment_ratio": 100}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            "date,district,indicator,value\n21/11/2026,Liwan,Criminal police calls,3\n",
            {"date_order": "dmy"},
            id="the-day-first",
        ),
        pytest.param(
            "日期,时段,辖区,刑事警情数\n2026/11/21 0:00,0-8时,荔湾区,2\n",
            {"ignore": ["时段"]},
            id="hours-are-no-values",
        ),
        pytest.param(
            "区,周,项目,批次\n荔湾区,第46周,抽检批次,120\n", {"layout": "long"}, id="the-only-column-of-numbers"
        ),
        pytest.param(
            "区,周,抽检批次,合格批次\n荔湾区,第46周,120,117\n", {"layout": "indicators"}, id="names-nobody-knows-yet"
        ),
        pytest.param("指标,全市,荔湾区\n刑事警情数,12,3\n", {"layout": "places"}, id="the-whole-city-is-a-place"),
    ],
)
def test_what_is_guessed_of_a_table(content: str, said: dict[str, object]) -> None:
    guessed = guess(tables_of("报表20261121.csv", content.encode()), "报表20261121.csv", CITY, date(2026, 11, 24))

    assert {name: guessed.content.get(name) for name in said} == said
    assert (guessed.content["name_zh"], guessed.content["files"]) == ("报表", ["报表*.csv"])


def test_a_guess_asks_for_what_no_table_says() -> None:
    content = "日期,荔湾区,越秀区\n2026-11-21,3,5\n".encode()

    guessed = guess(tables_of("a.csv", content), "a.csv", CITY, date(2026, 11, 24))

    assert re.findall(r"^# (\w+) = ", guessed.toml(), re.MULTILINE) == ["department", "contact", "due"]


def test_a_sheet_of_notes_is_left_out_of_a_guess() -> None:
    content = workbook(
        ("填表说明", [["请每日十点前报送"], ["如有疑问请联系指挥中心"]], []),
        ("日报", [["辖区", "日期", "刑事警情数"], ["荔湾区", "2026-11-21", 4]], []),
    )

    guessed = guess(tables_of("a.xlsx", content), "a.xlsx", CITY, date(2026, 11, 24))

    assert (guessed.content["sheets"], guessed.content["columns"]) == (["日报"], {"place": "辖区", "date": "日期"})


def test_a_try_shows_what_would_be_read_and_changes_nothing(centre: Path) -> None:
    file = sent(centre)
    before = everything(centre)

    code, said = types(centre, "try", str(file))

    assert code == 0
    assert 'files = ["日报*.csv"]' in said
    assert '# "盗窃" = "thefts"  # 盗窃警情数' in said
    assert "共 3 行：可用 1（其中补零 0），隔离 2；另有 1 格写明无数据" in said
    assert everything(centre) == before


def test_a_mapping_is_written_once_and_never_over_another(centre: Path) -> None:
    file = sent(centre)

    first, again = (
        types(centre, "add", str(file), "--name", "daily"),
        types(centre, "add", str(file), "--name", "daily"),
    )

    assert first[0] == 0
    assert again[0] == 2
    assert "it is there already" in again[1]
    assert types(centre, "list")[1].count("daily") == 1
    assert types(centre, "try", str(file), "--feed", "daily")[0] == 0


@pytest.mark.parametrize("name", ["../daily", "csv", "日报", ""])
def test_a_mapping_has_a_name_that_is_safe_in_an_address(centre: Path, name: str) -> None:
    code, said = types(centre, "add", str(sent(centre)), "--name", name)

    assert code == 2
    assert "is no name of a mapping" in said


def test_a_guess_that_lacks_something_says_what_and_is_not_written(centre: Path) -> None:
    file = sent(centre, "区,日期,数量\n东区,2026-11-19,3\n")

    tried, added = types(centre, "try", str(file)), types(centre, "add", str(file), "--name", "daily")

    assert (tried[0], added[0]) == (2, 2)
    assert "nothing says the indicator" in tried[1]
    assert "nothing says the indicator" in added[1]
    assert not (centre / "city" / "feeds").exists()


def test_a_file_in_the_form_of_the_service_needs_no_mapping(centre: Path) -> None:
    code, said = types(centre, "try", str(sent(centre, "indicator,place,date,value\nthefts,0101,2026-11-19,3\n")))

    assert code == 0
    assert "name_zh" not in said
    assert "1 row(s): 1 usable" in " ".join(said.split())


def test_an_unknown_mapping_is_answered_with_the_known_ones(centre: Path) -> None:
    types(centre, "add", str(sent(centre)), "--name", "daily")

    code, said = types(centre, "try", str(sent(centre)), "--feed", "dayly")

    assert code == 2
    assert "known: daily" in said


def test_brackets_in_a_file_are_shown_as_they_stand_there(centre: Path) -> None:
    code, said = types(centre, "try", str(sent(centre, "区,日期,火警,[/red]\n[/bold]区,2026-11-19,[red],1\n")))

    assert code == 0
    assert "[/bold]区" in said
