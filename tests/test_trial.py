"""`kapok check` writes every text once: a template's mistake shows before the first real mail."""

from __future__ import annotations

from pathlib import Path

import pytest
from little_city import lay
from typer.testing import CliRunner

from warning.cli import app
from warning.errors import KapokError
from warning.paths import shipped
from warning.trial import faults_of_texts


def own(folder: Path, name: str, old: str, new: str) -> Path:
    """Lay a deployment's own copy of a shipped template with one thing changed."""
    text = (shipped("templates") / name).read_text(encoding="utf-8")
    assert old in text
    path = folder / "templates" / name
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def check(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--config", str(folder / "config.toml")])
    return (2, result.exception.framed()) if isinstance(result.exception, KapokError) else (0, result.output)


def test_the_shipped_texts_can_be_written() -> None:
    assert faults_of_texts([]) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        pytest.param("mail/alert.zh.txt.j2", "recipient", "recipent", "'recipent' is undefined", id="variable"),
        pytest.param("mail/daily.zh.txt.j2", "facts.place.name_zh", "facts.place.nmae_zh", "nmae_zh", id="attribute"),
        pytest.param("mail/notice.zh.html.j2", "{{ title }}", "{{ titel }}", "'titel' is undefined", id="notice"),
        pytest.param(
            "narrative/sentences.zh.j2", "macro basis(i)", "macro bases(i)", "'basis' is undefined", id="macro"
        ),
        pytest.param("narrative/place.zh.txt.j2", "say.whole", "say.hole", "hole", id="macro-of-another-file"),
        pytest.param("briefing/week.zh.html.j2", "{{ office }}", "{{ ofice }}", "'ofice' is undefined", id="briefing"),
        pytest.param(
            "mail/alert.zh.txt.j2",
            "{{ change.item.facts.name }}",
            "{{ change.item.facts.wow }}",
            "put the sentence between {% sentence %}",
            id="a-number-that-may-be-absent",
        ),
    ],
)
def test_a_template_that_cannot_be_written_fails_the_check(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    lay(tmp_path, history=False)
    path = own(tmp_path, name, old, new)

    code, answer = check(tmp_path)

    assert code == 2
    assert f"{path}: line " in answer
    assert said in answer


def test_a_misspelt_fact_is_asked_about_since_its_sentence_would_vanish(tmp_path: Path) -> None:
    lay(tmp_path, history=False)
    own(tmp_path, "narrative/sentences.zh.j2", "{{ f.n_watch }}", "{{ f.n_wacth }}")

    code, answer = check(tmp_path)

    assert code == 0
    assert "asks for the fact 'n_wacth', no shipped one does; did you mean 'n_watch'?" in answer
