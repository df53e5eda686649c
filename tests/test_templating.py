"""The template engine, and every text the service writes, against files a person has read.

To accept new texts, read the difference and run ``.venv/bin/python tests/test_templating.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from golden import sample
from golden.sample import ALL_CITY, CHANGES, DAY, MONDAY, PAGE, PLACE, QUIET
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from warning.briefing.html import render_week
from warning.errors import ConfigError
from warning.facts import Fact
from warning.gaps import Silent
from warning.model import Level, Transition
from warning.paths import shipped
from warning.templating import Change, engine, mail, one_line, render

GOLDEN = Path(__file__).parent / "golden"
NOTICE = {
    "title": "规则运行失败",
    "lines": ["规则fraud-daily：除数为0", "来源police：2个文件被隔离"],
    "date": DAY,
    "page": PAGE,
}
ENDED = (Change(sample.FIRES, Transition.ENDED, Level.YELLOW, Level.CALM),)
TODAY = (Change(sample.FIRES, Transition.OPENED, Level.CALM, Level.YELLOW),)
MAILS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "alert": ("alert", {"facts": PLACE, "changes": CHANGES, "recipient": "指挥中心值班员", "page": PAGE}),
    "alert-ended": ("alert", {"facts": QUIET, "changes": ENDED, "recipient": "指挥中心值班员", "page": ""}),
    "daily": (
        "daily",
        {"facts": ALL_CITY, "open": 3, "judged": True, "received": True, "changes": TODAY, "page": PAGE},
    ),
    "daily-zero": ("daily", {"facts": QUIET, "open": 0, "judged": True, "received": True, "changes": [], "page": ""}),
    "notice": ("notice", NOTICE),
    "reminder": (
        "reminder",
        {
            "department": "市公安局",
            "date": DAY,
            "until": "11月22日07:30",
            "rows": (
                Silent("11月16日—22日当周", "涉校警情数", "天河区", 1, ""),
                Silent("11月21日", "盗窃警情数、纠纷警情数", "天河区、越秀区、海珠区等11个地区", 22, "11月20日"),
            ),
            "office": "广州市社会治理指挥中心",
            "page": "",
        },
    ),
    "briefing": ("briefing", {"facts": ALL_CITY, "page": PAGE, "path": "briefings/440100/2026-11-16"}),
}
NARRATIVES = {
    "place.zh.txt": PLACE,
    "place.zh.html": PLACE,
    "place.en.txt": PLACE,
    "quiet.zh.txt": QUIET,
    "city.zh.txt": ALL_CITY,
    "city.zh.html": ALL_CITY,
}
# What the facts modules state, and what the phrase bank has words for once somebody states it.
VOCABULARY = {
    "action", "alert_no", "ask_too", "back", "back_bound", "back_en", "back_range", "back_side", "back_verb", "base",
    "check_list",
    "city_rate", "code", "colour_zh", "conf", "corrected", "count", "cutoff", "date", "date_range", "days", "delta",
    "dept", "detail", "dev", "dev_dir", "dev_points", "dir", "district", "due_next", "due_plan", "due_sign",
    "due_verify", "each", "event", "excess", "expected", "first_date", "gap", "gap_zh", "held_zh", "judged",
    "judged_range", "k", "last", "late_plan", "late_sign", "late_verify", "latest", "latest_city", "latest_range",
    "latest_share", "latest_usual", "level", "lower", "ly", "lyo", "lyo_dir", "lyo_points", "m0", "m1", "mark", "more",
    "moved_down", "moved_up", "n_alerts", "n_closed", "n_cont", "n_diff", "n_dir", "n_green", "n_grey", "n_new",
    "n_orange", "n_peers", "n_places", "n_red", "n_series", "n_silent", "n_unjudged", "n_watch", "n_yellow", "name",
    "name_en", "names", "names_grey", "names_orange", "names_red", "names_yellow", "nearest", "nearest_share", "onset",
    "onset_last", "other", "other_date_range", "other_dev", "other_dev_dir", "other_dev_points", "overdue", "p_text",
    "per_zh", "period_zh", "place", "place_en", "places_calm", "places_grey", "places_orange", "places_red",
    "places_yellow", "prev", "r", "range", "rank", "rank_prev", "rate", "red_weeks", "rule_id", "rule_zh", "rules_ver",
    "s1", "s2", "score", "share", "stage_zh", "streak", "streak_since", "t1", "t2", "threshold", "times", "unit",
    "upper", "v1", "v2", "value", "weeks", "wow", "wow_dir", "wow_points", "yoy", "yoy_dir", "yoy_points",
    "clipped_zh", "days_all", "days_judged", "days_none", "days_unjudged", "days_unjudged_zh", "month", "months",
    "by_en", "by_zh", "onset_en", "other_per_zh", "until_en",
    "batch", "batch_en", "batch_range", "batch_times", "batch_usual", "settled",
    "settled_en", "settled_long", "settled_on_en",
    "rank_now", "rank_of", "rank_usual", "rank_whole", "rank_windows",
}  # fmt: skip


def environment(*, simulated: bool = True) -> Environment:
    return engine([], simulated=simulated)


def own(folder: Path, **texts: str) -> Environment:
    """Return an environment with a deployment's templates: a_html="…" is a.html.j2."""
    for name, text in texts.items():
        (folder / f"{name.replace('_', '.')}.j2").write_text(text, encoding="utf-8")
    return engine([folder], simulated=False)


