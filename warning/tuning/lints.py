"""What is well formed in a rule file and yet hardly meant: each with its place, and what to do.

``# lint: ok CODE`` on the line a lint is about, or on that of the rule's id, says that it is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from warning.condition import Condition
from warning.graded import Graded
from warning.model import Indicator, Level, SeriesKey
from warning.positions import line_of, lines_of
from warning.regrading import regraded
from warning.rule import Policy, Rule, series_of
from warning.service import Deployment, Service

ONE_IN_A_THOUSAND = 3.0
SMALL = 30.0  # below it a percentage says little
RARE = ("rare", "low")  # classes of volume that lie below it
OFTEN = 0.01  # of a rule's place-days in a quiet city
ALIKE, FEWEST = 0.95, 20  # share of cells two rules have in common, cells from which it counts
ENOUGH = 90  # judged dates from which a rule that never fired is worth a word
NEAR = 1 / 3  # of what is asked: what never got so far will hardly


@dataclass(frozen=True)
class Lint:
    """One remark."""

    code: str
    file: str
    line: int | None
    rule: str  # "" where it is of none
    zh: str
    en: str


def lints(deployment: Deployment, folder: Path, history: Mapping[str, Graded] | None = None) -> list[Lint]:
    """Return what is remarked of the rules of a folder, by file and line.

    Args:
        deployment: With these rules.
        folder: Where their files stand.
        history: What they said of a past period; None: what needs one is not looked at.
    """
    texts = {name: _text(folder / name) for name in sorted(set(deployment.rules.files.values()))}
    lines = {name: lines_of(text) for name, text in texts.items()}
    starts = {rule.id: _start(lines, deployment.rules.files[rule.id], rule, texts) for rule in deployment.rules.rules}
    found = []
    for rule in deployment.rules.rules:
        name, at = deployment.rules.files[rule.id], starts[rule.id]
        for key, lint in _of_rule(rule, deployment, (history or {}).get(rule.id)):
            line = line_of(lines[name], (*at, *key))
            found.append(replace(lint, file=name, line=line, rule=rule.id))
    if history is not None:
        found += [_placed(lint, deployment, lines, starts) for lint in _together(history)]
    kept = [one for one in found if not _meant(one, texts, lines, starts)]
    return sorted([*kept, *_unjudged(deployment)], key=lambda one: (one.file, one.line or 0, one.code))


def history_of(service: Service, last: date, now: datetime) -> dict[str, Graded]:
    """Return what the rules of a service say of the year up to a date, by the scores that are stored."""
    return regraded(service, last.replace(year=last.year - 1, day=min(last.day, 28)), last, known_at=now)


def _of_rule(rule: Rule, deployment: Deployment, past: Graded | None) -> Iterator[tuple[tuple[str | int, ...], Lint]]:
    indicators = [deployment.city.indicators[name] for name in rule.indicators]
    for where, policy in _policies(rule):
        for colour, tables in _asked(policy):
            for key, lint in _of_level(policy, tables, indicators, past):
                yield (*where, colour, *key), lint
        for (lower, one), (higher, other) in pairwise(_evidence(policy)):
            if one.model_copy(update={"lower": None}) == other.model_copy(update={"lower": None}):
                said = f"{lower} 与 {higher} 的条件相同，永远不会出现 {lower}；改一个，或删去一个"
                english = f"{lower} asks for what {higher} does and never shows; change or drop one"
                yield (*where, lower), _lint("never-shows", said, english)
    if past is not None:
        yield from (((), lint) for lint in _of_past(past))


def _of_level(
    policy: Policy, tables: Sequence[Condition], indicators: Sequence[Indicator], past: Graded | None
) -> Iterator[tuple[tuple[str | int, ...], Lint]]:
    surprises = [table.surprise for table in tables if table.surprise is not None]
    asked = {name for table in tables for name in table.asked()}
    if not surprises and asked & {"ratio", "extra"}:
        yield (
            (),
            _lint(
                "no-surprise",
                "只看倍数或增量：小数目的偶然起伏也会触发；加上 surprise",
                "a ratio or difference alone fires on chance; ask for a surprise, too",
            ),
        )
    if surprises and min(surprises) < ONE_IN_A_THOUSAND and policy.raise_after < 2:
        yield (
            ("surprise",),
            _lint(
                "weak-surprise",
                f"surprise {min(surprises):g} 不到千分之一，又不要求持续；提高到 3，或加 raise_after、within",
                f"surprise {min(surprises):g} is less than one in a thousand, once is enough; ask for 3 or persistence",
            ),
        )
    if "ratio" in asked and not asked & {"extra", "at_least", "line"}:
        small = _small(indicators, past)
        if small:
            yield (
                ("ratio",),
                _lint(
                    "small-base",
                    f"{small} 通常不足 30，倍数说明不了什么；加上 extra 或 at_least",
                    f"{small} usually counts under 30, where a ratio says little; ask for extra or at_least, too",
                ),
            )


def _small(indicators: Sequence[Indicator], past: Graded | None) -> str:
    """Return the first indicator whose base is small, by what was expected of it or by its class of volume."""
    for indicator in indicators:
        columns = [] if past is None else [n for n, key in enumerate(past.keys) if key.indicator == indicator.id]
        expected = np.array([np.nan]) if past is None else past.scores.expected[:, columns]
        usual = float(np.nanmedian(expected)) if np.isfinite(expected).any() else np.nan
        if usual < SMALL or (np.isnan(usual) and indicator.volume_class in RARE):
            return indicator.id
    return ""


def _of_past(past: Graded) -> Iterator[Lint]:
    judged = int((past.levels > Level.MISSING).sum())
    coloured = past.levels > Level.CALM
    dates = int((past.levels > Level.MISSING).any(axis=1).sum())
    if dates >= ENOUGH and not coloured.any():
        for name, highest, asked in _out_of_reach(past):
            yield _lint(
                "never-fires",
                f"过去一年 {name} 最高只到 {highest:.3g}，不到所要求 {asked:g} 的三分之一；降低它，或删去规则",
                f"in the last year {name} never got beyond {highest:.3g}, under a third of {asked:g}; lower it or drop",
            )
    if judged and coloured.sum() > OFTEN * judged:
        share = 100 * coloured.sum() / judged
        yield _lint(
            "fires-often",
            f"过去一年有 {share:.1f}% 的格子着色，多于 1%",
            f"{share:.1f} % of its place-days of the last year were coloured, more than 1 %",
        )


def _out_of_reach(past: Graded) -> Iterator[tuple[str, float, float]]:
    """Yield what the lowest level asks of the rule's own method and was never nearly reached: name, highest, asked."""
    _, evidence = next(past.rule.levels())
    s = past.scores
    numbers = {
        "surprise": past.signs * s.surprise,
        "extra": past.signs * (s.observed - s.expected),
        "at_least": s.observed,
    }
    if evidence.any or evidence.method:
        return
    for name, asked in evidence.asked().items():
        if name in numbers and np.isfinite(numbers[name]).any():
            highest = float(np.nanmax(numbers[name]))
            if highest < asked * NEAR and highest != 0.0:  # 0: a method that saw no change at all
                yield name, highest, asked


