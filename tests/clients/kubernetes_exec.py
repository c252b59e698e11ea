"""exec by the Python client of Kubernetes, over WebSocket with v4 channels: prints one JSON object."""

import json
import sys

from kubernetes import client, config
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

config.load_kube_config(sys.argv[1])
api = client.CoreV1Api()


def run(command, **more):
    streams = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
    return stream(
        api.connect_get_namespaced_pod_exec, "shell-0", "web", command=command, **{**streams, **more}
    )


found = {"printed": run(["echo", "ada.brook@example.com"])}

session = run(["sh", "-c", "read a; echo $a >&2; exit 3"], stdin=True, _preload_content=False)
session.write_stdin("typed\n")
session.run_forever(timeout=30)
found["typed"] = session.read_stderr()
found["code"] = session.returncode
session.close()

try:
    run(["env"])
except ApiException as error:
    found["denied"] = [error.status, str(error)]
print(json.dumps(found))
