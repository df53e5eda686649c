"""What stages, transitions and jobs are called: one word each, the same on the page and at the command line."""

from __future__ import annotations

from warning.model import Alert, Level, Stage, Transition

STAGES = {
    Stage.RAISED: ("待签收", "to be acknowledged"),
    Stage.ACKNOWLEDGED: ("已签收", "acknowledged"),
    Stage.VERIFIED: ("已核实", "verified"),
    Stage.RECTIFYING: ("整改中", "rectifying"),
    Stage.REPORTED: ("已反馈", "reported"),
    Stage.REVIEWED: ("已复核", "reviewed"),
    Stage.CLOSED: ("已结束", "closed"),
}
TRANSITIONS = {
    Transition.OPENED: ("新出现", "opened"),
    Transition.RAISED: ("升级", "raised"),
    Transition.LOWERED: ("降级", "lowered"),
    Transition.ENDED: ("结束", "ended"),
    Transition.CORRECTED: ("数据更正", "data correction"),
    Transition.LEVEL_CHANGED: ("水平改变", "level changed"),
}
JOBS = {"feeds": "读入数据", "sweep": "研判", "outbox": "发送邮件", "daily_mail": "每日邮件", "briefing": "周报"}


def stage_of(alert: Alert) -> tuple[str, str]:
    """Return how far people are with an alert; of one that was never above yellow nothing is asked."""
    if alert.peak <= Level.YELLOW and alert.stage is Stage.RAISED:
        return ("自行结束", "ends by itself")
    return STAGES[alert.stage]
