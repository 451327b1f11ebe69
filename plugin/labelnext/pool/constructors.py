"""Pools from what other libraries hold. Their readers are entry points, so the core needs none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labelnext.support.plugins import Table, instance_of

if TYPE_CHECKING:
    from labelnext.pool.pool import Pool


@dataclass(frozen=True)
class Constructor:
    """A way to make a pool from an object or a path.

    Attributes:
        name: as in ``Pool.from_<name>``.
        make: ``make(source, **options)`` returns the pool.
    """

    name: str
    make: Callable[..., Pool]


CONSTRUCTORS: Table[Constructor] = Table("labelnext.pools", "constructor", instance_of(Constructor))


class FromElsewhere:
    """The constructors ``from_…`` of `Pool`.

    Options are the keys of `source` for such files, such as `classes`, `columns`, `multilabel` and
    `key` (the column of the ids). Bad input raises InvalidInput, and an unknown option ConfigError.
    """

    @classmethod
    def from_arrow(cls, table: Any, **options: Any) -> Pool:
        """The rows of an Arrow table, or of anything that gives one (DuckDB, cuDF, …).

        Args:
            table: with the columns that CSV and Parquet files have.
            options: keys of `source` for Parquet files.

        Example:
            >>> import pyarrow
            >>> from labelnext import Pool
            >>> table = pyarrow.table({"item_id": ["a"], "p_cat": [0.75], "p_dog": [0.25]})
            >>> Pool.from_arrow(table).probabilities.tolist()
            [[0.75, 0.25]]
        """
        return CONSTRUCTORS.get("arrow").make(table, **options)

    @classmethod
    def from_pandas(cls, frame: Any, **options: Any) -> Pool:
        """The rows of a pandas data frame; its index has the ids if no column has.

        Args:
            frame: with the columns that CSV and Parquet files have. An index of several levels
                gives ids such as `video/frame`.
            options: keys of `source` for Parquet files.
        """
        return CONSTRUCTORS.get("pandas").make(frame, **options)

    @classmethod
    def from_polars(cls, frame: Any, **options: Any) -> Pool:
        """The rows of a polars data frame, eager or lazy.

        Args:
            frame: with the columns that CSV and Parquet files have.
            options: keys of `source` for Parquet files.
        """
        return CONSTRUCTORS.get("polars").make(frame, **options)

    @classmethod
    def from_huggingface(cls, source: Any, **options: Any) -> Pool:
        """The rows of a `datasets.Dataset`, or what a pipeline returned.

        Args:
            source: a data set; or outputs in the order of the inputs, or by id.
            options: keys of `source` for such files; of outputs also `ids`, a list.
        """
        return CONSTRUCTORS.get("huggingface").make(source, **options)

    @classmethod
    def from_supervision(cls, detections: Any, **options: Any) -> Pool:
        """Detections of supervision, or a file that its sinks wrote.

        Args:
            detections: `sv.Detections` by item id, or a path.
            options: `sizes`, width and height in pixels by id, so that boxes can be used; of a
                path keys of `source`.
        """
        return CONSTRUCTORS.get("supervision").make(detections, **options)

    @classmethod
    def from_coco(cls, path: Any, **options: Any) -> Pool:
        """Detections in COCO's form.

        Args:
            path: of the file; or a list of results, or a data set as a dictionary.
            options: keys of `source` for COCO files, such as `images`; also a data set, or a list
                of images.
        """
        return CONSTRUCTORS.get("coco").make(path, **options)

    @classmethod
    def from_yolo(cls, path: Any, **options: Any) -> Pool:
        """A folder of YOLO text files.

        Args:
            path: of the folder.
            options: keys of `source` for such folders.
        """
        return CONSTRUCTORS.get("yolo").make(path, **options)
