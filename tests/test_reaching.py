"""Feeds that are fetched or pushed, looked at before a deployment goes live; whom nobody would remind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from department_server import answer, department
from little_city import CONFIG, FRIDAY, SATURDAY, at, lay, set_clock
from test_pulling import HTTP, Police, body, say, thefts

from warning.checking import amounts
from warning.machine import Finding, Weight
from warning.reaching import feeds
from warning.service import Deployment, load_deployment

SECRET = "s3cret"  # noqa: S105 - of a server of this test
TOKEN = "KAPOK_POLICE_TOKEN"  # noqa: S105 - the name of a variable
PUSHED = """
kind = "push"
name_zh = "公安警情"
columns = { indicator = "indicator", place = "place", date = "day", value = "n" }
[push]
token_env = "KAPOK_POLICE_TOKEN"
"""


@pytest.fixture
def police() -> Iterator[tuple[Police, str]]:
    says = Police()
    says.says = body(thefts(4.0))
    with department(says) as found:
        yield says, found.address


def laid(folder: Path, feed: str) -> Deployment:
    config = lay(folder, config=CONFIG, history=False)
    say(folder, "police", feed)
    set_clock(folder, at(SATURDAY, "07:30"))
    return load_deployment(config)


def look(deployment: Deployment, *, ask: bool = True) -> list[tuple[Weight, str]]:
    found: list[Finding] = list(feeds(deployment, ask=ask))
    assert not any(SECRET in f"{one.zh}{one.en}" for one in found)
    return [(one.weight, f"{one.zh} / {one.en}") for one in found]


def test_a_feed_that_answers_is_well_and_nothing_is_kept(
    tmp_path: Path, police: tuple[Police, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, SECRET)
    deployment = laid(tmp_path, HTTP.replace("ADDRESS", police[1]))
    before = sorted(tmp_path.rglob("*"))

    secret, asked = look(deployment)

    assert secret == (Weight.WELL, "KAPOK_POLICE_TOKEN 已设置 / its secret is set")
    assert asked == (Weight.WELL, "有应答，近两日 1 行 / answers, 1 row(s) of the last two days")
    assert police[0].asked[0].query == {"since": str(FRIDAY), "until": str(SATURDAY)}
    assert sorted(tmp_path.rglob("*")) == before


def test_a_feed_is_asked_only_when_told_to(
    tmp_path: Path, police: tuple[Police, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, SECRET)

    found = look(laid(tmp_path, HTTP.replace("ADDRESS", police[1])), ask=False)

    assert [weight for weight, _ in found] == [Weight.WELL, Weight.WELL]
    assert "kapok doctor --feeds" in found[1][1]
    assert police[0].asked == []


def test_a_feed_that_refuses_is_a_fault_with_what_it_said(
    tmp_path: Path, police: tuple[Police, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, SECRET)
    police[0].says = answer("no", status=401)

    found = look(laid(tmp_path, HTTP.replace("ADDRESS", police[1])))

    assert found[1][0] is Weight.FAULT
    assert "answered 401 Unauthorized; is the token the right one?" in found[1][1]


@pytest.mark.parametrize("feed", [HTTP.replace("ADDRESS", "http://127.0.0.1:9"), PUSHED], ids=["fetched", "pushed"])
def test_a_secret_that_is_not_set_is_a_fault_and_the_feed_is_not_asked(tmp_path: Path, feed: str) -> None:
    (found,) = look(laid(tmp_path, feed))

    assert found[0] is Weight.FAULT
    assert "没有 KAPOK_POLICE_TOKEN，也没有 KAPOK_POLICE_TOKEN_FILE" in found[1]


def test_a_secret_given_twice_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, SECRET)
    monkeypatch.setenv(f"{TOKEN}_FILE", "elsewhere")

    assert look(laid(tmp_path, PUSHED)) == [
        (Weight.FAULT, f"{TOKEN} 不能用 / {TOKEN} and {TOKEN}_FILE are both set; keep one")
    ]


@pytest.mark.parametrize(("mode", "weight"), [(0o600, Weight.WELL), (0o644, Weight.HINT)])
def test_a_secrets_file_that_others_may_read_is_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, weight: Weight
) -> None:
    (tmp_path / "token").write_text(SECRET, encoding="utf-8")
    (tmp_path / "token").chmod(mode)
    monkeypatch.setenv(f"{TOKEN}_FILE", str(tmp_path / "token"))

    (found,) = look(laid(tmp_path, PUSHED))

    assert found[0] is weight


def hints(deployment: Deployment) -> list[str]:
    return [line for line in amounts(deployment) if "contact" in line or "of this department" in line]


def test_a_department_nobody_can_remind_is_named(tmp_path: Path) -> None:
    (hint,) = hints(laid(tmp_path, PUSHED))

    assert hint.startswith("公安局、消防局没有联系邮箱，逾期不报不会催")


@pytest.mark.parametrize(
    ("department", "said"),
    [
        pytest.param("公安局", ["消防局没有联系邮箱"], id="of-the-catalogue"),
        pytest.param("市公安局", ["公安局、消防局没有联系邮箱", "指标目录中没有部门“市公安局”"], id="misspelt"),
    ],
)
def test_a_contact_is_of_a_department_of_the_catalogue(tmp_path: Path, department: str, said: list[str]) -> None:
    named = f'department = "{department}"\ncontact = "a@example.invalid"\n'

    found = hints(laid(tmp_path, named + PUSHED))

    assert [text in hint for text, hint in zip(said, found, strict=True)] == [True] * len(said)
