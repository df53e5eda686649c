"""The commands an analyst tunes rules with."""

from __future__ import annotations

import typer

rules = typer.Typer(
    help="规则：结构、检查、测试、比较 / Rules: schema, check, test, compare.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@rules.callback()
def group() -> None:
    """规则：结构、检查、测试、比较 / Rules: schema, check, test, compare."""


@rules.command()
def schema() -> None:
    """规则文件的 JSON Schema，供编辑器补全 / The JSON Schema of rule files, for editors to complete by."""
    from warning.tuning.schema import written

    typer.echo(written(), nl=False)
