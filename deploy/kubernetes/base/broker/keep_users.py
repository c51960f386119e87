#!/usr/bin/env python3
"""Run `manage.py broker_setup --json`, and keep what it prints in the Secrets that the parts read: rabbitmq-web, ….

    keep_users.py /opt/venv/bin/python /app/manage.py broker_setup --json

The passwords are printed nowhere and written to no disk. Where a Secret cannot be written the Job fails and is tried
again: every user gets another password then, and all the Secrets are written once more.
"""

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_S = 10.0


def parts_of(command: Sequence[str]) -> dict[str, dict[str, str]]:
    """Part -> its settings, as the command's last line has them. Raises CalledProcessError."""
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    parts: dict[str, dict[str, str]] = json.loads(printed.rstrip().splitlines()[-1])
    return parts


def secret_of(part: str, values: Mapping[str, str]) -> dict[str, object]:
    """The Secret of a part. Its keys are the names of the settings: a pod takes all of them into its environment."""
    labels = {"app.kubernetes.io/managed-by": "broker-setup"}
    metadata = {"name": f"rabbitmq-{part}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": dict(values)}


def request_for(
    secret: Mapping[str, object], *, name: str, api: str, namespace: str, token: str
) -> urllib.request.Request:
    """A server-side apply: it makes the Secret, or changes what there is."""
    url = f"{api}/api/v1/namespaces/{namespace}/secrets/{name}?fieldManager=broker-setup&force=true"
    request = urllib.request.Request(url, data=json.dumps(secret).encode(), method="PATCH")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/apply-patch+yaml")  # JSON is YAML
    return request


def main(command: Sequence[str]) -> int:
    """Set the broker up, and write one Secret a part."""
    api = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
    namespace, token = (POD / "namespace").read_text().strip(), (POD / "token").read_text().strip()
    trusted = ssl.create_default_context(cafile=str(POD / "ca.crt"))
    for part, values in parts_of(command).items():
        name = f"rabbitmq-{part}"
        request = request_for(secret_of(part, values), name=name, api=api, namespace=namespace, token=token)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=trusted):
            sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
