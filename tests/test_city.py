"""The city's folder: what is read from it, and what is said when it is wrong."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warning.city import City, Person, load_city
from warning.errors import ConfigError
from warning.model import SeriesKey
from warning.paths import shipped

BAD = Path(__file__).parent / "bad_city"
GOOD = BAD / "good"
BAD_FILES = sorted(path for path in BAD.iterdir() if path.is_file() and not path.name.endswith(".calendar.toml"))
GUANGZHOU = load_city(shipped("city"))

every_place = st.sampled_from(sorted(GUANGZHOU.places))
every_district = st.sampled_from([place.code for place in GUANGZHOU.at_tier("district")])


@pytest.fixture(scope="module")
def little() -> City:
    return load_city(GOOD)


def little_but(folder: Path, **files: str | None) -> Path:
    """Lay the little city with some files changed ("duty_toml" is duty.toml) or, where None, left out."""
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_catalogue_has_the_published_structure() -> None:
    indicators = GUANGZHOU.indicators.values()

    polarities = [indicator.polarity for indicator in indicators]

    assert (len(GUANGZHOU.dimensions), len(GUANGZHOU.level2), len(indicators)) == (5, 29, 132)
    assert (polarities.count("negative"), polarities.count("positive")) == (63, 69)


def test_guangzhou_watches_484_series_by_district() -> None:
    frequencies = [indicator.frequency for indicator in GUANGZHOU.watched()]

    districts = GUANGZHOU.at_tier("district")

    assert len(districts) * len(frequencies) == 484
    assert (frequencies.count("daily"), frequencies.count("weekly")) == (37, 7)


def test_guangzhou_is_a_city_of_11_districts_and_176_streets_and_towns() -> None:
    sizes = {tier: len(GUANGZHOU.at_tier(tier)) for tier in GUANGZHOU.tiers}

    assert sizes == {"city": 1, "district": 11, "street": 176}
    assert GUANGZHOU.root == "440100"
    assert len(GUANGZHOU.leaves("440115")) == 9  # Nansha: 3 streets, 6 towns


def test_every_district_is_drawn_counted_and_has_a_neighbour() -> None:
    districts = {place.code for place in GUANGZHOU.at_tier("district")}

    assert GUANGZHOU.outline is not None
    assert set(GUANGZHOU.outline.shapes) == districts
    assert all(GUANGZHOU.population_of(code, year=2026) for code in districts)
    assert all(GUANGZHOU.neighbours[code] for code in districts)
    assert GUANGZHOU.map_note == "示意图，不作为划界依据"


def test_the_districts_populations_sum_to_the_citys() -> None:
    counts = [GUANGZHOU.population_of(place.code, year=2020) for place in GUANGZHOU.at_tier("district")]

    assert sum(count[0] for count in counts if count) == 18_676_605
    assert GUANGZHOU.population_of(GUANGZHOU.root, year=2020) == (18_676_605, 2020)


def test_every_label_lies_on_the_map() -> None:
    assert GUANGZHOU.outline is not None
    x, y, width, height = GUANGZHOU.outline.view_box

    labels = [shape.label for shape in GUANGZHOU.outline.shapes.values()]

    assert all(x <= across <= x + width and y <= down <= y + height for across, down in labels)


def test_the_shipped_rota_sends_no_mail_to_anybody_real() -> None:
    people = GUANGZHOU.duty.officers + GUANGZHOU.duty.leaders

    assert GUANGZHOU.duty.officers
    assert all(person.email.endswith("@example.invalid") for person in people)


@given(every_place, every_place)
def test_a_place_lies_in_another_exactly_when_the_other_contains_it(one: str, other: str) -> None:
    assert (other in GUANGZHOU.ancestors(one)) == (one in GUANGZHOU.descendants(other))


@given(every_place)
def test_the_leaves_of_a_place_are_those_of_its_children(code: str) -> None:
    below = [leaf for child in GUANGZHOU.children[code] for leaf in GUANGZHOU.leaves(child)]

    assert list(GUANGZHOU.leaves(code)) == (below or [code])


@given(every_district, every_district)
def test_neighbours_are_so_in_both_directions(one: str, other: str) -> None:
    assert (other in GUANGZHOU.neighbours[one]) == (one in GUANGZHOU.neighbours[other])


def test_an_indicator_takes_its_names_from_the_files_it_refers_to(little: City) -> None:
    thefts = little.indicators["thefts"]

    assert (thefts.level2_zh, thefts.level2_en, thefts.dimension) == ("治安安全", "Public order", "ss")
    assert (thefts.department, thefts.volume_class, thefts.risk_sign) == ("公安局", "rare", 1)


def test_without_a_volume_class_an_indicator_counts_as_mid(little: City) -> None:
    assert little.indicators["campus"].volume_class == "mid"


@pytest.mark.parametrize(
    ("year", "found"),
    [
        pytest.param(2026, (60000, 2020), id="the-latest-count"),
        pytest.param(2020, (60000, 2020), id="the-count-of-the-year-itself"),
        pytest.param(2019, (50000, 2010), id="a-later-count-is-not-yet-known"),
        pytest.param(2008, (50000, 2010), id="before-the-first-count-the-first"),
    ],
)
def test_which_count_of_persons_a_year_uses(little: City, year: int, found: tuple[int, int]) -> None:
    assert little.population_of("0101", year=year) == found


@pytest.mark.parametrize(
    ("indicator", "place", "found"),
    [
        pytest.param("thefts", "0102", (40000, 2020), id="residents"),
        pytest.param("campus", "0102", (9000, 2021), id="students"),
        pytest.param("campus", "0101", None, id="nobody-counted-the-students"),
        pytest.param("thefts", "010101", None, id="nobody-counted-the-street"),
        pytest.param("pass_ratio", "0102", None, id="samples-are-no-persons"),
    ],
)
def test_what_an_indicator_is_divided_by(
    little: City, indicator: str, place: str, found: tuple[int, int] | None
) -> None:
    assert little.denominator_of(indicator, place, year=2026) == found


@pytest.mark.parametrize(
    ("indicator", "place", "reasons"),
    [
        pytest.param("thefts", "0101", ["系统切换", "口径调整"], id="both-by-date"),
        pytest.param("thefts", "010102", ["系统切换", "口径调整"], id="a-street-shares-its-districts"),
        pytest.param("thefts", "01", ["系统切换"], id="a-city-does-not"),
        pytest.param("campus", "0101", ["系统切换"], id="another-indicator-does-not"),
    ],
)
def test_which_breaks_a_series_has(little: City, indicator: str, place: str, reasons: list[str]) -> None:
    found = [known.reason for known in little.breaks if little.broken(known, [SeriesKey(indicator, place)])]

    assert found == reasons


def test_what_may_be_left_out_is_empty_then(tmp_path: Path) -> None:
    folder = little_but(
        tmp_path, population_csv=None, neighbours_csv=None, outline_json=None, duty_toml=None, breaks_toml=None
    )

    city = load_city(folder)

    assert city.contacts == {}
    assert city.population_of("0101", year=2026) is None
    assert city.neighbours["0101"] == frozenset()
    assert city.outline is None
    assert city.duty.officers == ()
    assert city.breaks == ()


def test_people_on_duty_are_read_in_order(tmp_path: Path) -> None:
    people = "".join(f'[[officer]]\nname = "{name}"\nemail = "{name}@example.invalid"\n' for name in "ba")

    city = load_city(little_but(tmp_path, duty_toml=people))

    assert city.duty.officers == (Person("b", "b@example.invalid"), Person("a", "a@example.invalid"))


def test_whom_to_ask_for_data_is_known_by_department(tmp_path: Path) -> None:
    folder = little_but(tmp_path)
    (folder / "departments.csv").write_text("department,contact\n公安局,data@example.invalid\n", encoding="utf-8")

    assert load_city(folder).contacts == {"公安局": "data@example.invalid"}


def test_a_table_saved_by_a_spreadsheet_reads_the_same(tmp_path: Path, little: City) -> None:
    lines = (GOOD / "places.csv").read_text(encoding="utf-8").splitlines()
    spreadsheet = "\ufeff" + "\r\n".join([*lines, ",,,,", ""])

    city = load_city(little_but(tmp_path, places_csv=spreadsheet))

    assert city.places == little.places


def test_a_column_of_notes_is_left_alone(tmp_path: Path, little: City) -> None:
    city = load_city(little_but(tmp_path, neighbours_csv="note,neighbour,place\nby the river,0102,0101\n"))

    assert city.neighbours == little.neighbours


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.name)
def test_a_fault_is_named_with_its_file_row_and_column(path: Path, tmp_path: Path) -> None:
    expectation, _, content = path.read_text(encoding="utf-8").partition("\n")
    name = path.name.split(".", 1)[1]
    shutil.copytree(GOOD, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError) as refusal:
        load_city(tmp_path)

    assert refusal.value.faults == (expectation.removeprefix("# expect: "),)
    assert refusal.value.where == str(tmp_path / name)


def test_the_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    folder = little_but(
        tmp_path,
        dimensions_csv=None,
        population_csv="place,kind,year,population\n0101,resident,MMXX,-3\n",
        duty_toml="[[officer]\n",
    )

    with pytest.raises(ConfigError) as refusal:
        load_city(folder)

    files = [Path(fault.partition(": ")[0]).name for fault in refusal.value.faults]
    assert files == ["dimensions.csv", "population.csv", "population.csv", "duty.toml"]


def test_places_that_lie_in_each_other_are_both_named(tmp_path: Path) -> None:
    rows = [
        "code,name_zh,name_en,tier,parent",
        "01,小城,Little City,city,",
        "02,甲,A,district,03",
        "03,乙,B,district,02",
    ]
    bare = dict.fromkeys(("population_csv", "neighbours_csv", "outline_json", "breaks_toml"))

    with pytest.raises(ConfigError) as refusal:
        load_city(little_but(tmp_path, places_csv="\n".join(rows), **bare))

    assert refusal.value.faults == (
        "row 3, parent: '02' lies, by its parents, within itself",
        "row 4, parent: '03' lies, by its parents, within itself",
    )


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param("地点".encode("gbk"), "byte 1 is not UTF-8; save the file as 'CSV UTF-8'", id="gbk"),
        pytest.param(b"", "the file is empty; expected the columns place, kind, year, population", id="empty"),
        pytest.param(b"place,kind,year,population\n", "no rows follow the header", id="header-only"),
        pytest.param(b'place,"kind\n', "not valid CSV: unexpected end of data", id="open-quote"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes, fault: str) -> None:
    folder = little_but(tmp_path)
    (folder / "population.csv").write_bytes(content)

    with pytest.raises(ConfigError) as refusal:
        load_city(folder)

    assert refusal.value.faults == (fault,)


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the folder is missing"):
        load_city(tmp_path / "elsewhere")


def test_a_break_is_dated_by_its_first_day_of_the_new_count(little: City) -> None:
    assert [known.date for known in little.breaks] == [date(2025, 1, 1), date(2026, 3, 1)]


def test_a_city_has_one_name(tmp_path: Path) -> None:
    folder = little_but(tmp_path)
    about = folder / "city.toml"
    about.write_text(
        about.read_text(encoding="utf-8").replace('name_zh = "小城"', 'name_zh = "大城"', 1), encoding="utf-8"
    )

    with pytest.raises(ConfigError) as refusal:
        load_city(folder)

    assert refusal.value.faults == ("name_zh: '大城', but places.csv calls the whole '小城'",)
