from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from labelnext.errors import ConfigError, WriteFailed
from labelnext.support.files import (
    check_outputs,
    check_page,
    check_regular,
    check_writable,
    matches,
    sweep,
    temporary_file,
    write_atomically,
)


def write(path: Path, text: str = "new") -> None:
    write_atomically(path, lambda file: file.write(text.encode()))


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "t.csv").write_text("old")
    (tmp_path / "l.csv").symlink_to("real/t.csv")
    (tmp_path / "l2.csv").symlink_to("l.csv")
    write(tmp_path / "l2.csv")
    assert (tmp_path / "l2.csv").readlink() == Path("l.csv")
    assert (tmp_path / "l.csv").readlink() == Path("real/t.csv")
    assert (tmp_path / "real" / "t.csv").read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "l.csv",
        "l2.csv",
        "real",
        "t.csv",
    ]


def test_a_link_to_a_file_that_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    (tmp_path / "l.csv").symlink_to("t.csv")
    write(tmp_path / "l.csv")
    assert (tmp_path / "l.csv").is_symlink()
    assert (tmp_path / "t.csv").read_text() == "new"


@pytest.mark.parametrize("target", ["nowhere/x", "l.csv"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "l.csv").symlink_to(target)
    with pytest.raises(ConfigError, match="l.csv' can't be written"):
        check_writable(tmp_path / "l.csv")
    with pytest.raises(WriteFailed, match="l.csv' can't be written"):
        write(tmp_path / "l.csv")
    assert os.readlink(tmp_path / "l.csv") == target


def test_mode_owner_and_attributes_of_a_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("old")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    try:
        os.setxattr(path, "user.note", b"mine")
        noted = True
    except (OSError, AttributeError):
        noted = False  # not on this file system
    before = path.stat()
    write(path)
    after = path.stat()
    assert path.read_text() == "new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert not noted or os.getxattr(path, "user.note") == b"mine"


def test_a_new_file_follows_the_umask_and_a_private_one_does_not(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write(tmp_path / "a")
        write_atomically(tmp_path / "p" / "b", lambda file: file.write(b""), private=True)
    finally:
        os.umask(mask)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "p", "p/b")]
    assert modes == [0o644, 0o700, 0o600]


def test_a_device_is_written_and_stays(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        null = tmp_path / "null"
        try:
            os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            null = Path("/dev/null")
    else:
        null = Path("/dev/null")
    try:
        write(null)
    except WriteFailed:  # a file system without devices
        assert null != Path("/dev/null")
    assert stat.S_ISCHR(null.stat().st_mode)
    with pytest.raises(ConfigError, match="must be a regular file"):
        check_regular(null)


def test_a_pipe_that_nobody_reads_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(WriteFailed, match="can't be written"):
        write(tmp_path / "pipe.csv")
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)


def test_standard_output_gets_the_text_among_the_rest(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from labelnext.support.files import write_atomically\n"
        "print('first')\n"
        "write_atomically(Path('/dev/stdout'), lambda file: file.write(b'page\\n'))\n"
        "print('last')\n"
    )
    with (tmp_path / "out").open("w") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "first\npage\nlast\n"


def test_what_cannot_be_written_says_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.csv").write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteFailed, match=r"r.csv' can't be written: No space left") as caught:
        write(tmp_path / "r.csv")
    assert caught.value.hint == "free some disk space, then try again."
    assert (tmp_path / "r.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]
    with pytest.raises(WriteFailed, match="can't be written"):
        write(tmp_path / "r.csv" / "x")
    with pytest.raises(ConfigError, match="too long"):
        check_writable(tmp_path / ("x" * 300))


def test_what_dead_processes_left_is_swept_and_what_is_being_written_stays(
    tmp_path: Path,
) -> None:
    dead = tmp_path / ".labelnext-0123456789abcdef.partial"
    dead.write_text("half")
    (tmp_path / ".other.partial").write_text("somebody's")
    with temporary_file(tmp_path) as (partial, _):
        sweep(tmp_path)
        assert partial.exists()
        partial.rename(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.partial", "whole"]


def test_inputs_are_told_by_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "p").write_text("")
    (tmp_path / "soft").symlink_to("p")
    os.link(tmp_path / "p", tmp_path / "hard")
    (tmp_path / "linked").symlink_to(".")
    for name in ("p", "sub/../p", "soft", "hard", "linked/p", str(tmp_path / "p")):
        with pytest.raises(ConfigError, match="report.path must differ from source.path"):
            check_outputs({"report.path": Path(name)}, {"source.path": Path("p")})
    with pytest.raises(ConfigError, match="report.path must differ from write.output"):
        check_outputs({"write.output": Path("r"), "report.path": Path("sub/../r")}, {})
    for one, other in (("Rank.csv", "rank.CSV"), ("r\u00e9.csv", "re\u0301.csv")):
        with pytest.raises(ConfigError, match="report.path must differ from write.output"):
            check_outputs({"write.output": Path(one), "report.path": Path(other)}, {})
    check_outputs({"report.path": Path("q"), "write.output": Path("r")}, {"source": Path("p")})
    check_outputs({"report.path": Path("/dev/null"), "replay.path": Path("/dev/null")}, {})


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("d/a.pq", "d/*.pq", True),
        ("d/e/a.pq", "d/*.pq", False),
        ("d/e/a.pq", "d/*/*.pq", True),
        ("d/a.pq", "d/*/*.pq", False),
        ("d/a.pq", "d/**/*.pq", True),
        ("d/e/f/a.pq", "d/**/*.pq", True),
        ("d/e/f/a.pq", "d/**", True),
        ("d/e/f/a.pq", "d/**/f/a.pq", True),
        ("d/0.pq", "d/[0-4].pq", True),
        ("d/5.pq", "d/[0-4].pq", False),
    ],
)
def test_a_star_stays_within_its_folder(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


@pytest.mark.parametrize("name", ["page.pdf", "page.PDF", "page", "page.csv"])
def test_a_page_is_named_as_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"must be a file that ends in \.html") as caught:
        check_page(tmp_path / name)
    assert "page.html" in str(caught.value.hint)
    assert ("print it as a PDF" in str(caught.value.hint)) == name.lower().endswith(".pdf")
    check_page(tmp_path / "page.HTM")


def test_a_page_replaces_nothing_but_an_earlier_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    check_page(page)  # nothing is there
    page.write_text("<head><style>p {}</style><title>labelnext: run</title></head>")
    check_page(page)
    page.write_text("<title>my essay</title>")
    with pytest.raises(ConfigError, match=r"report.html' must be a page of labelnext's"):
        check_page(page)
    assert page.read_text() == "<title>my essay</title>"


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_without_modes_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    def refuse(path: object, *_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    path = tmp_path / "ranking.csv"
    if there:
        path.write_text("old")
    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    write_atomically(path, lambda file: file.write(b"new"))
    assert path.read_text() == "new"
