"""watch.listen: which requests count, what /metrics shows, and what is left when somebody dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config, load_config
from labelnext.errors import AccessDenied, ConfigError, Unavailable
from labelnext.runs.callbacks import ask_for_calls, end_calls, forget_calls
from labelnext.runs.listen import Listener, listening
from labelnext.support.serving import Request, serving


class Platform:
    """Knows who is to be called."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.called: list[str] = []
        self._fault = fault

    def call_back(self, address: str, headers: Mapping[str, str]) -> bool:
        self.called.append(address)
        if self._fault is not None:
            raise self._fault
        return True

    def no_call_back(self, address: str) -> None:
        if address in self.called:
            self.called.remove(address)


def adapter(platform: Platform) -> Adapter:
    return cast("Adapter", platform)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    with serving("127.0.0.1:0", listener.answer, "listen") as port:
        listener.address = f"http://127.0.0.1:{port}{listener.address}"
        yield listener


@pytest.fixture
def settings(tmp_path: Path, free_port: int) -> Config:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\n")
    source = {"adapter": "files", "path": str(tmp_path / "p.csv")}
    watch = {"listen": f"127.0.0.1:{free_port}"}
    places: dict[str, Any] = {
        "write": {"output": str(tmp_path / "ranking.csv")},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    return load_config({"source": source, "watch": watch, **places})


def test_a_request_counts_only_with_the_secret_and_the_address(listener: Listener) -> None:
    elsewhere = listener.address.rsplit("/", 1)[0] + "/guessed"
    assert httpx.post(listener.address).status_code == 403
    assert httpx.post(listener.address, headers={"X-Labelnext-Secret": b"\xff"}).status_code == 403
    assert httpx.post(elsewhere, headers=listener.headers).status_code == 403
    assert httpx.get(listener.address).status_code == 404
    for body in (b"{}", b"not json", b""):  # what it holds is never read
        answer = httpx.post(listener.address, headers=listener.headers, content=body)
        assert answer.status_code == 200
    shown = httpx.get(httpx.URL(listener.address).copy_with(path="/metrics")).text
    assert "labelnext_webhooks_total 3\n" in shown
    assert "labelnext_webhooks_refused_total 3\n" in shown


def test_a_request_ends_the_wait_and_so_does_a_stop(listener: Listener) -> None:
    httpx.post(listener.address, headers=listener.headers)
    listener.wait(threading.Event(), 3600)  # ends: the request came before
    stop = threading.Event()
    stop.set()
    listener.wait(stop, 3600)
    listener.wait(threading.Event(), 0.01)


def test_figures_are_shown_for_prometheus(listener: Listener) -> None:
    listener.figures = {"up": 1.0, "labels": 20, "labels_at_last_ranking": None, "runs_total": 3}
    assert listener.metrics() == (
        "# TYPE labelnext_up gauge\nlabelnext_up 1\n"
        "# TYPE labelnext_labels gauge\nlabelnext_labels 20\n"
        "# TYPE labelnext_runs_total counter\nlabelnext_runs_total 3\n"
        "# TYPE labelnext_webhooks_total counter\nlabelnext_webhooks_total 0\n"
        "# TYPE labelnext_webhooks_refused_total counter\nlabelnext_webhooks_refused_total 0\n"
    )


def test_callback_is_the_address_that_the_platform_gets() -> None:
    listener = Listener("https://labels.example.org/next/")
    assert listener.address.startswith("https://labels.example.org/next/webhook/")
    path = listener.address.removeprefix("https://labels.example.org")  # as a proxy passes it on
    secret = {name.lower(): value for name, value in listener.headers.items()}
    assert listener.answer(Request("POST", path, secret, b"")).status == 200


def test_calls_of_one_that_died_are_ended_before_the_platform_is_asked_again(
    settings: Config,
) -> None:
    platform = Platform()
    with listening(settings) as listener:
        assert listener is not None
        assert ask_for_calls(settings, adapter(platform), listener.address, listener.headers)
    left = list(platform.called)  # as if it had died
    with listening(settings) as listener:
        assert listener is not None
        ask_for_calls(settings, adapter(platform), listener.address, listener.headers)
        assert platform.called == [listener.address] != left
        end_calls(settings, adapter(platform))  # undo: somebody listens
        assert platform.called == [listener.address]
        forget_calls(settings, adapter(platform))
    assert platform.called == []


def test_an_address_is_noted_before_the_platform_is_asked(settings: Config) -> None:
    # The answer got lost: the platform calls all the same.
    platform = Platform(Unavailable("the answer got lost."))
    with listening(settings) as listener:
        assert listener is not None
        with pytest.raises(Unavailable):
            ask_for_calls(settings, adapter(platform), listener.address, listener.headers)
    end_calls(settings, adapter(platform))
    assert platform.called == []


def test_one_watch_listens_for_a_configuration(settings: Config) -> None:
    with (
        listening(settings),
        pytest.raises(ConfigError, match="another watch listens"),
        listening(settings),
    ):
        pass


def test_a_platform_that_refuses_leaves_the_loop_to_polling(
    settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext.runs import watch as module

    class Refusing(Platform):
        name = "refusing"

    class Opened:
        def __enter__(self) -> Any:
            return Refusing(AccessDenied("it sends nothing to 127.0.0.1."))

        def __exit__(self, *_: object) -> None:
            pass

    stop = threading.Event()
    told: list[str] = []

    def tell(health: module.Health) -> None:
        told.append(health.message)
        stop.set()

    monkeypatch.setattr(module, "opened", lambda *_: Opened())
    monkeypatch.setattr(module, "_look", lambda *_: module.Health(True, 3, 3, 0, "3 labels"))
    module.watch(settings, stop=stop, tell=tell)
    assert told[0].startswith("no webhooks, so it only polls: it sends nothing")


def test_calls_that_come_twice_or_late_rank_no_more_than_the_labels_do(
    settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext.runs import watch as module

    platform = Platform()
    called: dict[str, Mapping[str, str]] = {}

    def asked(settings: Config, adapter: Adapter, address: str, headers: Mapping[str, str]) -> bool:
        called[address] = headers
        return ask_for_calls(settings, cast("Adapter", platform), address, headers)

    def call(action: str) -> int:
        ((address, headers),) = called.items()
        return httpx.post(address, json={"action": action}, headers=headers).status_code

    # What happens after each look: the first of these is said before any.
    acts = iter(
        [
            ["ANNOTATION_CREATED"] * 2,  # one event, sent twice: one label
            ["ANNOTATION_CREATED"],  # the same for a third time
            ["ANNOTATIONS_DELETED", "ANNOTATION_CREATED"],  # in the wrong order: nothing is left
        ]
    )
    counts = iter([0, 1, 1, 1])
    stop = threading.Event()
    told: list[module.Health] = []

    def tell(health: module.Health) -> None:
        if health.labels is None:  # it says that it listens
            return
        told.append(health)
        actions = next(acts, None)
        if actions is None:
            stop.set()
            return
        assert [call(action) for action in actions] == [200] * len(actions)

    monkeypatch.setattr(module, "ask_for_calls", asked)
    monkeypatch.setattr(module, "_count", lambda _: next(counts))
    module.watch(settings, labels=1, poll=600, stop=stop, tell=tell)
    assert [health.labels for health in told] == [0, 1, 1, 1]
    assert [health.runs for health in told] == [1, 2, 2, 2]


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_no_server_could_call_is_refused(port: int, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        f"source: {{adapter: files, path: p.csv}}\nwatch: {{listen: 127.0.0.1:{port}}}\n"
    )
    with pytest.raises(ConfigError, match="must be a host and a port from 1 to 65535"):
        load_config(path)
