"""Where the browser is found, and what is said where there is none."""

from pathlib import Path

import pytest

from scripts import binaries, install

SNAP_STUB = "#!/bin/sh\necho 'Command requires the chromium snap to be installed.' >&2\nexit 1\n"
WORKS = "#!/bin/sh\necho Chromium 1\n"


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a browser: PATH and the fetched builds are folders of the test's own."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "fetched"))
    return tmp_path


def test_a_missing_browser_is_named_with_what_installs_it(bare: Path) -> None:
    lacks = install.missing((binaries.chromium,))
    assert [lack.package for lack in lacks] == ["chromium"]
    assert "apt-get install chromium" in str(lacks[0])


def test_a_package_that_only_asks_for_a_snap_is_none(bare: Path) -> None:
    program(bare / "bin" / "chromium-browser", SNAP_STUB)
    fetched = bare / "fetched" / "chromium-1" / "chrome-linux" / "chrome"
    with pytest.raises(binaries.MissingBinary, match="playwright install chromium"):
        binaries.chromium()
    program(fetched, WORKS)
    assert binaries.chromium() == fetched


def test_a_missing_reader_of_what_a_shop_runs_is_named_with_what_installs_it(bare: Path) -> None:
    lacks = install.missing(install.READERS)
    assert [lack.package for lack in lacks] == ["shellcheck", "systemd", "prometheus"]
    found = program(bare / "bin" / "shellcheck", WORKS)
    assert binaries.shellcheck() == found


def test_the_one_that_is_chosen_is_the_only_one(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "bin" / "chromium", WORKS)
    monkeypatch.setenv("CHROMIUM", str(bare / "nowhere"))
    with pytest.raises(binaries.MissingBinary):
        binaries.chromium()
