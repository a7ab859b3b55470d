"""The first process of the test node: containerd, and what runs beside it, live and die with it.

It runs in a PID and a mount namespace of its own. When it ends, the kernel ends every container
and takes every mount away, also after a crash: nothing has to be found and cleaned up.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

CTR = ("ctr", "--namespace=k8s.io")


@dataclass(frozen=True)
class Plan:
    """What the first process does.

    Attributes
    ----------
    private
        Directories of the machine that the node has for itself: path → what it sees there.
    containerd
        Its configuration, a file.
    commands
        Run one after the other as soon as containerd answers; the end of the last is the end.
    """

    private: dict[str, str]
    containerd: str
    commands: list[list[str]]


def first_process(plan: Plan, file: Path) -> list[str]:
    """Write `plan` to `file` and return the command that carries it out.

    Everything in it ends with the command. That takes SIGKILL: `unshare` blocks SIGTERM.
    """
    file.write_text(json.dumps(asdict(plan)))
    return [
        *("setpriv", "--pdeathsig=KILL", "--"),
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *(sys.executable, __file__, str(file)),
    ]


def main(plan: Plan) -> None:
    """Carry `plan` out."""
    for path, source in plan.private.items():
        subprocess.run(["mount", "--bind", source, path], check=True)
    containerd = subprocess.Popen(["containerd", f"--config={plan.containerd}"])
    while subprocess.run([*CTR, "version"], capture_output=True, check=False).returncode:
        if containerd.poll() is not None:
            raise SystemExit("containerd did not start")
        time.sleep(0.1)
    for command in plan.commands:
        process = subprocess.Popen(command)
        # A first process inherits orphans, here containerd's shims, and has to collect them.
        while (ended := os.wait())[0] not in (containerd.pid, process.pid):
            pass
        if ended != (process.pid, 0):
            raise SystemExit(f"{command[0]} or containerd ended: {ended}")
    containerd.terminate()
    os.waitpid(containerd.pid, 0)


if __name__ == "__main__":
    main(Plan(**json.loads(Path(sys.argv[1]).read_text())))
