"""``kapok rules propose``: thresholds by what officers found, as a table and as a patch; never applied by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from warning import screen
from warning.errors import ConfigError, together
from warning.model import Alert
from warning.rule import Rule
from warning.ruleset import read_rules
from warning.scoring import Beat
from warning.service import Service
from warning.tuning.labels import read_labels
from warning.tuning.patching import COLOURS, difference, patched
from warning.tuning.printed import Table
from warning.tuning.proposal import Point, Proposal, proposal, with_more
from warning.tuning.rescoring import scores_for
from warning.tuning.retold import retell
from warning.tuning.summary import by_labels
from warning.tuning.trying import Period, by_findings, show_table, write


@dataclass(frozen=True)
class Wanted:
    """What is to be reached."""

    precision: float | None
    per_week: float | None


def proposals(
    service: Service, rules: Sequence[Rule], period: Period, wanted: Wanted, labels: Path | None, *, beat: Beat
) -> list[Proposal]:
    """Return what is proposed for each rule.

    Raises:
        ConfigError: with the faults of the labels' file, or of a rule that could not be judged by.
    """
    right = by_findings(service) if labels is None else by_labels(read_labels(labels, service.city), service.city)
    alone = replace(service, rules=replace(service.rules, rules=tuple(rules)))
    found = scores_for(alone, *period, now=service.clock(), beat=beat)
    if found.failures:
        raise ConfigError("rules", [f"{rule}: {reason}" for rule, reason in found.failures])
    weeks = ((period[1] - period[0]).days + 1) / 7

    def told(rule: Rule) -> list[Alert]:
        there = replace(service, rules=replace(service.rules, rules=(rule,)))
        return list(retell(there, found.judged, *period).alerts.values())

    made = []
    for rule in rules:
        beat(rule.id)
        made.append(proposal(rule, told, right, weeks=weeks, precision=wanted.precision, per_week=wanted.per_week))
    return made


def patch_of(service: Service, found: Sequence[Proposal], period: Period) -> str:
    """Return the patch of the rule files, "" where nothing changes; the patched files are read and have no fault.

    Raises:
        ConfigError: if a number stands in defaults, or the patched file would have faults.
    """
    folder, parts = service.config.path("rules"), []
    by_file: dict[str, list[tuple[Rule, Proposal, Point]]] = {}
    for one in found:
        if one.chosen is not None and one.chosen.more:
            rule = service.rules.rule(one.rule)
            by_file.setdefault(service.rules.files[rule.id], []).append((rule, one, one.chosen))
    for file, changes in sorted(by_file.items()):
        before = after = (folder / file).read_text(encoding="utf-8")
        for rule, one, chosen in changes:
            tried = with_more(rule, chosen.more)
            surprises = {c: getattr(tried, c).surprise for c in COLOURS if _asks(getattr(rule, c))}
            after = patched(after, file, rule, surprises, _why(one.now, chosen, period))
        parts.append(difference(before, after, f"{service.config.paths.rules.name}/{file}"))
        _checked(service, folder, file, after)
    return "".join(parts)


def show(service: Service, found: Sequence[Proposal], patch: str, form: str, out: Path | None) -> None:
    """Print the curves and what is proposed, and write the patch.

    Raises:
        ConfigError: if the patch cannot be written.
    """
    if out is not None and patch:
        write(out, patch)
    if form == "json":
        screen.write(
            json.dumps({"rules": [_plain(one) for one in found], "patch": patch}, ensure_ascii=False, indent=2)
        )
        return
    if service.config.deployment.simulated:
        screen.say("模拟数据 / simulated data")
    for one in found:
        show_table(_curve(one))
        screen.say(f"  {_said(one)}")
    if patch:
        where = "" if out is None else f"，已写入 written to {out}"
        screen.say(f"补丁不会自行应用{where} / the patch is never applied by itself: git apply, or patch -p1 <")
        screen.write(patch)


def _checked(service: Service, folder: Path, file: str, text: str) -> None:
    """Read the patched file in the stead of the one there is, among the others."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="kapok-rules-") as made:
        for path in folder.glob("*.toml"):
            shutil.copyfile(path, Path(made) / path.name)
        (Path(made) / file).write_text(text, encoding="utf-8")
        _, errors = read_rules(Path(made), service.city)
    if errors:
        raise together(errors)


def _asks(evidence: Any) -> bool:
    return evidence is not None and evidence.surprise is not None


def _why(now: Point, chosen: Point, period: Period) -> str:
    return (
        f"{period[0]} 至 {period[1]} 的结论 {now.right.of} 条：属实 {_share(now)} → {_share(chosen)}，"
        f"属实的保留 {chosen.kept.count}/{chosen.kept.of}，每周 {now.per_week:.2f} → {chosen.per_week:.2f} 条"
    )


def _share(point: Point) -> str:
    if not point.right.of:
        return "—"
    low, high = point.right.interval
    return f"{100 * point.right.share:.0f}%（{100 * low:.0f}–{100 * high:.0f}%）"


def _curve(one: Proposal) -> Table:
    rows = []
    for point in one.curve:
        low, high = point.load
        mark = "←" if point is one.chosen else "现行 now" if point.more == 0 else ""
        rows.append(
            (
                f"{point.more:+.2f}",
                point.alerts,
                _share(point),
                f"{point.kept.count}/{point.kept.of}",
                f"{point.per_week:.2f}（{low:.2f}–{high:.2f}）",
                mark,
            )
        )
    heads = ("意外度 surprise", "提示 alerts", "属实 right", "属实的保留 kept", "每周 a week", "")
    return Table(one.rule, heads, tuple(rows))


def _said(one: Proposal) -> str:
    if one.chosen is None:
        return f"不作建议：{one.why_not}"
    if not one.chosen.more:
        return "现行阈值即已达到 / reached by the thresholds there are"
    return f"建议各色的 surprise 都加 {one.chosen.more:+g} / proposed: {one.chosen.more:+g} for every level"


def _plain(one: Proposal) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "chosen": None if one.chosen is None else one.chosen.more,
        "why_not": one.why_not,
        "curve": [
            {
                "more": point.more,
                "alerts": point.alerts,
                "right": point.right.count,
                "judged": point.right.of,
                "right_interval": point.right.interval,
                "kept": point.kept.count,
                "true": point.kept.of,
                "per_week": point.per_week,
                "per_week_interval": point.load,
            }
            for point in one.curve
        ],
    }