def _together(history: Mapping[str, Graded]) -> Iterator[Lint]:
    """Rules that always say the same: one of them is enough."""
    fired = {rule: _cells(past) for rule, past in history.items()}
    for one, other in combinations([rule for rule, cells in fired.items() if len(cells) >= FEWEST], 2):
        shared, either = len(fired[one] & fired[other]), len(fired[one] | fired[other])
        if shared >= ALIKE * either:
            zh = f"与 {one} 几乎总在一起触发（{either} 个格子中的 {shared} 个）；留一条即可"
            english = f"fires with {one} in {shared} of {either} place-days; one of them is enough"
            yield replace(_lint("fires-together", zh, english), rule=other)


def _cells(past: Graded) -> frozenset[tuple[SeriesKey, int]]:
    rows, columns = np.nonzero(past.levels > Level.CALM)
    days: npt.NDArray[np.int64] = past.dates.astype(np.int64)
    return frozenset((past.keys[n], int(days[row])) for row, n in zip(rows.tolist(), columns.tolist(), strict=True))


def _unjudged(deployment: Deployment) -> Iterator[Lint]:
    judged = {key.indicator for rule in deployment.rules.rules for key in series_of(rule, deployment.city)}
    for indicator in deployment.city.indicators.values():
        if indicator.watch and indicator.id not in judged:
            yield replace(
                _lint(
                    "not-judged",
                    f"{indicator.id} {indicator.name_zh}是监测指标，没有规则研判；写一条，或取消 watch",
                    f"{indicator.id} is watched and no rule judges it; write one, or set watch = false",
                ),
                file="indicators.csv",
            )


def _policies(rule: Rule) -> Iterator[tuple[tuple[str | int, ...], Policy]]:
    yield (), rule
    for n, one in enumerate(rule.override):
        if not one.off:
            yield ("override", n), rule.at(one.places[0])


def _evidence(policy: Policy) -> Iterator[tuple[str, Condition]]:
    for colour in ("yellow", "orange", "red"):
        evidence = getattr(policy, colour)
        if evidence is not None:
            yield colour, evidence


def _asked(policy: Policy) -> Iterator[tuple[str, Sequence[Condition]]]:
    """The tables that must hold together for each colour: of ``any`` each one with what stands around it."""
    for colour, evidence in _evidence(policy):
        for tables in _ways(evidence):
            yield colour, tables


def _ways(table: Condition) -> list[list[Condition]]:
    ways: list[list[Condition]] = [[table]]
    for part in table.all:
        ways = [[*way, *more] for way in ways for more in _ways(part)]
    if table.any:
        ways = [[*way, *more] for way in ways for part in table.any for more in _ways(part)]
    return ways


def _lint(code: str, zh: str, english: str) -> Lint:
    return Lint(code, "", None, "", zh, english)


def _start(
    lines: Mapping[str, Mapping[tuple[str | int, ...], int]], file: str, rule: Rule, texts: Mapping[str, str]
) -> tuple[str | int, ...]:
    """Return the path of a rule in its file."""
    written, number = texts[file].splitlines(), 0
    while ("rule", number) in lines[file]:
        line = lines[file].get(("rule", number, "id"))
        if line is not None and rule.id in written[line - 1].replace('"', " ").replace("'", " ").split():
            return ("rule", number)
        number += 1
    return ("rule",)


def _placed(
    lint: Lint,
    deployment: Deployment,
    lines: Mapping[str, Mapping[tuple[str | int, ...], int]],
    starts: Mapping[str, tuple[str | int, ...]],
) -> Lint:
    name = deployment.rules.files[lint.rule]
    return replace(lint, file=name, line=line_of(lines[name], (*starts[lint.rule], "id")))


def _meant(
    lint: Lint,
    texts: Mapping[str, str],
    lines: Mapping[str, Mapping[tuple[str | int, ...], int]],
    starts: Mapping[str, tuple[str | int, ...]],
) -> bool:
    written = texts[lint.file].splitlines()
    there = {lint.line, line_of(lines[lint.file], (*starts[lint.rule], "id"))} - {None}
    said = " ".join(written[line - 1].partition("# lint: ok")[2] for line in there if line is not None)
    return lint.code in said.split()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
