"""How labelnext was started and installed, for every command that a message prints."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

CONFIG = "CONFIG"
"""In `how`, stands for the configuration at work; printed as it is when there is none."""

_config: ContextVar[str | None] = ContextVar("config", default=None)
_run: ContextVar[tuple[str, bool] | None] = ContextVar("run", default=None)
_OWN = re.compile(r"labelnext(\[[^\]]*\])?")


def config_at_work() -> str | None:
    """The path of the configuration at work, if that is a file."""
    return _config.get()


@contextmanager
def working_on(config: Path | str | None) -> Iterator[None]:
    """Meanwhile, `how` puts this configuration where a command needs one."""
    before = _config.set(_config.get() if config is None else str(config))
    try:
        yield
    finally:
        _config.reset(before)


def work_on(config: Path | str) -> None:
    """From now on, `how` puts this configuration where a command needs one."""
    _config.set(str(config))


def run_at_work() -> tuple[str, bool] | None:
    """The run whose journal this command wrote to last, and whether it is being undone.

    None if the command began none.
    """
    return _run.get()


def work_on_run(run_id: str, *, undoing: bool = False) -> None:
    """From now on, `run_at_work` is this run."""
    _run.set((run_id, undoing))


def how(*words: str | Path, program: str = "labelnext") -> str:
    """A command line that works in the shell and folder in which this process was started.

    ``labelnext …`` if that is this installation, otherwise the path of its script, or
    ``python -m labelnext …`` where it has none.

    Args:
        words: the command and its arguments, unquoted; `CONFIG` is the configuration at work. A
            `Path` that begins with a dash gets ``./`` before it, so that it isn't an option.
        program: another script of the same environment, such as fiftyone.

    Example:
        >>> how("undo", "my file.yaml").endswith("labelnext undo 'my file.yaml'")
        True
    """
    given = [_file(_config.get() or CONFIG) if word == CONFIG else _word(word) for word in words]
    return _quoted([*_program(program), *given])


def by_name(*words: str | Path) -> str:
    """The same command line for a file that other people and machines read: labelnext by its name.

    Example:
        >>> by_name("run", Path("my file.yaml"))
        "labelnext run 'my file.yaml'"
    """
    return _quoted(["labelnext", *map(_word, words)])


def how_python(*words: str) -> str:
    """A command line of the Python that runs labelnext."""
    return _quoted([_python(), *words])


def how_to_install(*requirements: str) -> str:
    """The command that installs packages beside this labelnext, from where it came.

    Args:
        requirements: such as ``labelnext[fiftyone]``, or options of pip.

    Example:
        >>> how_to_install("labelnext[ray]").endswith("[ray]'")
        True
    """
    words: list[str] = []
    for requirement in requirements:
        match = _OWN.fullmatch(requirement)
        words += [requirement] if match is None else _own_requirement(match[1] or "")
    return _quoted([*_pip_install(), *words])


def installed_here(command: str) -> str:
    """An install command as adapters declare it (``pip install …``), as it works here."""
    words = shlex.split(command)
    return how_to_install(*words[2:]) if words[:2] == ["pip", "install"] else command


def source_folder() -> Path | None:
    """The folder that labelnext was installed from, such as a clone, if it is still there."""
    url, editable = _origin()
    folder = _folder_of(url) if url.startswith("file:") else None
    return folder if folder is not None and (editable or folder.is_dir()) else None


def _program(name: str) -> list[str]:
    """The words that start a script of this environment."""
    places = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    with suppress(KeyError):  # no such scheme
        places.append(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    ours = [script for folder in places if (script := shutil.which(name, path=folder))]
    running = shutil.which(sys.argv[0]) if Path(sys.argv[0]).stem == name else None
    ours += [running] if running else []
    on_path = shutil.which(name)
    if on_path and any(os.path.realpath(on_path) == os.path.realpath(one) for one in ours):
        return [name]
    if ours:
        return [from_here(ours[0])]
    return [_python(), "-m", name]


def _python() -> str:
    on_path = shutil.which("python")
    # Not by what links lead to: the Python of an environment is a link to that of the system.
    same = on_path is not None and Path(on_path).parent == Path(sys.executable).parent
    return "python" if same else from_here(sys.executable)


def from_here(path: str) -> str:
    """A path relative to the current folder for what is inside it; any other text as it is.

    Example:
        >>> from_here(os.path.abspath("a/../b.csv")), from_here("project 7")
        ('b.csv', 'project 7')
    """
    if not os.path.isabs(path) or os.path.splitdrive(path)[0] not in ("", _drive()):
        return path
    if os.pardir in Path(path).parts:
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    inside = os.path.relpath(path)
    at_the_top = os.path.dirname(os.getcwd()) == os.getcwd()  # nobody takes tmp/a.csv for a path
    return path if at_the_top or inside.startswith(os.pardir) else inside


def _drive() -> str:
    return os.path.splitdrive(os.getcwd())[0]


def _pip_install() -> list[str]:
    if not _installed("pip") and shutil.which("uv"):
        return ["uv", "pip", "install", "--python", from_here(sys.executable)]
    on_path = shutil.which("pip")
    if on_path is not None and Path(on_path).parent == Path(sys.executable).parent:
        return ["pip", "install"]
    return [_python(), "-m", "pip", "install"]


def _installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def _own_requirement(extras: str) -> list[str]:
    """Our package with these extras, from a folder, an address or the index."""
    url, editable = _origin()
    if not url:
        return [f"labelnext{extras}"]
    if not url.startswith("file:"):
        return [f"labelnext{extras} @ {url}"]
    folder = _folder_of(url)
    if not folder.exists():  # a clone or wheel that is gone
        return [f"labelnext{extras}"]
    inside = os.path.relpath(folder)
    folder_given = str(folder) if inside.startswith(os.pardir) else inside
    shown = (
        folder_given
        if folder_given == "." or os.path.isabs(folder_given)
        else os.path.join(".", folder_given)
    )
    return [*(["-e"] if editable else []), f"{shown}{extras}"]


def _origin() -> tuple[str, bool]:
    """Where our package was installed from, if not from an index; and whether it is editable."""
    try:
        data = json.loads(distribution("labelnext").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return "", False
    url, control = str(data.get("url", "")), data.get("vcs_info")
    if control:
        url = f"{control['vcs']}+{url}"
    return url, bool(data.get("dir_info", {}).get("editable"))


def _folder_of(url: str) -> Path:
    path = unquote(urlsplit(url).path)
    return Path(path.lstrip("/") if os.name == "nt" else path)


def _word(word: str | Path) -> str:
    return word if isinstance(word, str) else _file(str(word))


def _file(path: str) -> str:
    return os.path.join(os.curdir, path) if path.startswith("-") else path


def _quoted(words: Sequence[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else " ".join(map(_in_shell, words))


def _in_shell(word: str) -> str:
    r"""A word as the shell takes it; Bash and zsh know the escapes of what a terminal doesn't show.

    Example:
        >>> print(_in_shell("my file"), _in_shell(chr(9)))
        'my file' $'\011'
    """
    if word.isprintable():
        return shlex.quote(word)
    octal = (
        c if c.isprintable() and c not in "'\\" else "".join(f"\\{b:03o}" for b in os.fsencode(c))
        for c in word
    )
    return f"$'{''.join(octal)}'"
