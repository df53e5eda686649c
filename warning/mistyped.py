"""A command that was typed wrongly, answered in Chinese first; typer's own words, which are English, stand beside."""

from __future__ import annotations

import re
import sys
from typing import Any

import typer

USAGE: Any = typer.BadParameter.__mro__[1]  # the base of all complaints about what was typed; typer does not name it

SAID = (
    (r"No such command '?(.+?)'?\. Did you mean '?(.+?)'?\?", "没有命令“{0}”；是否应为“{1}”？"),
    (r"No such command '?(.+?)'?\.", "没有命令“{0}”"),
    (r"No such option: (\S+) (?:Did you mean|\(Possible options:) (.+?)[?)]", "没有选项 {0}；是否应为 {1}？"),
    (r"No such option: (\S+)", "没有选项 {0}"),
    (r"Missing argument '?(.+?)'?\.?", "少写了 {0}"),
    (r"Missing (?:option|parameter)[: ]*'?(.+?)'?\.?", "少写了选项 {0}"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)", "多写了“{0}”"),
    (r"Option '?(.+?)'? requires (?:an argument|\d+ arguments)\.?", "选项 {0} 后面须写一个值"),
    (r"Invalid value for '?(.+?)'?: .*", "{0} 的值不对"),
)


def run(app: typer.Typer) -> None:
    """Run the command line, and end with its exit code.

    Raises:
        KapokError: what a command has to say to an operator.
    """
    try:
        code = app(prog_name="kapok", standalone_mode=False)
    except typer.Abort:
        sys.stderr.write("已中止 / stopped\n")
        sys.exit(1)
    except USAGE as error:
        sys.stderr.write(answer(error))
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def answer(error: Any) -> str:
    """Return what is said of a complaint: what is wrong, how the command is written, where all of it is told."""
    context, said = error.ctx, " ".join(error.format_message().split())
    if type(error).__name__ == "NoArgsIsHelpError":
        return f"{error.format_message()}\n"
    lines = ["命令有误 / mistyped", f"  {chinese(said)} / {said}"]
    if context is not None:
        usage = context.command.get_usage(context).removeprefix("Usage: ")
        lines += [f"  写法 usage: {' '.join(usage.split())}", f"  全部 all: {context.command_path} --help"]
    return "\n".join(lines) + "\n"


def chinese(said: str) -> str:
    """Return in Chinese what typer says of a mistyped command."""
    for pattern, words in SAID:
        if match := re.fullmatch(pattern, said):
            return words.format(*match.groups())
    return "命令写得不对"