def all_texts() -> dict[str, str]:
    """Return every text the service writes of the made-up day, by the name of its golden file."""
    env = environment()
    texts = {}
    for name, facts in NARRATIVES.items():
        edition, kind = name.split(".", 1)
        template = "city" if edition == "city" else "place"
        texts[f"narrative-{name}"] = render(env, f"narrative/{template}.{kind}.j2", {"facts": facts})
    for name, (template, context) in MAILS.items():
        written = mail(env, template, context)
        texts[f"mail-{name}.txt"] = f"{written.subject}\n\n{written.text}"
        texts[f"mail-{name}.html"] = written.html
    texts["briefing-week.html"] = render_week(env, ALL_CITY, monday=MONDAY, office="广州市社会治理指挥中心")
    return texts


TEXTS = all_texts()
ENV = environment()
OURS = [path for path in sorted(shipped("templates").rglob("*.j2")) if path.parent.name != "web"]
ALWAYS = {"name", "district", "alert_no"}  # an alert has these, whatever is known of its series


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_is_as_a_person_has_read_it(name: str) -> None:
    assert TEXTS[name] == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_text_of_made_up_data_says_so(name: str) -> None:
    head = TEXTS[name][:600]

    assert "【模拟】" in head or "[SIMULATED]" in head


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_template_asks_only_for_facts_somebody_states(path: Path) -> None:
    asked = re.findall(r"\b(?:i|f|g|m|r|row|item\.facts|facts\.overall)\.([a-z]\w*)", path.read_text(encoding="utf-8"))

    assert set(asked) <= VOCABULARY


@pytest.mark.parametrize("lost", sorted(set(sample.FRAUD.facts) - ALWAYS))
def test_without_a_fact_no_sentence_has_a_hole(lost: str) -> None:
    kept = {name: fact for name, fact in sample.FRAUD.facts.items() if name != lost}
    facts = replace(PLACE, items=(replace(sample.FRAUD, facts=kept),))

    text = render(environment(), "narrative/place.zh.txt.j2", {"facts": facts})

    assert not re.search(r"[，、；（]。|，，|（）|：$|None|Undefined", text, re.MULTILINE)


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(sample.FRAUD.facts))))
def test_any_facts_may_be_missing(lost: set[str]) -> None:
    kept = {name: fact for name, fact in sample.FRAUD.facts.items() if name not in lost - ALWAYS}
    one = replace(sample.FRAUD, facts=kept)

    text = mail(ENV, "alert", {**MAILS["alert"][1], "changes": [replace(CHANGES[0], item=one)]}).text

    assert one.alert in text
    assert not re.search(r"[，、；（]。|，，|（）", text)


def test_a_sentence_without_its_number_is_dropped_and_the_next_one_stays(tmp_path: Path) -> None:
    env = own(
        tmp_path, a_txt="{% sentence %}{{ f.a }}件。{% endsentence %}{% sentence %}{{ f.b }}起。{% endsentence %}"
    )

    text = render(env, "a.txt.j2", {"f": {"b": 3}})

    assert text == "3起。\n"


def test_a_clause_is_dropped_alone(tmp_path: Path) -> None:
    env = own(
        tmp_path, a_txt="{% sentence %}{{ f.a }}件{% sentence %}，{{ f.b }}起{% endsentence %}。{% endsentence %}"
    )

    assert render(env, "a.txt.j2", {"f": {"a": 1}}) == "1件。\n"
    assert render(env, "a.txt.j2", {"f": {"b": 1}}) == "\n"


def test_what_a_rule_compares_with_is_said_where_it_is_not_the_days_before() -> None:
    by = {
        "by_zh": Fact("1", "往年同期（春节前后按农历对齐）", "往年同期（春节前后按农历对齐）"),
        "by_en": Fact("2", "the same days of past years", "the same days of past years"),
    }
    numbers = {"rank_whole": "广州市", "rank_of": "11", "rank_now": "1", "rank_usual": "7.9", "rank_windows": "52"}
    ranks = {name: Fact(name, text, text) for name, text in numbers.items()}
    facts = replace(PLACE, items=(replace(sample.FRAUD, facts={**sample.FRAUD.facts, **by, **ranks}),))

    zh, en = (render(ENV, f"narrative/place.{language}.txt.j2", {"facts": facts}) for language in ("zh", "en"))

    assert "按往年同期（春节前后按农历对齐）推算的正常上限为39.1起" in zh
    assert "by the same days of past years; rule" in en
    assert "同期在广州市11个地区中由高到低列第1位，此前52个同长时段平均列第7.9位。" in zh
    assert "Place 1 of 11, on average 7.9 in the 52 windows before." in en


