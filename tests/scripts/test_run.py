"""What a run decides before it starts anything: which servers, which secrets, which settings file."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import environ
import pytest

from scripts import environment, processes, run, run_servers
from scripts.environment import Secrets
from scripts.ports import NoPort, read_port
from scripts.services import Postgres, Rabbit, Redis

NAMED = {
    "DATABASE_URL": "postgres://somebody@db.example/pos",
    "REDIS_URL": "redis://stock.example:6379/0",
    "RABBITMQ_URL": "amqp://somebody@broker.example/pos",
}
SECRETS = Secrets(secret_key="k", postgres="p", redis="r", rabbitmq="q")


def test_without_names_all_three_are_private_on_consecutive_ports(tmp_path: Path) -> None:
    servers = run_servers.choose(environment={"SERVICE_PORTS": "21000"}, secrets=SECRETS, folder=tmp_path)

    assert [type(service) for service in servers.private] == [Postgres, Redis, Rabbit]
    assert [port for service in servers.private for port in service.ports] == list(range(21000, 21006))
    assert servers.settings["REDIS_URL"] == "redis://:r@127.0.0.1:21001/0"
    assert servers.settings["CACHE_URL"] == "redis://:r@127.0.0.1:21001/1"
    assert servers.settings["RABBITMQ_MANAGEMENT_URL"] == "http://blend_pos:q@127.0.0.1:21003"


def test_a_named_server_is_used_and_no_private_one_beside_it(tmp_path: Path) -> None:
    servers = run_servers.choose(environment=NAMED, secrets=SECRETS, folder=tmp_path)

    assert servers.private == []
    assert {name: servers.settings[name] for name in NAMED} == NAMED
    assert servers.settings["CACHE_URL"] == "redis://stock.example:6379/1"
    assert "RABBITMQ_MANAGEMENT_URL" not in servers.settings


def test_a_private_redis_has_the_limit_that_a_shops_is_told_to_have(tmp_path: Path) -> None:
    redis = run_servers.choose(environment={}, secrets=SECRETS, folder=tmp_path).private[1]
    redis.folder.mkdir(parents=True, exist_ok=True)
    redis.prepare()

    said = f"maxmemory {run_servers.MAXMEMORY}"
    assert said in (redis.folder / "redis.conf").read_text().splitlines()
    assert said in (processes.ROOT / "docs" / "deploy.md").read_text()


def test_without_rabbitmq_the_broker_is_redis_and_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RABBITMQ_SERVER", "/nowhere")

    servers = run_servers.choose(environment={}, secrets=SECRETS, folder=tmp_path)

    assert [type(service) for service in servers.private] == [Postgres, Redis]
    assert servers.settings["RABBITMQ_URL"] == "redis://:r@127.0.0.1:21431/2"
    assert "apt-get install rabbitmq-server" in str(servers.rabbitmq_missing)


def test_only_a_private_broker_gets_users(tmp_path: Path) -> None:
    servers = run_servers.choose(environment=NAMED, secrets=SECRETS, folder=tmp_path)

    assert run.users_of_broker({**NAMED, "SECRET_KEY": "k"}, servers) == {}


def test_a_named_broker_does_not_ask_for_rabbitmq_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_SERVER", "/nowhere")

    servers = run_servers.choose(environment=NAMED, secrets=SECRETS, folder=tmp_path)

    assert servers.rabbitmq_missing is None


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = Secrets.kept_in(path)

    assert Secrets.kept_in(path) == first
    assert Secrets.kept_in(tmp_path / "others.json") != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"secret_key": "k"}', '{"more": 1}'])
def test_secrets_that_cannot_be_read_are_named_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(text)
    with pytest.raises(environment.BrokenSecrets, match=str(path)):
        Secrets.kept_in(path)
    assert path.read_text() == text


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("url", ["nonsense", "http://db.example/pos", "postgres:secret", "//secret@db.example"])
def test_an_address_that_names_no_server_is_refused_before_anything_starts(tmp_path: Path, name: str, url: str) -> None:
    with pytest.raises(run_servers.NoAddress, match=name) as refused:
        run_servers.choose(environment={**NAMED, name: url}, secrets=SECRETS, folder=tmp_path)
    assert url not in str(refused.value)


def test_a_file_where_the_folder_should_be_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".run").write_text("")
    monkeypatch.setattr(run, "FOLDER", tmp_path / ".run")
    monkeypatch.setattr(run, "end_with_make", lambda: None)

    assert run.main() == 1
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith(f"{tmp_path / '.run'} is a file")


def command(root: Path, words: str, settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    line = [processes.PYTHON, str(root / "manage.py"), *words.split()]
    return subprocess.run(line, env=settings, capture_output=True, text=True, check=False, cwd=root)


@pytest.mark.parametrize("words", ["check", "demo", "migrate", "warmup_stock"])
def test_a_command_without_settings_says_where_they_come_from(tmp_path: Path, words: str) -> None:
    shutil.copytree(processes.ROOT / "blend_pos", tmp_path / "blend_pos")  # a checkout that nothing was run in
    shutil.copy(processes.ROOT / "manage.py", tmp_path)

    done = command(tmp_path, words, {"PATH": os.environ["PATH"]})

    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["create_token --tienda=1 --usuario=ana", "demo", "showmigrations"])
def test_a_command_says_that_postgresql_is_away(words: str) -> None:
    done = command(processes.ROOT, words, {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"})

    assert done.returncode == 1
    assert "PostgreSQL does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_runs_settings_file_is_replaced_and_names_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    environment.write_settings(path, {"DATABASE_URL": "postgres://old"})
    environment.write_settings(path, {"DATABASE_URL": "postgres://new"})

    assert path.read_text().splitlines()[1:] == ["DATABASE_URL=postgres://new"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert environment.named(path) == dict(os.environ)


def test_a_runs_settings_file_is_read_alike_by_a_shell_and_by_the_product(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    nodes = "amqp://user:pa$$(word)@one/pos;amqp://user:pa$$(word)@two/pos"
    environment.write_settings(path, {"RABBITMQ_URL": nodes})

    shell = ["sh", "-c", f'. {path}; printf %s "$RABBITMQ_URL"']
    read: dict[str, str] = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", read)
    environ.Env.read_env(path)

    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == nodes
    assert read == {"RABBITMQ_URL": nodes}


def test_a_settings_file_written_by_hand_is_read_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("DATABASE_URL", "postgres://from-the-environment")
    path = tmp_path / ".env"
    written = "REDIS_URL=redis://mine\nDATABASE_URL=postgres://from-the-file\n"
    path.write_text(written)

    named = environment.named(path)
    environment.write_settings(path, {"REDIS_URL": "redis://other"})

    assert named["REDIS_URL"] == "redis://mine"
    assert named["DATABASE_URL"] == "postgres://from-the-environment"
    assert path.read_text() == written


@pytest.mark.parametrize("text", ["", "abc", "-1", "0", "65536", "8000.5"])
def test_a_port_that_is_none_is_said_by_its_variable(text: str) -> None:
    with pytest.raises(NoPort, match=f"^PORT={text}: "):
        read_port(name="PORT", text=text)


def test_all_six_private_ports_have_to_be_ports(tmp_path: Path) -> None:
    run_servers.choose(environment={"SERVICE_PORTS": "65530"}, secrets=SECRETS, folder=tmp_path)
    with pytest.raises(NoPort, match="SERVICE_PORTS=65531"):
        run_servers.choose(environment={"SERVICE_PORTS": "65531"}, secrets=SECRETS, folder=tmp_path)


@pytest.mark.parametrize(("written_by_a_run", "stays"), [(True, False), (False, True)])
def test_cleaning_leaves_a_settings_file_that_was_written_by_hand(
    tmp_path: Path, written_by_a_run: bool, stays: bool
) -> None:
    shutil.copy(processes.ROOT / "Makefile", tmp_path)
    path = tmp_path / ".env"
    if written_by_a_run:
        environment.write_settings(path, {"REDIS_URL": "redis://mine"})
    else:
        path.write_text("REDIS_URL=redis://mine\n# Written by `make run`, says nobody\n")
    (tmp_path / ".run").mkdir()

    done = subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert path.exists() is stays
    assert not (tmp_path / ".run").exists()


def test_cleaning_where_nothing_was_run(tmp_path: Path) -> None:
    shutil.copy(processes.ROOT / "Makefile", tmp_path)
    done = subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
