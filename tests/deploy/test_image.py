"""The Dockerfile: what is in the image, and who runs it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from blend_pos import settings
from scripts import processes
from scripts.processes import ROOT
from tests.deploy.commands import elsewhere

LINES = re.sub(
    r"\\\n\s*", "", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
).splitlines()
STEPS = [(step.partition(" ")[0], step.partition(" ")[2]) for step in LINES if step]
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def sources() -> list[str]:
    """What is copied from this folder."""
    copies = [value.split() for step, value in STEPS if step == "COPY" and "--from=" not in value]
    return [word for words in copies for word in words[:-1]]


def test_nobody_important_runs_it() -> None:
    last = max(index for index, (step, _) in enumerate(STEPS) if step == "FROM")
    users = [value for step, value in STEPS[last:] if step == "USER"]
    assert users == ["10001:10001"]
    assert not [value for step, value in STEPS[last:] if step == "COPY" and "--from=" not in value]


def test_each_stage_starts_from_a_version_that_is_tested() -> None:
    bases = {value.split()[0] for step, value in STEPS if step == "FROM"}
    assert bases == {"python:3.11-slim-bookworm"}


def test_packages_come_from_the_lock_and_need_no_compiler() -> None:
    (install,) = [value for step, value in STEPS if step == "RUN" and "pip install" in value]
    assert "--require-hashes" in install
    assert "--only-binary=:all:" in install
    assert install.split()[-2:] == ["-r", "requirements.txt"]
    assert not [value for _, value in STEPS if "apt-get" in value]


def test_all_of_the_product_is_in_it() -> None:
    own = {app.partition(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app.partition(".")[0]).is_dir()}
    assert own >= {"blend_pos", "ventas", "cache_stock", "inventario"}
    assert own | {"locale", "manage.py", "celery_app.py", "requirements.txt"} <= set(sources())
    assert all((ROOT / source).exists() for source in sources())


def test_nothing_else_is_sent_to_be_built() -> None:
    assert IGNORED[0] == "*"
    assert sorted(line[1:] for line in IGNORED if line.startswith("!")) == sorted(sources())
    assert {"**/.env*", "**/__pycache__", "**/*.pyc"} <= set(IGNORED), "nor from within what is copied"


def test_it_ends_in_order_and_serves_by_default() -> None:
    assert ("STOPSIGNAL", "SIGTERM") in STEPS
    (command,) = [json.loads(value) for step, value in STEPS if step == "CMD"]
    web = processes.web(port=8000, workers=2, host="0.0.0.0")
    assert command == elsewhere(web, python="python", root="/app")
    assert not [step for step, _ in STEPS if step in {"ENTRYPOINT", "HEALTHCHECK"}]


def test_what_is_copied_is_enough(tmp_path: Path) -> None:
    """A folder with that alone: static files are collected as the Dockerfile does it, and everything is imported."""
    for source in sources():
        target = tmp_path / source
        target.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, target)
    (collect,) = [value for step, value in STEPS if step == "RUN" and "collectstatic" in value]
    told = dict(re.findall(r"([A-Z_]+)=(\S+)", collect))
    environment = {"PATH": os.environ["PATH"], **told}
    imports = "import blend_pos.wsgi, celery_app, scripts.health; celery_app.app.loader.import_default_modules()"
    for arguments in (["manage.py", "collectstatic", "--no-input", "--verbosity=0"], ["-c", imports]):
        done = subprocess.run(
            [processes.PYTHON, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "staticfiles" / "till").is_dir()
