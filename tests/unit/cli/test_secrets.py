"""A secret in any key of a configuration is never printed, reported or logged."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from labelnext import errors
from labelnext.cli.commands import main
from labelnext.cli.log import log_to
from labelnext.config import load_config
from labelnext.config import schema as schemas
from labelnext.config.schema import json_schema
from labelnext.errors import ConfigError, InvalidInput, is_secret_name, masked, remember_secret
from labelnext.journal import columns
from labelnext.journal.journal import Journal, journals
from labelnext.journal.plan import Plan, Step
from tests.unit.cli.test_commands import labelnext

SECRET = "hunter2&\"'<é>"  # also where it is written as JSON, HTML or Python
ROWS = (
    '{"item_id": "a", "probabilities": [0.6, 0.4]}\n{"item_id": "b", "probabilities": [0.5, 0.5]}\n'
)
OWN = {
    "files": {"path": "p.jsonl"},
    "label-studio": {"url": "http://127.0.0.1:1", "api_key": "${PLANTED_TOKEN}", "project": "1"},
    "fiftyone": {"dataset": "d"},
}


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_secrets", {})
    monkeypatch.setenv("PLANTED_TOKEN", SECRET)


def text_keys(adapter: str) -> list[tuple[str, str]]:
    """The section and name of every key that takes a text or a path."""

    def takes_text(schema: dict[str, Any]) -> bool:
        kinds = schema.get("anyOf", [schema])
        return not kinds[0] or any("string" in (k.get("type"), k.get("format")) for k in kinds)

    found = []
    for section, schema in json_schema()["properties"].items():
        kinds = schema.get("anyOf", [schema])
        if section in ("source", "write"):
            kinds = [kind for kind in kinds if kind["title"] == adapter]
        if not any("properties" in kind for kind in kinds):
            found += [("", section)] if takes_text(schema) else []
        for kind in kinds:
            keys = kind.get("properties", {}).items()
            found += [(section, key) for key, inner in keys if takes_text(inner)]
    return sorted(set(found))


def planted(
    folder: Path, adapter: str, section: str, key: str, text: str = "${PLANTED_TOKEN}"
) -> Path:
    sections: dict[str, dict[str, str]] = {"source": {"adapter": adapter, **OWN[adapter]}}
    if (section, key) != ("write", "run"):  # one page is enough, as pages take their time
        sections["report"] = {"path": "null"}
    top = {}
    if section:
        sections.setdefault(section, {})[key] = f"'{text}'"
    else:
        top[key] = f"'{text}'"
    lines = [f"{name}:\n" + "".join(f"  {k}: {v}\n" for k, v in own.items())
             for name, own in sections.items()]  # fmt: skip
    path = folder / "labelnext.yaml"
    path.write_text("".join(lines) + "".join(f"{k}: {v}\n" for k, v in top.items()))
    return path


def outcome(path: Path) -> str:
    """The dump of a configuration, or its error."""
    try:
        return str(load_config(path).to_dict())
    except ConfigError as error:
        return f"{error} {error!r}"


def refused(path: Path) -> bool:
    """Whether a configuration is refused, by every command alike."""
    try:
        load_config(path)
    except ConfigError:
        return True
    return False


def told(text: str) -> list[str]:
    """The forms of the secret that a text tells."""
    forms = (SECRET, "hunter2")
    return [form for form in forms if form in text]


@pytest.mark.parametrize(("section", "key"), text_keys("files"))
def test_a_secret_in_a_key_is_not_printed_reported_or_logged(
    tmp_path: Path, section: str, key: str
) -> None:
    (tmp_path / "p.jsonl").write_text(ROWS)
    path = planted(tmp_path, "files", section, key)
    log = tmp_path / "log.txt"
    commands: list[tuple[str, ...]] = [
        ("check", "labelnext.yaml"),
        ("run", "labelnext.yaml", "-vv", "--log-file", str(log)),
        ("run", "labelnext.yaml", "--dry-run", "--json"),
        ("runs", "labelnext.yaml"),
        ("undo", "labelnext.yaml", "--yes"),
    ]
    for arguments in commands[:2] if refused(path) else commands:
        result = labelnext(*arguments, folder=tmp_path)
        assert "Traceback" not in result.stderr
        assert not told(result.stdout + result.stderr), arguments
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "labelnext.yaml":
            assert not told(file.read_bytes().decode("utf-8", "replace")), file.name


@pytest.mark.parametrize("adapter", ["label-studio", "fiftyone"])
def test_a_secret_in_a_key_of_a_platform_is_in_no_error_and_no_dump(
    tmp_path: Path, adapter: str
) -> None:
    keys = text_keys(adapter)
    assert len(keys) > 20
    for section, key in keys:
        assert not told(outcome(planted(tmp_path, adapter, section, key))), (section, key)


@pytest.mark.parametrize("adapter", OWN)
@pytest.mark.parametrize("kind", ["Bearer", "Token"])
def test_a_header_that_is_typed_into_any_key_is_masked_from_then_on(
    tmp_path: Path, adapter: str, kind: str
) -> None:
    for section, key in text_keys(adapter):
        errors._secrets.clear()
        path = planted(tmp_path, adapter, section, key, f"{kind} hunter2hunter2")
        assert not told(outcome(path)), (section, key)
        assert masked("refused: hunter2hunter2") == "refused: ***", (section, key)


def test_a_header_that_is_typed_as_the_name_of_a_run_is_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(ROWS)
    path = planted(tmp_path, "files", "write", "run", "Bearer hunter2hunter2")
    for command in (["run"], ["runs"], ["undo", "--yes"]):
        errors._secrets.clear()  # as in a new process
        result = labelnext(*command, "labelnext.yaml", folder=tmp_path)
        assert result.returncode == 0, result.stderr
        assert not told(result.stdout + result.stderr)
        files = [file for file in tmp_path.rglob("*") if file.is_file() and file != path]
        assert files
        assert not [
            file.name for file in files if told(file.read_bytes().decode("utf-8", "replace"))
        ]


def test_users_and_tokens_of_addresses_are_masked() -> None:
    assert masked("see https://me:pw@host/a?x=1&access_token=abc&y=2#z or s3://k:s@b") == (
        "see https://***@host/a?x=1&access_token=***&y=2#z or s3://***@b"
    )
    assert masked("no ?tokens, a//b and x@y stay") == "no ?tokens, a//b and x@y stay"


def test_a_message_of_a_server_does_not_tell_the_key_back() -> None:
    remember_secret("0123456789abcdef")
    error = InvalidInput("the server said: bad token 0123456789abcdef.", hint="0123456789abcdef")
    assert str(error) == "the server said: bad token ***. Hint: ***"


def test_short_texts_are_no_secrets() -> None:
    remember_secret("public")
    assert masked("a public page") == "a public page"


def test_names_that_seem_to_hold_secrets() -> None:
    secret = ["API_KEY", "LS_TOKEN", "DB_PASSWORD", "aws_secret_access_key", "Signature"]
    assert all(map(is_secret_name, secret))
    assert not any(map(is_secret_name, ["DATA", "PROJECT", "HOME", "RUN"]))


def test_the_log_of_a_library_user_is_theirs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "labelnext"):
        logging.getLogger("labelnext").info("%s", InvalidInput("//me:pw@host"))
    assert "pw" not in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("//me:p@ss@host", "//***@host"),
        ("http://me:pa/ss@host/a", "http://***@host/a"),
        ("http://localhost:8080/a@b", "http://localhost:8080/a@b"),
        ("https%3A%2F%2Fme%3Apw%40host%2Fa", "https%3A%2F%2F***%40host%2Fa"),
        ("x%3Ftoken%3Dabc%26page%3D2", "x%3Ftoken%3D***%26page%3D2"),
        ("?password=a%20b&x=1", "?password=***&x=1"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwx", "Authorization: Bearer ***"),
        ("authorization: bearer abcdefg1", "authorization: bearer ***"),
        ("got 'api_key=abcdefgh' of", "got 'api_key=***' of"),
        ("monkey=abcdefgh, access_token=abc", "monkey=abcdefgh, access_token=abc"),
        ("Token authentication failed", "Token authentication failed"),
        ("jwt eyJhbGciOi.eyJ1c2VyIj.c2lnbmF0dXJl", "jwt ***"),
    ],
)
def test_every_spelling_of_a_secret_in_a_message_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2hunter2@host/a",
        "https://host/a?x=1&access_token=hunter2hunter2",
        "https://host/a#access_token=hunter2hunter2",
        "api_key=hunter2hunter2",
        "https%3A%2F%2Fme%3Ahunter2hunter2%40host",
    ],
)
def test_a_secret_in_the_url_of_a_key_is_remembered(tmp_path: Path, url: str) -> None:
    path = tmp_path / "labelnext.yaml"
    path.write_text(f"source: {{adapter: files, path: p.jsonl}}\nwrite: {{run: '{url}'}}\n")
    load_config(path)
    assert not told(masked("the server said: hunter2hunter2 is wrong"))
    errors._secrets.clear()
    load_config({"source": {"adapter": "files", "path": "p.jsonl"}, "write": {"run": url}})
    assert not told(masked("the server said: hunter2hunter2 is wrong"))


def planned(folder: Path, name: str, n: int) -> Journal:
    rows = [{"item_id": str(i), "rank": i} for i in range(n)]
    urls = [f"https://host/{i}?token={name}" for i in range(n)]
    payload = {"path": name, name: "a key", "rows": rows, "urls": urls}
    step = Step("kind", f"Write {name}", n, payload)
    return Journal.create(folder, Plan("files", name, f"the file {name}", (step,)))


@pytest.mark.parametrize("n", [1, 5000])  # in the line, and in a file beside it
def test_a_journal_holds_no_secret_and_gives_it_back_to_those_who_know_it(
    tmp_path: Path, n: int
) -> None:
    name = f'/tmp/{SECRET}\x1a"'
    remember_secret(SECRET)
    journal = planned(tmp_path, name, n)
    journal.record("before", step=0, state={"text": name})
    journal.record("finished")
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert len(files) == (1 if n == 1 else 2)
    assert not any(b"hunter2" in content for content in files)
    (again,) = journals(tmp_path)
    assert (again.target, again.plan.steps[0].payload["path"]) == (f"the file {name}", name)
    assert again.plan.steps[0].payload[name] == "a key"
    assert again.plan.steps[0].payload["urls"][-1] == f"https://host/{n - 1}?token={name}"
    assert again.befores[0] == {"text": name}
    errors._secrets.clear()
    (stranger,) = journals(tmp_path)
    assert stranger.status == "done"
    assert "***" in stranger.target
    with pytest.raises(ConfigError, match="needs a password or token that was set"):
        _ = stranger.plan


def test_a_column_with_a_secret_that_is_not_known_is_not_called_damaged(tmp_path: Path) -> None:
    remember_secret(SECRET)
    path = tmp_path / "a.arrow"
    digest = columns.store(path, {"urls": [f"//host/?token={SECRET}"] * 100, "n": [None] * 100})
    assert columns.load(path, digest)["urls"][99] == f"//host/?token={SECRET}"
    errors._secrets.clear()
    with pytest.raises(ConfigError, match=r"a\.arrow' needs a password or token that was set"):
        columns.load(path, digest)


def test_a_run_with_a_secret_in_a_path_can_be_undone(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(ROWS)
    output = tmp_path / f"{SECRET}.csv"
    output.write_text("mine")
    config = "source: {adapter: files, path: p.jsonl}\nreport: {path: null}\n"
    (tmp_path / "labelnext.yaml").write_text(config + "write: {output: '${PLANTED_TOKEN}.csv'}\n")
    for command, content in (["run"], "item_id"), (["undo", "--yes"], "mine"):
        errors._secrets.clear()  # as in a new process
        result = labelnext(*command, "labelnext.yaml", folder=tmp_path)
        assert result.returncode == 0, result.stderr
        assert content in output.read_text()
        assert not told(result.stdout + result.stderr)


def test_what_data_hold_is_no_mark_of_a_secret(tmp_path: Path) -> None:
    remember_secret(SECRET)
    first = planned(tmp_path, SECRET, 1)
    mark = re.search("\x1a[0-9a-f]{32}\x1a", first.path.read_text("utf-8"))
    assert mark is not None
    second = planned(tmp_path, mark[0], 1)
    assert journals(tmp_path)[1].plan.steps[0].payload["path"] == mark[0]
    assert second.status == "planned"


def test_an_unexpected_error_shows_its_traceback_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_secret(SECRET)

    def fail() -> None:
        raise RuntimeError(f"no {SECRET} at https://me:pw@host")

    monkeypatch.setattr(schemas, "json_schema", fail)
    monkeypatch.setattr(sys, "argv", ["labelnext", "schema"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit):
        main()
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "RuntimeError: no *** at https://***@host" in shown
    assert "test_secrets.py" in shown


@pytest.mark.parametrize(
    "text", ["//a:b", "%2F%2Fa:b", "?token", "?a", "//me:p@", "Bearer ", "eyJaaaaa."]
)
def test_long_texts_are_masked_in_time_that_grows_with_their_length(text: str) -> None:
    assert len(masked(text * 20_000)) > 10  # without limits, minutes


def test_a_logged_exception_tells_no_secret(tmp_path: Path) -> None:
    remember_secret(SECRET)
    log_to(tmp_path / "log.txt")
    logger = logging.getLogger("labelnext")
    try:
        raise RuntimeError(SECRET)
    except RuntimeError:
        logger.exception("it failed")
    handler = logger.handlers.pop()
    handler.close()
    text = (tmp_path / "log.txt").read_text()
    assert "RuntimeError: ***" in text
    assert not told(text)
