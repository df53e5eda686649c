"""What becomes of open alerts when the rules are others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from little_city import EAST, FRIDAY, RULES, lay
from test_lifecycle import signal

from warning.changeover import GONE, Changeover, change_over
from warning.model import Alert, Level, SeriesKey, Stage, Transition
from warning.rule import Ruleset
from warning.service import Deployment, load_deployment

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return load_deployment(lay(tmp_path_factory.mktemp("changed"), history=False))


def alert(peak: Level, **said: Any) -> Alert:
    key = SeriesKey("thefts", EAST)
    evidence = (replace(signal(peak, FRIDAY, "ss_po.surge"), indicator=key.indicator, place=key.place),)
    found = Alert("LC-1", *key, peak, peak, Stage.RAISED, FRIDAY, FRIDAY, FRIDAY, quiet=1, evidence=evidence)
    return replace(found, **said)


def changed(deployment: Deployment, one: Alert, new: Ruleset) -> Changeover:
    return change_over([one], deployment.rules, new, deployment.city, told=lambda _: 4, day=FRIDAY, at=NOW)


def only(deployment: Deployment, *names: str) -> Ruleset:
    rules = deployment.rules
    return replace(rules, rules=tuple(rule for rule in rules.rules if rule.id in names))


def test_a_yellow_no_rule_judges_ends_with_its_reason(deployment: Deployment) -> None:
    found = changed(deployment, alert(Level.YELLOW), only(deployment, "ss_po.campus"))

    (ended,), (event,) = found.alerts, found.events
    assert (ended.stage, ended.active) == (Stage.CLOSED, Level.CALM)
    assert (event.transition, event.sequence, event.note) == (Transition.ENDED, 5, GONE)


def test_a_red_no_rule_judges_is_calm_and_waits_for_a_person(deployment: Deployment) -> None:
    found = changed(deployment, alert(Level.RED), only(deployment, "ss_po.campus"))

    (calm,), (event,) = found.alerts, found.events
    assert (calm.stage, calm.active, calm.peak) == (Stage.RAISED, Level.CALM, Level.RED)
    assert (event.transition, event.before, event.after) == (Transition.LOWERED, Level.RED, Level.CALM)


def test_a_red_that_waits_calm_already_is_left_alone(deployment: Deployment) -> None:
    waiting = alert(Level.RED, active=Level.CALM)

    assert changed(deployment, waiting, only(deployment, "ss_po.campus")) == Changeover((), ())


def test_what_another_rule_judges_is_carried_and_counts_anew(deployment: Deployment) -> None:
    found = changed(deployment, alert(Level.ORANGE), only(deployment, "ss_po.slow"))

    assert found.events == ()
    assert [(one.active, one.quiet) for one in found.alerts] == [(Level.ORANGE, 0)]


def test_rules_that_are_the_same_change_nothing(deployment: Deployment, tmp_path: Path) -> None:
    lay(tmp_path, history=False)
    (tmp_path / "rules" / "police.toml").write_text(RULES + "# a remark\n", encoding="utf-8")
    remarked = load_deployment(tmp_path / "config.toml").rules

    assert remarked.version != deployment.rules.version
    assert changed(deployment, alert(Level.ORANGE), remarked) == Changeover((), ())


def test_an_indicator_that_is_gone_is_judged_by_no_rule(deployment: Deployment) -> None:
    found = changed(deployment, alert(Level.YELLOW, indicator="bicycles"), deployment.rules)

    assert [event.note for event in found.events] == [GONE]