def test_a_misspelt_variable_is_a_fault_and_no_absent_fact(tmp_path: Path) -> None:
    env = own(tmp_path, a_txt="一\n{% sentence %}{{ ff.a }}件。{% endsentence %}")

    with pytest.raises(ConfigError, match=r"a\.txt\.j2: 1 problem\(s\)\n  line 2: 'ff' is undefined"):
        render(env, "a.txt.j2", {"f": {"a": 1}})


def test_a_fact_that_is_absent_outside_a_sentence_is_a_fault(tmp_path: Path) -> None:
    env = own(tmp_path, a_txt="{{ f.a }}件。")

    with pytest.raises(ConfigError, match=r"line 1: .* put the sentence between"):
        render(env, "a.txt.j2", {"f": {}})


def test_a_broken_template_is_named_with_its_line(tmp_path: Path) -> None:
    env = own(tmp_path, a_txt="一\n二\n{% if %}")

    with pytest.raises(ConfigError, match=r"a\.txt\.j2: 1 problem\(s\)\n  line 3: "):
        render(env, "a.txt.j2", {})


def test_an_unknown_template_is_named_with_the_folders_searched(tmp_path: Path) -> None:
    env = own(tmp_path, a_txt='{% include "mail/b.txt.j2" %}')

    with pytest.raises(ConfigError, match=r"no such template, which a\.txt\.j2 asks for; looked in") as caught:
        render(env, "a.txt.j2", {})
    assert str(tmp_path) in str(caught.value)


def test_a_deployments_template_wins_over_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "notice.subject.zh.txt.j2").write_text("本市·{{ title }}", encoding="utf-8")

    written = mail(engine([tmp_path], simulated=False), "notice", NOTICE)

    assert written.subject == "本市·规则运行失败"
    assert "系统管理员" in written.text


ATTACKS = ["{{ 7 * 7 }}", "{% for x in y %}", "<script>alert(1)</script>", '"><img src=x>']


@pytest.mark.parametrize("text", ATTACKS)
def test_text_that_came_with_the_data_is_printed_and_nothing_else(text: str) -> None:
    name = Fact("x/name", text, text)
    one = replace(sample.FRAUD, facts={**sample.FRAUD.facts, "name": name, "district": name, "t1": name})
    context = {**MAILS["alert"][1], "changes": [replace(CHANGES[0], item=one)], "recipient": text}

    written = mail(environment(), "alert", context)

    assert text in written.text
    assert "49" not in written.text
    assert "<script" not in written.html
    assert "<img src=x" not in written.html


@pytest.mark.parametrize(
    "text", ["{{ f.__class__.__mro__ }}", "{% set _ = f.clear() %}", "{{ ''.__class__.__subclasses__() }}"]
)
def test_a_template_can_neither_look_behind_the_data_nor_change_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="line 1: not allowed in a template"):
        render(own(tmp_path, a_txt=text), "a.txt.j2", {"f": {"a": 1}})


@settings(deadline=None)
@given(st.text(st.characters(), max_size=80))
def test_a_subject_is_one_line_whatever_the_data_say(text: str) -> None:
    subject = mail(ENV, "notice", {**NOTICE, "title": f"a{text}\r\nBcc: all@example.invalid"}).subject

    assert len(subject.splitlines()) == 1
    assert subject.isprintable()
    assert subject == one_line(subject)


def test_only_the_level_the_place_and_the_count_stand_in_a_subject_of_several() -> None:
    several = mail(environment(simulated=False), "alert", MAILS["alert"][1]).subject

    one = mail(environment(simulated=False), "alert", {**MAILS["alert"][1], "changes": CHANGES[:1]}).subject

    assert several == "【红色风险提示】天河区·2项·11月21日"
    assert one == "【红色风险提示】天河区·电信网络诈骗警情数·11月21日（GZ-20261118-0003）"


def test_html_is_sent_without_anything_to_fetch() -> None:
    for name, text in TEXTS.items():
        if name.startswith("mail-") and name.endswith(".html"):
            assert not re.search(r'src="(?!cid:)|url\(|<link|@import', text)


if __name__ == "__main__":
    from golden import chain

    with TemporaryDirectory() as folder:
        for name, text in (TEXTS | chain.texts(Path(folder))).items():
            (GOLDEN / name).write_text(text, encoding="utf-8")


def test_a_template_that_was_changed_is_compiled_anew(tmp_path: Path) -> None:
    def written(text: str) -> str:
        (tmp_path / "mail").mkdir(exist_ok=True)
        (tmp_path / "mail" / "own.txt.j2").write_text(text, encoding="utf-8")
        return render(engine([tmp_path], simulated=False), "mail/own.txt.j2", {"n": 3})

    assert [written("{{ n }} once"), written("{{ n }} twice"), written("{{ n }} once")] == [
        "3 once\n",
        "3 twice\n",
        "3 once\n",
    ]
