"""Pools from objects in memory: the constructors `Pool.from_…`, with the readers of the files."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.registry import open_adapter
from labelnext.errors import ConfigError, InvalidInput, LabelnextError, listed
from labelnext.pool.constructors import Constructor
from labelnext.pool.pool import Pool
from labelnext_adapters.files.tables.table_options import TableOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext_adapters.files.tables.rows import Rows


def _checked(kind: str, make: Callable[..., Pool]) -> Constructor:
    """A constructor that says in one way what is wrong with an object."""

    @wraps(make)
    def checked(source: Any, **options: Any) -> Pool:
        try:
            return make(source, **options)
        except (LabelnextError, MemoryError):
            raise
        except Exception as error:  # whatever another library raises on values it can't convert
            problem = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise InvalidInput(
                f"from_{kind} must get an object that can be read; got "
                f"{type(source).__name__}: {problem:.300}."
            ) from error

    return Constructor(kind, checked)


def _options(kind: type[Options], given: Mapping[str, Any]) -> tuple[Any, Context]:
    """The options of a reader, and the context with the key of the ids and the metadata."""
    values = dict(given)
    key, metadata = values.pop("key", None), values.pop("metadata", ())
    key = None if key is None else str(key)  # as columns are, which may be numbers
    try:
        return kind.model_validate(values), Context(key=key, metadata=tuple(metadata))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        known = ", ".join(["key", "metadata", *kind.model_fields])
        raise ConfigError(
            f"option {name} is wrong: {first['msg'].removeprefix('Value error, ').rstrip('.')}.",
            hint=f"the options are {known}.",
        ) from error


def _of_table(table: pa.Table, options: Mapping[str, Any]) -> Pool:
    from labelnext_adapters.files.huggingface.features import plain_table
    from labelnext_adapters.files.tables.rows import Rows

    _check_names(table.column_names)
    return _of_rows(Rows(plain_table(table)), *_options(TableOptions, options))


def _of_rows(rows: Rows, options: TableOptions, context: Context) -> Pool:
    """Rows that are read as those of a file, also where texts hold numbers and lists."""
    from labelnext_adapters.files.tables.column_names import ColumnRoles
    from labelnext_adapters.files.tables.table_format import pool_of, with_values
    from labelnext_adapters.files.tables.table_options import named_columns

    columns = named_columns(options, context)
    return pool_of(with_values(rows, columns, ColumnRoles(columns)), options, context)


def _of_records(records: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> Pool:
    """Rows whose cells are of several types, read one by one as those of JSON."""
    from labelnext_adapters.files.json.records import table_of_records
    from labelnext_adapters.files.tables.column_names import ColumnRoles
    from labelnext_adapters.files.tables.rows import Rows
    from labelnext_adapters.files.tables.table_options import named_columns

    told, context = _options(TableOptions, options)
    rows = [
        (f"row {number}", {name: _cell(value) for name, value in record.items()})
        for number, record in enumerate(records, 1)
    ]
    roles = ColumnRoles(named_columns(told, context))
    return _of_rows(Rows(*table_of_records(rows, roles)), told, context)


def _cell(value: Any) -> Any:
    """A cell as a value of JSON: tuples and arrays as lists, what is missing as null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _cell(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cell(one) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return None if value != value else value
    if isinstance(value, Real):  # such as NumPy's longdouble
        return _cell(float(value))
    return _plain(value)


def from_arrow(table: Any, **options: Any) -> Pool:
    """The rows of an Arrow table, a record batch, or what has the Arrow C stream interface."""
    import pyarrow as pa

    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    return _of_table(table if isinstance(table, pa.Table) else pa.table(table), options)


def from_pandas(frame: Any, **options: Any) -> Pool:
    """The rows of a data frame; its index has the ids if no column has."""
    import pyarrow as pa

    if not hasattr(frame, "columns") or not hasattr(frame, "index"):
        raise InvalidInput(
            f"from_pandas must get a data frame; got {type(frame).__name__}.",
            hint="make one: pandas.DataFrame(…).",
        )

    from labelnext_adapters.files.tables.column_names import usual_id

    given = options.get("columns") or {}
    named = "item_id" in given or options.get("key") is not None
    if frame.columns.nlevels > 1:
        frame = frame.set_axis(["_".join(map(str, name)) for name in frame.columns], axis=1)
    frame = frame.rename(columns=str)
    _check_names(frame.columns)
    sparse = [name for name, kind in frame.dtypes.items() if str(kind).startswith("Sparse")]
    frame = frame.assign(**{name: frame[name].sparse.to_dense() for name in sparse})
    if not named and usual_id([*frame.columns], given) is None:
        exact = getattr(frame.index.dtype, "kind", "O") in "fM"  # floats and times, told as such
        labels = frame.index.to_numpy() if exact else [_plain(label) for label in frame.index]
        frame = frame.assign(item_id=labels)
    elif given.get("item_id", options.get("key")) in set(frame.index.names) - {None}:
        _check_names([*frame.index.names, *frame.columns])
        frame = frame.reset_index()
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        plain = not any(isinstance(f.type, pa.BaseExtensionType) for f in table.schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        plain = False
    if not plain:  # cells of several types, or of a type of Python's
        return _of_records(frame.to_dict("records"), options)
    for at, field in enumerate(table.schema):
        if pa.types.is_struct(field.type):  # whose NaN isn't null
            values = [v if isinstance(v, dict) else None for v in frame[field.name]]
            table = table.set_column(at, field.name, pa.array(values, field.type))
    return _of_table(table.replace_schema_metadata(None), options)


def _check_names(names: Iterable[Any]) -> None:
    """Refuse columns that share a name.

    Raises:
        InvalidInput: if there are any.
    """
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise InvalidInput(
            f"columns must have distinct names; got {listed(doubled)} more than once.",
            hint="rename or drop one of them.",
        )


def _plain(label: Any) -> Any:
    """A label of an index as text, its levels with / between them; null for what is missing."""
    if isinstance(label, list | tuple):
        return "/".join(str(_plain(one)) for one in label)
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    missing = label is None or type(label).__name__ == "NAType" or label != label
    return None if missing else str(label)


def from_polars(frame: Any, **options: Any) -> Pool:
    """The rows of a data frame, eager or lazy."""
    frame = frame.collect() if hasattr(frame, "collect") else frame
    if not hasattr(frame, "to_arrow"):
        raise InvalidInput(
            f"from_polars must get a data frame of polars; got {type(frame).__name__}.",
            hint="Pool.from_pandas and Pool.from_arrow read others.",
        )
    wide = [
        name
        for name, kind in getattr(frame, "schema", {}).items()
        if str(kind) in ("Int128", "UInt128")
    ]
    if wide:  # for which Arrow has no type
        frame = frame.with_columns([frame[name].cast(str) for name in wide])
    return _of_table(frame.to_arrow(), options)


def from_huggingface(source: Any, *, ids: Iterable[Any] | None = None, **options: Any) -> Pool:
    """The rows of a data set, or what a pipeline returned."""
    from labelnext_adapters.files.content.values import id_text
    from labelnext_adapters.files.formats.datasets import DatasetsOptions
    from labelnext_adapters.files.formats.huggingface import HuggingFaceOptions
    from labelnext_adapters.files.huggingface.features import features_in
    from labelnext_adapters.files.huggingface.nested import Output, alone, outputs_of_files
    from labelnext_adapters.files.huggingface.outputs import pool_of_outputs
    from labelnext_adapters.files.huggingface.pool import pool_of_dataset
    from labelnext_adapters.files.tables.rows import Rows

    if isinstance(source, str | Path):
        return _of_path(source, "datasets" if Path(source).is_dir() else None, options)
    streamed = not hasattr(source, "__getitem__") or type(source).__name__.startswith("Iterable")
    if hasattr(source, "with_format") and streamed:
        raise InvalidInput(
            "from_huggingface must get a data set that is loaded; got one that is streamed "
            f"({type(source).__name__}).",
            hint="load it without streaming=True, or its first rows: "
            "datasets.Dataset.from_list(list(rows.take(1000))).",
        )
    if hasattr(source, "with_format") and hasattr(source, "features"):
        told, context = _options(DatasetsOptions, options)
        table = source.with_format("arrow")[:]
        features = features_in(source.features.arrow_schema)
        return pool_of_dataset(Rows(table), features, told, context, told.bbox)
    if isinstance(source, Mapping) and any(hasattr(v, "features") for v in source.values()):
        raise InvalidInput(
            f"from_huggingface must get one split; got {', '.join(map(str, source))}.",
            hint="choose one, such as dataset['test'].",
        )
    told, context = _options(HuggingFaceOptions, options)
    if isinstance(source, Mapping) and not all(isinstance(key, str) for key in source):
        outputs = [
            Output(f"key {key!r:.80}", _plain(key), alone(one)) for key, one in source.items()
        ]
    else:
        values = [source] if isinstance(source, Mapping) else list(source)
        records = [(f"output {number}", value) for number, value in enumerate(values, 1)]
        outputs = outputs_of_files({"": records}, None if ids is not None else context.key)
    return pool_of_outputs(
        outputs,
        ids=None if ids is None else [id_text(one) for one in ids],
        multilabel=told.multilabel,
        classes=told.classes,
    )


def from_supervision(
    detections: Any, *, sizes: Mapping[Any, Any] | None = None, **options: Any
) -> Pool:
    """Detections by id, or a file of a sink."""
    from labelnext_adapters.files.vision.supervision_objects import pool_of_detections

    if isinstance(detections, str | Path):
        return _of_path(detections, "supervision", options)
    if options:
        raise ConfigError(f"option {next(iter(options))} is unknown.", hint="sizes is the option.")
    return pool_of_detections(detections, sizes)


def _of_path(path: Any, kind: str | None, options: Mapping[str, Any]) -> Pool:
    if not isinstance(path, str | Path):
        raise InvalidInput(
            f"from_{kind} must get a path; got {type(path).__name__}.",
            hint="COCO records may also be a list: list(records)." if kind == "coco" else None,
        )
    named: dict[str, Any] = {} if kind is None else {"format": kind}
    pool: Pool = open_adapter("files", path=str(path), **named, **options).read()
    return pool


def from_coco(source: Any, **options: Any) -> Pool:
    """Detections in COCO's form: a path, a list of results, or a data set as a dictionary.

    `images` and `older` may be such values, too; `images` also a list of images.
    """
    images, older = options.get("images"), list(options.get("older") or [])
    if isinstance(images, list | tuple):
        images = {"images": images}
    values = {"results": source, "images": images}
    values |= {f"older {number}": value for number, value in enumerate(older, 1)}
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: _written(value, Path(folder) / name) for name, value in values.items()}
        others = {"images": paths["images"], "older": list(paths.values())[2:]}
        given = {name: value for name, value in others.items() if value}
        try:
            return _of_path(paths["results"], "coco", {**options, **given})
        except LabelnextError as error:
            if paths["results"] is not source:
                error.message = error.message.removeprefix("results: ")
            raise


def _written(value: Any, path: Path) -> Any:
    """A path as it is; a list or a dictionary as the path of a file that holds it."""
    if not isinstance(value, Mapping | list | tuple):
        return value
    with path.open("w", encoding="utf-8") as file:
        json.dump(value, file, default=_written_value)
    return path


def _written_value(one: Any) -> Any:
    """Values of NumPy, and the bytes of pycocotools' run lengths, for JSON."""
    return one.decode("ascii") if isinstance(one, bytes) else one.tolist()


def from_yolo(path: Any, **options: Any) -> Pool:
    """A folder of YOLO text files."""
    return _of_path(path, "yolo", options)


ARROW = _checked("arrow", from_arrow)
PANDAS = _checked("pandas", from_pandas)
POLARS = _checked("polars", from_polars)
HUGGINGFACE = _checked("huggingface", from_huggingface)
SUPERVISION = _checked("supervision", from_supervision)
COCO = _checked("coco", from_coco)
YOLO = _checked("yolo", from_yolo)
