"""A disk that fills up, and a database that may no longer be written: as real file systems have it, not as a limit."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from little_city import SATURDAY, at, lay, set_clock
from test_fuzz_feeds import content_of, kapok_import, many_days

from warning.store import open_store

SMALL = [  # for some of the files, for none, and until within the large one
    "480k",
    pytest.param("384k", marks=pytest.mark.soak),
    pytest.param("560k", marks=pytest.mark.soak),
]


def namespace() -> list[str] | None:
    """Return how a file system of one's own is mounted here, None where it cannot be."""
    for words in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        try:
            tried = subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
        except OSError:
            continue
        if tried.returncode == 0:
            return words
    return None


def in_small_disk(folder: Path, size: str) -> subprocess.CompletedProcess[str]:
    """Run ``kapok import`` with a folder's content on a file system of a size; what is there then is copied back."""
    words = namespace()
    if words is None:
        pytest.skip("no file system can be mounted here (unshare --mount): needs root or user namespaces")
    disk, back = folder.parent / "disk", folder.parent / "back"
    for made in (disk, back):
        made.mkdir()
    python, source, target, out = map(shlex.quote, (sys.executable, str(folder), str(disk), str(back)))
    steps = (
        f"mount -t tmpfs -o size={size} tmpfs {target} && cp -r {source}/. {target}",
        f"{python} -m warning import --config {target}/config.toml; code=$?; cp -r {target}/. {out}; exit $code",
    )
    found = subprocess.run(
        [*words, "sh", "-c", " && ".join(steps)], capture_output=True, text=True, encoding="utf-8", check=False
    )
    shutil.rmtree(folder)
    back.rename(folder)
    return found


def deployed(folder: Path) -> None:
    lay(folder, history=False)
    with closing(open_store(folder / "kapok.db")):
        pass
    many_days(folder)
    set_clock(folder, at(SATURDAY, "07:30"))


@pytest.mark.parametrize("size", SMALL)
def test_a_disk_that_is_full_leaves_whole_files_only_and_the_rest_is_read_later(tmp_path: Path, size: str) -> None:
    full, never = tmp_path / "a" / "full", tmp_path / "never"
    deployed(full)
    deployed(never)

    stopped = in_small_disk(full, size)
    between = content_of(full / "kapok.db")
    after = kapok_import(full)
    assert kapok_import(never).returncode == 0

    assert stopped.returncode == 2, stopped.stdout + stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "the disk is full; free some space, nothing was half-written" in stopped.stderr
    expected = content_of(never / "kapok.db")
    assert between.files == expected.files[: len(between.files)]
    assert sum(accepted for _, _, accepted, _, _ in between.files) == len(between.observations)
    assert after.returncode == 0
    assert content_of(full / "kapok.db") == expected
