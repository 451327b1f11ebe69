"""An S3-compatible store on loopback, as the source and the target of a large pool."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow.fs import FileSelector, S3FileSystem

import labelnext
from labelnext.config import load_config
from labelnext.runs.undo import undo
from tests.unit.runs.large.test_job import (
    assert_same,
    classification,
    in_memory,
    settings,
    spread,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the server's packages


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a store of our own."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return f"?endpoint_override=http://{endpoint}&region=us-east-1&allow_bucket_creation=true"


def test_a_pool_in_an_object_store_is_ranked_into_it(
    endpoint: str, bucket: str, tmp_path: Path
) -> None:
    table = classification(texts())
    store = S3FileSystem(
        endpoint_override=f"http://{endpoint}", region="us-east-1", allow_bucket_creation=True
    )
    store.create_dir("pool")
    for file in spread(table, tmp_path / "data", 7).iterdir():
        with store.open_output_stream(f"pool/data/{file.name}") as out:
            out.write(file.read_bytes())
    config = settings(
        tmp_path,
        tmp_path,
        source={
            "adapter": "files",
            "path": f"s3://pool/data{bucket}",
            "columns": {"media": "item_id"},
        },
        write={"output": f"s3://pool/ranking{bucket}"},
    )
    report = labelnext.run(config)
    assert report.counts["items"] == len(table)

    def content(name: str) -> bytes:
        with store.open_input_stream(f"pool/ranking/{name}") as file:
            return bytes(file.read())

    manifest = json.loads(content("manifest.json"))
    files = [pq.read_table(io.BytesIO(content(f["path"]))) for f in manifest["files"]]
    assert_same(pa.concat_tables(files), in_memory(tmp_path, table))
    adapter: Any = load_config(config).open_adapter()  # what a sending begins with
    batch = adapter.batch("labelnext")
    assert [item.item_id for item in batch.items] == report.ranking.item_ids.tolist()
    assert [Path(item.media).name for item in batch.items] == report.ranking.item_ids.tolist()
    assert batch.origin.dataset == "data"

    everything = "".join(f.read_text() for f in (tmp_path / "state").glob("*.jsonl"))
    assert "very-secret" not in everything + report.to_json() + content("manifest.json").decode()

    undo(config)
    left = store.get_file_info(FileSelector("pool/ranking", recursive=True, allow_not_found=True))
    assert [info.path for info in left if info.is_file] == []


def test_files_of_a_glob_in_an_object_store(endpoint: str, bucket: str, tmp_path: Path) -> None:
    store = S3FileSystem(
        endpoint_override=f"http://{endpoint}", region="us-east-1", allow_bucket_creation=True
    )
    store.create_dir("days")
    for day in ("monday", "tuesday"):
        with store.open_output_stream(f"days/{day}/a.parquet") as out:
            pq.write_table(classification([f"{day}-{i}" for i in range(30)]), out)
    source = {"adapter": "files", "path": f"s3://days/mon*/*.parquet{bucket}"}
    report = labelnext.run(settings(tmp_path, tmp_path, source=source))
    assert report.counts["items"] == 30


def test_images_in_an_object_store_are_embedded(endpoint: str, bucket: str, tmp_path: Path) -> None:
    store = S3FileSystem(
        endpoint_override=f"http://{endpoint}", region="us-east-1", allow_bucket_creation=True
    )
    store.create_dir("photos")
    rows = ["item_id,media"]
    for name in ("red", "green"):
        image = io.BytesIO()
        Image.new("RGB", (8, 8), name).save(image, "PNG")
        with store.open_output_stream(f"photos/{name}.png") as out:
            out.write(image.getvalue())
        rows.append(f"{name},s3://photos/{name}.png{bucket}")
    rows.append(f"absent,s3://photos/absent.png{bucket}")
    (tmp_path / "images.csv").write_text("\n".join(rows))
    source = {"adapter": "files", "path": "images.csv", "embeddings": {"from": "images"}}
    config = tmp_path / "labelnext.yaml"
    config.write_text(
        json.dumps({"source": source, "selection": {"method": "k_center", "budget": 2}})
    )
    report = labelnext.run(config)
    assert sorted(report.ranking.item_ids.tolist()) == ["green", "red"]
    (broken,) = [notice for notice in report.notices if notice.code == "broken_image"]
    assert broken.item_ids == ("absent",)
    assert "very-secret" not in broken.message
