"""manage.py golive_check: what beat is told, and the copy that is kept elsewhere."""

import shlex
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.binaries import postgres_folder
from tests.golive.breaking import Break, rows
from tests.golive.open_shop import OpenShop

pytestmark = pytest.mark.timeout(300)


def seldom(task: str, every: timedelta) -> Break:
    """Beat sends it so often."""
    minutes = every // timedelta(minutes=1)
    its_own = f"(SELECT interval_id FROM django_celery_beat_periodictask WHERE task = '{task}')"
    return rows(
        f"CREATE TABLE kept AS SELECT * FROM django_celery_beat_intervalschedule WHERE id = {its_own};"
        f"UPDATE django_celery_beat_intervalschedule SET every = {minutes}, period = 'minutes' WHERE id = {its_own}",
        "UPDATE django_celery_beat_intervalschedule i SET every = k.every, period = k.period "
        "FROM kept k WHERE i.id = k.id; DROP TABLE kept",
    )


@pytest.mark.parametrize("task", ["ventas.sweep", "ventas.archive_failed"])
def test_what_is_sent_too_seldom_is_said(open_shop: OpenShop, task: str) -> None:
    with seldom(task, timedelta(hours=5, minutes=30))(open_shop):
        found = open_shop.check("--no-sale")

    assert found.failed == {"beat.schedule"}
    assert f"{task} cada 5:30:00" in found.said("beat.schedule")
    assert "Acorta" in found.said("beat.schedule")


def test_a_copy_of_today_is_one_that_pg_dump_has_finished(open_shop: OpenShop, tmp_path: Path) -> None:
    words = ["--no-sale", f"--backups={shlex.quote(str(tmp_path))}"]
    assert open_shop.check(*words).failed == {"backup.daily"}
    elsewhere = open_shop.check("--no-sale", f"--backups={tmp_path / 'elsewhere'}")
    assert "no hay una carpeta" in elsewhere.said("backup.daily")

    (tmp_path / "appendonlydir.tar").write_bytes(b"of today")
    assert "no hay ningún *.dump de hoy" in open_shop.check(*words).said("backup.daily")
    copy = tmp_path / "blend.dump"
    copy.write_bytes(b"")  # as a shell leaves it where pg_dump did not get in
    empty = open_shop.check(*words)
    assert empty.failed == {"backup.daily"}
    assert "0 bytes" in empty.said("backup.daily")

    dump = [str(postgres_folder() / "pg_dump"), "-Fc", "--schema-only", open_shop.postgres.url]
    copy.write_bytes(subprocess.run(dump, capture_output=True, check=True, timeout=60).stdout)
    assert open_shop.check(*words).lines["backup.daily"]["state"] == "ok"
