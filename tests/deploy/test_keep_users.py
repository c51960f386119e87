"""What the Job broker-setup does with the passwords that `manage.py broker_setup` prints."""

import json
import runpy
import subprocess
import sys

import pytest

from tests.deploy.overlays import FOLDER, built
from tests.deploy.rules import MADE_BY_BROKER_SETUP, named
from ventas.broker_setup import PartSettings
from ventas.broker_users import PARTS

SCRIPT = runpy.run_path(str(FOLDER / "base" / "broker" / "keep_users.py"))
PRINTED = {part: PartSettings(f"amqp://{part}", f"http://{part}").environment() for part in PARTS}


def prints(text: str, *, status: int = 0) -> list[str]:
    return [sys.executable, "-c", f"print({text!r}); raise SystemExit({status})"]


def test_the_last_line_says_each_parts_settings() -> None:
    assert SCRIPT["parts_of"](prints(f"a line of a log\n{json.dumps(PRINTED)}\n")) == PRINTED


def test_nothing_is_written_where_the_command_fails() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        SCRIPT["parts_of"](prints(json.dumps(PRINTED), status=1))


def test_a_secret_is_made_or_changed_by_one_request() -> None:
    secret = SCRIPT["secret_of"]("web", PRINTED["web"])
    request = SCRIPT["request_for"](secret, name="rabbitmq-web", api="https://10.0.0.1:443", namespace="x", token="t")
    assert request.get_method() == "PATCH"
    assert request.full_url.startswith("https://10.0.0.1:443/api/v1/namespaces/x/secrets/rabbitmq-web?")
    assert request.get_header("Authorization") == "Bearer t"
    assert request.get_header("Content-type") == "application/apply-patch+yaml"
    assert json.loads(request.data) == secret
    assert secret["metadata"]["name"] == "rabbitmq-web"
    assert secret["stringData"]["RABBITMQ_DECLARES"] == "false"


def test_it_may_write_those_secrets_and_read_none() -> None:
    rules = named(built("one-node"), "Role", "broker-setup")["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"create", "patch"}
    assert {name for rule in rules for name in rule.get("resourceNames", [])} == MADE_BY_BROKER_SETUP
    assert [rule["verbs"] for rule in rules if "resourceNames" not in rule] == [["create"]]
