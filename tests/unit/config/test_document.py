"""How a YAML file is read: scalars as they are written, limits, lines and variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext.config import load_config
from labelnext.config.document import parse
from labelnext.errors import ConfigError, NotFound

FILES = "source: {adapter: files, path: p.csv}\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "labelnext.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_empty_file_is_no_mapping(tmp_path: Path) -> None:
    for text in ("", "# nothing\n", "---\n...\n"):
        with pytest.raises(ConfigError, match="must be a mapping of keys to values; got nothing"):
            parse(written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    ["007", "010", "0o17", "0x1f", "12:30:00", "1e3", "1.10", "1_000", "2026-02-30", "no", "true"],
)
def test_an_id_is_the_text_as_it_is_written(tmp_path: Path, text: str) -> None:
    options = f"selection: {{options: {{exclude: [{text}], include: [a, '{text}x']}}}}\n"
    config = load_config(written(tmp_path, FILES + options))
    assert config.selection.options == {"exclude": [text], "include": ["a", text + "x"]}
    assert config.recipe.limits["exclude"] == [text]


def test_names_are_texts_as_they_are_written(tmp_path: Path) -> None:
    text = (
        "source:\n  adapter: files\n  path: 007.csv\n  key: 0010\n  classes: [no, yes, 1, 1.10]\n"
        "  columns: {item_id: 1, label: on}\nwrite: {run: 2026-11-22}\n"
        "selection: {budget: 1e2, options: {quota: {no: 3, 007: 1}}}\n"
    )
    config = load_config(written(tmp_path, text))
    own = config.source_options
    assert (str(own.path), config.source.key, config.write.run) == (  # type: ignore[attr-defined]
        "007.csv",
        "0010",
        "2026-11-22",
    )
    assert own.classes == ["no", "yes", "1", "1.10"]  # type: ignore[attr-defined]
    assert own.columns == {"item_id": "1", "label": "on"}  # type: ignore[attr-defined]
    assert config.selection.budget == 100
    assert config.selection.options["quota"] == {"no": 3, "007": 1}


@pytest.mark.parametrize("given", ["2", "1.10", "no", "2026-02-30"])
def test_a_model_version_is_a_text(tmp_path: Path, given: str) -> None:
    text = f"source: {{adapter: files, path: e.json, model_version: {given}}}\n"
    assert load_config(written(tmp_path, text)).source_options.model_version == given  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "tab"),
    [("3", 3), ("007", "007"), ("'3'", "3"), ("no", "no"), ("1.10", "1.10"), ("~", None)],
)
def test_a_number_or_title_is_a_number_if_it_looks_like_one(
    tmp_path: Path, given: str, tab: object
) -> None:
    text = (
        "source: {adapter: label-studio, url: 'http://127.0.0.1:1', api_key: 12345, project: 1, "
        f"tab: {given}}}\n"
    )
    config = load_config(written(tmp_path, text))
    assert config.source_options.tab == tab  # type: ignore[attr-defined]
    assert config.source_options.api_key.get_secret_value() == "12345"  # type: ignore[attr-defined]


@pytest.mark.parametrize("word", ["true", "True", "yes", "on", "ON", "'true'"])
def test_yes_and_on_are_true_where_a_truth_is_due(tmp_path: Path, word: str) -> None:
    text = f"source: {{adapter: files, path: p.csv, multilabel: {word}}}\n"
    assert load_config(written(tmp_path, text)).source_options.multilabel is True  # type: ignore[attr-defined]


def test_values_of_no_kind_mean_what_yaml_says(tmp_path: Path) -> None:
    text = "replay: {model_options: {a: 010, b: 1.5, c: no, d: true, e: ~, f: 0x10, g: {1: 2}}}\n"
    options = load_config(written(tmp_path, FILES + text)).replay.model_options
    assert options == {"a": 10, "b": 1.5, "c": "no", "d": True, "e": None, "f": 16, "g": {1: 2}}


BOMB = "x0: &x0 [lol]\n" + "".join(
    f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "line 6: config's aliases must stand for at most 131,072 values or 4 MB"),
        (f"a: &a '{'x' * 10**6}'\nb: [{', '.join(['*a'] * 5)}]\n", "line 2: config's aliases must"),
        (
            "a: &a b\n" + "".join(f"{n}: &a b\n" for n in range(10_000)),
            "line 10001: .* 10,000 anchors",
        ),
        (
            "a:\n" + f"- {'x' * 480}\n" * 32_768,  # of 512 bytes each
            "line 32769: config must hold at most 524,288 values or 16 MB",
        ),
        ("source: &a {x: *a}\n", "line 1: source.x must not hold itself; \\*a does"),
        ("a: 1\nb: *c\n", "line 2: b must use a known anchor; got \\*c"),
        ("x: " + "[" * 5000 + "]" * 5000, "line 1: config must be at most 50 levels deep"),
        ("a: 1\n---\nb: 2\n", "line 2: config must be one YAML document; got several"),
        ("a: 1\nb:\n\tc: 2\n", "line 3: config must be valid YAML;.*Hint: indent with spaces"),
        ("a:\n  b: *.csv\n", "line 2: .*Hint: put a value that starts with \\* in quotes"),
        ("a: {b: @x}\n", "line 1: .*Hint: put a value that starts with @ in quotes"),
        ("a:\n  - `x`\n", "line 2: .*Hint: put a value that starts with ` in quotes"),
        ("a:\n  b: c: d.csv\n", "line 2: .*Hint: put a value with a colon and a space in it in"),
        ("a:\n   b: 1\n  c: 2\n", "line 3: .*Hint: indent all keys of a section by the same"),
        ("? [a]\n: b\n", "line 1: config must have texts as keys; got a list or mapping"),
        ("a: !!python/object/apply:os.system [x]\n", "line 1: a must have no tag; got !!python/"),
        ("a: !!bool x\n", "a must have no tag; got !!bool"),
        ("a: !!timestamp x\n", "a must have no tag; got !!timestamp"),
        ("a: !mine x\n", "a must have no tag; got !mine"),
        ('a: "b\\0c"\n', "a must not contain a NUL character"),
        ("a: b\x00c\n", "line 1: config must be valid YAML; control characters"),
        ("a: ${HOME\n", "line 1: a must close and name each variable, as in \\${NAME}"),
        ("a: ${1}\n", "a must close and name each variable"),
        ("a: {b: 1, b: 2}\n", "a.b is given twice; line 1 already sets it"),
        ("a: &a 1\nb: {<<: *a}\n", "line 2: b.<< must be a mapping, or a list of mappings"),
        ("a: b".encode("utf-16-le"), "config must be a readable text file in UTF-8.*save it as"),
        ("a: b".encode("utf-16-be"), "config must be a readable text file in UTF-8.*save it as"),
        ("a: b".encode("utf-32"), "config must be a readable text file in UTF-8.*save it as"),
        ("a: b".encode("utf-16") + b"c", "config must be a readable text file in UTF-8.*save it"),
        (b"\xff\xfea\x00\x00\xd8", "config must be a readable text file in UTF-8"),
        ("a: !!python/name:os.system x\n", "line 1: a must have no tag; got !!python/name:os.s"),
        ("a: !!binary aGk=\n", "a must have no tag; got !!binary. Hint: put a text in quotes"),
        ("a: !!set {b, c}\n", "a must have no tag; got !!set. Hint: write a list as"),
        ("a: !!omap [b: 1]\n", "a must have no tag; got !!omap. Hint: write a list as"),
        ("a: !!value =\n", "a must have no tag; got !!value"),
        ("%TAG ! tag:x,1:\n---\na: !b c\n", "line 3: a must have no tag; got tag:x,1:b"),
        ("a: {&b c: 1, *b : 2}\n", "line 1: a.c is given twice; line 1 already sets it"),
        ("a: {<<: {b: 1}, <<: {c: 1}}\n", "line 1: a.<< is given twice"),
        ("a: &a {<<: *a}\n", "line 1: a.<< must not hold itself; \\*a does"),
        ("a: {<<: }\n", "a.<< must be a mapping, or a list of mappings"),
        ("a: " + "{<<: " * 60 + "{}" + "}" * 60, "config must be at most 50 levels deep"),
        ("a: 1\n...\nb: 2\n", "line 3: config must be one YAML document; got more after its end"),
        ("{a: 1}: 2\n", "line 1: config must have texts as keys; got a list or mapping"),
        (f"a: *{'x' * 10**6}\n", r"a must use a known anchor; got \*x{77}\.\.\.\.$"),
        (f"? {'x' * 10**6}\n: !c 1\n", r"line 2: x{77}\.\.\. must have no tag; got !c"),
        ('"b\\n\\e": !c 1\n', r"line 1: 'b\\n\\x1b' must have no tag; got !c"),
        ("'': !c 1\n", "line 1: '' must have no tag; got !c"),
        (b"a: \xfc\n", "config must be a readable text file in UTF-8"),
        (b"# " + b"x" * 17 * 2**20, "config must be at most 16 MB"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_configuration_is_refused(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(written(tmp_path, text))


def test_marks_of_encodings_and_long_comments_are_read(tmp_path: Path) -> None:
    for text in ("source: ü".encode("utf-16"), b"\xef\xbb\xbf" + "source: ü".encode()):
        assert parse(written(tmp_path, text)).data == {"source": "ü"}
    assert parse(written(tmp_path, "# word\n" * 1_500_000 + "a: 1\n")).data == {"a": "1"}


def test_aliases_and_merged_keys_are_copies(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\nc: [*a, *a]\n"
    document = parse(written(tmp_path, text))
    assert document.data["b"] == {"x": "3", "y": "2"}
    assert document.data["c"] == [{"x": "1", "y": "2"}] * 2
    assert "line 4: b.x is" in document.error(("b", "x"), "is").message
    assert "line 1: c.1.y is" in document.error(("c", 1, "y"), "is").message


def test_an_empty_variable_is_told_from_one_that_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(ConfigError, match="needs the environment variable EMPTY, which is empty"):
        parse(written(tmp_path, "a: ${EMPTY}"))
    with pytest.raises(
        ConfigError, match="environment variable NOWHERE, which isn't set.*or write"
    ):
        parse(written(tmp_path, "a: ${NOWHERE}"))
    monkeypatch.delenv("MY_API_KEY", raising=False)
    with pytest.raises(
        ConfigError, match="set it with export MY_API_KEY=…\\.$"
    ):  # no key in a file
        parse(written(tmp_path, "a: ${MY_API_KEY}"))
    assert parse(written(tmp_path, "a: '${EMPTY:-}${NOWHERE:-b}'")).data == {"a": "b"}


def test_a_variable_means_what_its_content_would_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE", "2")
    monkeypatch.setenv("NAME", "010")
    text = FILES + "acquisition: {name: entropy, options: {base: '${BASE}'}}\n"
    text += "write:\n  run: ${NAME}\n"
    config = load_config(written(tmp_path, text))
    assert (config.acquisition.options, config.write.run) == ({"base": 2}, "010")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source: {adapter: [files], path: p.csv}", "source.adapter must be text; got ['files']."),
        ("source: {adapter: files, path: }", "line 1: source.path must be given."),
        (
            "source: {adapter: label-studio, url: , api_key: x, project: }",
            "source.url must be given (and 1 more problem).",
        ),
        ("source: {adapter: files, path: [a, b]}", "source.path must be a path; got ['a', 'b']."),
        (
            "source: {adapter: files, path: ~nobody1/x}",
            "source.path must be a path that exists on this machine, but ~nobody1 has no home "
            "folder; got '~nobody1/x'.",
        ),
        (FILES + "selection: {budget: true}", "selection.budget must be a whole number or null; "),
        (FILES + "selection: {seed: 1.10}", "selection.seed must be a whole number; got 1.10."),
        (FILES + "selection: {budget: 1:30}", "must be a whole number or null; got '1:30'."),
        (FILES + "acquisition: {floor: .nan}", "acquisition.floor must be a finite number; got"),
        (FILES + "acquisition: {reduce: [max]}", "'weighted_sum' or null; got ['max']."),
        (
            FILES + "selection: {seed: 10000000000000000000}",
            "selection.seed must be a whole number of at most 9223372036854775807; got 1000",
        ),
        (
            "source: {adapter: files, path: e.json, model_version: [[a]]}",
            "source.model_version.0 must be text; got ['a'].",
        ),
        (
            "source: {adapter: files, path: e.json, model_version: {a: b}}",
            "source.model_version must be text, a list of texts or null; got {'a': 'b'}.",
        ),
        (
            "source: {adapter: files, path: p.csv, classes: [a, null]}",
            "source.classes.1 must be text; got null.",
        ),
        (
            FILES + "selection: {options: {exclude: [a, ~]}}",
            "selection.options.exclude.1 must be an id; got ~.",
        ),
        (
            FILES + "acquisition: {name: entropy, options: {base: x}}",
            "acquisition.options.base must be a number above 0 and not 1, or null; got 'x'.",
        ),
        (
            FILES + "selection: {method: stochastic, options: {beta: -1}}",
            "selection.options.beta must be at least 0; got -1.",
        ),
        (
            "source: {adapter: files, path: p.csv, model: {probe: svm}}",
            "source.model must be one of logistic, nearest, regression; got 'svm'.",
        ),
        (FILES + "replay: {allow_import: 1}", "replay.allow_import must be true or false; got 1."),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_the_words_of_its_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    assert message in caught.value.message
    assert ", line " in caught.value.message


def test_a_number_from_python_that_should_be_a_text_asks_for_quotes() -> None:
    source = {"adapter": "files", "path": "e.json", "model_version": 2}
    with pytest.raises(ConfigError) as caught:
        load_config({"source": source})
    assert str(caught.value) == (
        "source.model_version must be text, a list of texts or null; got 2. "
        "Hint: write '2' in quotes."
    )


def test_class_quality_is_read_as_numbers_by_name(tmp_path: Path) -> None:
    (tmp_path / "quality.yaml").write_text("no: 0.9\n1: 1\n")
    text = (
        "acquisition: {name: entropy, of: objects, reduce: weighted_sum, options: "
        "{class_weights: difficulty, class_quality: quality.yaml}}\n"
    )
    config = load_config(written(tmp_path, FILES + text))
    assert config.recipe.options["class_quality"] == {"no": 0.9, "1": 1}
    (tmp_path / "quality.yaml").write_text("no: 0.9\nyes: 2\n")
    with pytest.raises(ConfigError, match=r"quality.yaml, line 2: yes must be in \[0, 1\]; got 2"):
        load_config(tmp_path / "labelnext.yaml")
    (tmp_path / "quality.yaml").unlink()
    with pytest.raises(ConfigError, match="acquisition.options.class_quality must be an existing"):
        load_config(tmp_path / "labelnext.yaml")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('source: {adapter: files, path: "p.csv}\n', "close the quotation mark of line 1."),
        ("source:\n  path: 'p.csv\n  adapter: files\n", "close the quotation mark of line 2."),
        ("a: 1\nb: {c: 1\n", "close the { of line 2, and put a comma after each entry in it."),
        ("b:\n  - [c, d}\n", "close the [ of line 2, and put a comma after each entry in it."),
    ],
)
def test_what_was_never_closed_is_named(tmp_path: Path, text: str, hint: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="must be valid YAML") as wrong:
        parse(path)
    assert wrong.value.hint == hint


@pytest.mark.parametrize(
    ("there", "asked", "meant"),
    [
        (["labelnext.yaml", "other.yml"], "lablnext.yaml", "labelnext.yaml"),
        (["one.yaml"], "labelnext.yaml", "one.yaml"),
        (["one.yaml", "two.yaml"], "labelnext.yaml", None),
        ([], "labelnext.yaml", None),
    ],
)
def test_a_missing_configuration_is_compared_with_those_that_are_there(
    tmp_path: Path, there: list[str], asked: str, meant: str | None
) -> None:
    for name in there:
        (tmp_path / name).touch()
    with pytest.raises(NotFound) as missing:
        parse(tmp_path / asked)
    hint = str(missing.value.hint)
    assert hint == f"did you mean {str(tmp_path / meant)!r}?" if meant else "writes one" in hint


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="config must be a file; got .*, a folder") as wrong:
        parse(tmp_path)
    assert wrong.value.hint == "name the file in it."
