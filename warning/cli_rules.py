"""The commands an analyst tunes rules with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

rules = typer.Typer(
    help="规则：结构、检查、测试、比较 / Rules: schema, check, test, compare.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="配置文件 / configuration; ./config.toml")]
FirstDay = Annotated[str, typer.Option("--from", metavar="DATE", help="第一天 / first data date")]
LastDay = Annotated[str, typer.Option("--to", metavar="DATE", help="最后一天 / last data date")]
Page = Annotated[Path | None, typer.Option("--html", help="写成网页 / write a page, too")]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="输出形式 / text or json")]


@rules.callback()
def group() -> None:
    """规则：结构、检查、测试、比较 / Rules: schema, check, test, compare."""


@rules.command()
def schema() -> None:
    """规则文件的 JSON Schema，供编辑器补全 / The JSON Schema of rule files, for editors to complete by."""
    from warning.tuning.schema import written

    typer.echo(written(), nl=False)


@rules.command()
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="规则目录 / folder of rules")] = None,
    form: Form = "text",
    config: ConfigFile = None,
) -> None:
    """检查规则 / Every fault of every rule file, and what is hardly meant; exit code 2 with faults, 1 with lints, 0."""
    from warning.asked import own_or_shipped
    from warning.tuning import vetting

    found = vetting.vetted(own_or_shipped(config), folder)
    vetting.show(found, form)
    raise typer.Exit(found.code)


@rules.command("test")
def prove(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="规则目录 / folder of rules")] = None,
    junit: Annotated[Path | None, typer.Option(help="写成 JUnit 的 XML / write JUnit's XML")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="每个等级都须触发过 / every level must have fired")] = False,
    form: Form = "text",
    config: ConfigFile = None,
) -> None:
    """运行规则目录中 tests/ 的测试 / Run the tests beside the rules; exit code 1 if one failed, 2 if unreadable."""
    from warning import screen
    from warning.asked import own_or_shipped
    from warning.tuning import tested, trying

    deployment = trying.deployment_with(own_or_shipped(config), folder)
    with screen.progress("测试 test", None) as beat:
        run = trying.tests_of(deployment, beat=beat)
    if junit is not None:
        tested.write_junit(run, junit)
    tested.show(run, form, strict=strict)
    raise typer.Exit(tested.code_of(run, strict=strict))


@rules.command()
def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="规则编号 / id of a rule")],
    place: Annotated[str, typer.Argument(metavar="PLACE", help="地区代码或名称 / code or name of a place")],
    day: Annotated[str, typer.Argument(metavar="DATE", help="数据日期 / data date, YYYY-MM-DD")],
    form: Form = "text",
    config: ConfigFile = None,
) -> None:
    """为何是这个等级 / Why a rule gave a place its level on a date: every number, what was asked, what lacked."""
    from warning.asked import explained_of, records_of
    from warning.tuning import showing

    with records_of(config) as service:
        found = explained_of(service, rule, place, day)
        showing.explanation(service, found, form)


@rules.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="旧规则的目录 / folder of the old rules")],
    new: Annotated[
        Path | None, typer.Argument(metavar="[NEW]", help="新规则；不写为现行 / the new; those in force")
    ] = None,
    *,
    first: FirstDay,
    last: LastDay,
    html: Page = None,
    form: Form = "text",
    config: ConfigFile = None,
) -> None:
    """两套规则会有何不同 / What two sets of rules would have told otherwise, alert by alert, and by which numbers."""
    from warning import screen
    from warning.asked import day_of, records_of
    from warning.tuning import differing, trying

    with records_of(config) as service:
        period = trying.period_of(day_of(first, option="--from"), day_of(last, option="--to"), service)
        before, after = (trying.with_rules(service, folder) for folder in (old, new))
        with screen.progress("比较 diff", None) as beat:
            sides = differing.side(before, period, beat=beat), differing.side(after, period, beat=beat)
        differing.show(after, *sides, form=form, html=html)


@rules.command()
def propose(
    names: Annotated[list[str] | None, typer.Argument(metavar="[RULE]...", help="规则编号；不写为全部 / all")] = None,
    *,
    first: FirstDay,
    last: LastDay,
    precision: Annotated[float | None, typer.Option(min=0, max=1, help="属实比例 / wanted share of right")] = None,
    per_week: Annotated[float | None, typer.Option(min=0, help="每周至多几条 / alerts a week at most")] = None,
    labels: Annotated[Path | None, typer.Option(help="已知事件的 CSV / what really happened")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="补丁写到哪里 / where to write the patch")] = None,
    form: Form = "text",
    config: ConfigFile = None,
) -> None:
    """由结论建议阈值 / Propose thresholds from officers' verdicts: the curve, and a patch; nothing is applied."""
    from warning import screen
    from warning.asked import day_of, records_of, rule_of
    from warning.tuning import proposing, trying

    wanted = proposing.Wanted(0.5 if precision is None and per_week is None else precision, per_week)
    with records_of(config) as service:
        period = trying.period_of(day_of(first, option="--from"), day_of(last, option="--to"), service)
        chosen = [rule_of(service, name) for name in names or ()] or service.rules.rules
        with screen.progress("建议 propose", None) as beat:
            found = proposing.proposals(service, chosen, period, wanted, labels, beat=beat)
        proposing.show(service, found, proposing.patch_of(service, found, period), form, out)


def replay(  # noqa: PLR0917 - each is an option
    first: FirstDay,
    last: LastDay,
    folder: Annotated[Path | None, typer.Option("--rules", help="别的规则目录 / another folder of rules")] = None,
    labels: Annotated[Path | None, typer.Option(help="已知事件的 CSV / what really happened")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="逐日按当时所知 / day by day by what was known")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="存下重新计算的评分 / store scores made anew")] = False,
    html: Page = None,
    form: Form = "text",
    config: ConfigFile = None,
) -> None:
    """规则在过去会说些什么 / What rules would have told of a period: how many, when, where, how many of them right."""
    from warning import screen
    from warning.asked import day_of, records_of, service_to_mend
    from warning.tuning import trying

    with (service_to_mend if keep else records_of)(config) as opened:
        period = trying.period_of(day_of(first, option="--from"), day_of(last, option="--to"), opened)
        service = trying.with_rules(opened, folder)
        with screen.progress("重演 replay", None) as beat:
            found = trying.tried(service, *period, exact=exact, keep=keep, beat=beat)
        trying.show(found, labels=labels, form=form, html=html)


def verdict(
    number: Annotated[str, typer.Argument(metavar="ALERT")],
    found: Annotated[str, typer.Argument(metavar="[属实|误报|待核]", help="true, false, unclear")] = "",
    reason: Annotated[str, typer.Option(help="原因代码 / code of a reason")] = "",
    note: Annotated[str, typer.Option(help="一句话 / one sentence; nothing of a person")] = "",
    by: Annotated[str, typer.Option(help="谁的结论 / whose verdict")] = "",
    config: ConfigFile = None,
) -> None:
    """核实的结论 / Note what an officer found of an alert, or show what was noted."""
    from warning.asked import alert_of, service_to_mend
    from warning.finding import Finding, checked_reason, found_of
    from warning.sources.personal import checked_note
    from warning.store import finding
    from warning.tuning import showing

    with service_to_mend(config) as service:
        alert = alert_of(service, number)
        if found:
            word = found_of(found)
            texts = checked_note("--note", note), checked_note("--by", by)
            one = Finding(alert.number, word, checked_reason(word, reason), *texts, service.clock())
            with service.store.write():
                finding.add(service.store, one)
        showing.findings(finding.findings(service.store, alert.number), service.config.zone)
