"""What `make check` holds of the built till: the same files, and a light first load."""

import gzip
import random
from pathlib import Path

import pytest

from scripts import till
from scripts.till import TillError

PAGE = b"""<script type="module" crossorigin src="/static/till/assets/index-1.js"></script>
<link rel="stylesheet" crossorigin href="/static/till/assets/index-2.css"><link href="/static/till/icon.svg">"""
STYLE = b"p { margin: 0 }"


def noise(count: int) -> bytes:
    """Bytes that do not compress."""
    return random.Random(7).randbytes(count)


def files(**more: bytes) -> dict[str, bytes]:
    return {"index.html": PAGE, "assets/index-1.js": b"1;", "assets/index-2.css": STYLE, **more}


def test_a_file_that_changed_came_or_went_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name, content in (("index.html", b"one"), ("assets/a.js", b"1"), ("assets/b.js", b"2")):
        (tmp_path / name).write_bytes(content)
    built = till.contents(tmp_path)
    assert till.differences(built, built) == []
    kept = {"index.html": b"two", "assets/a.js": b"1", "assets/c.js": b"3"}
    assert till.differences(built, kept) == ["assets/b.js", "assets/c.js", "index.html"]


def test_the_first_load_is_the_page_and_what_it_names() -> None:
    expected = sum(len(gzip.compress(part, mtime=0)) for part in (PAGE, b"1;", STYLE))
    assert till.first_load(files(**{"assets/decoder-3.js": noise(90_000), "icon.svg": noise(90_000)})) == expected


def test_a_heavy_first_load_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    till.check_size(files())
    assert "KB gzipped of 60" in capsys.readouterr().out
    with pytest.raises(TillError, match="too heavy"):
        till.check_size(files(**{"assets/index-1.js": noise(till.FIRST_LOAD_MAX_BYTES)}))


def test_a_page_without_a_script_is_not_a_light_one() -> None:
    with pytest.raises(TillError, match="names no script"):
        till.first_load({"index.html": b"<p>"})


def test_npm_says_what_failed(tmp_path: Path) -> None:
    with pytest.raises(TillError, match="nonsense failed"):
        till.npm("nonsense", "run", "nonsense", environment=till.node_environment(cache=str(tmp_path)))
