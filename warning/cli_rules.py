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
