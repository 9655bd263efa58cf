"""A Python that has imported PyTorch and transformers before it is called: importing them takes five seconds.

`warm_python().command` stands in for `sys.executable`. It asks a server, which has imported these modules and nothing
of vlcheck, for a fork that runs the command with the caller's arguments, folder, environment, streams and limit of file
sizes. Signals are passed on to the fork, and the command ends as the fork does; it fails if the server is gone. Options
other than -c, -m and -u are left to `sys.executable`, as is everything where a variable of `EARLY` is not as the server
has it, or where the system has no pidfd (Linux has). The fork is in the server's process group, not in the caller's. A
test of what is imported, of how a process begins, or of a process group takes `sys.executable` itself.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import resource
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

HEAVY = (
    *("torch", "torchvision", "transformers.models.bert.modeling_bert", "timm.models.vision_transformer"),
    *("safetensors.torch", "scipy.special", "PIL.Image", "PIL.JpegImagePlugin", "PIL.PngImagePlugin"),
)
PLUGINS = ("anyio",)  # imported among HEAVY, and pytest warns of plugins that were imported before it
EARLY = (  # variables that Python, or what the server imports, reads at its start alone
    *("PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONDEVMODE"),
    *("PYTHONFAULTHANDLER", "LC_ALL", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TORCH_HOME"),
    "WANDB_MODE",  # if wandb is installed, transformers imports it, and forks would share its temporary folder
)
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ALLOCATED = 10_000  # number of objects after which the tests' processes look for garbage; Python's own is 700
SOCKET = "socket"
LENGTH = 4  # bytes of a message's length, and of an exit status
CLIENT = """\
#!{python} -IS
import json, os, resource, signal, socket, sys
given = {given} + sys.argv[1:]
rest = given[given[:1] == ["-u"]:]
other = not hasattr(os, "pidfd_open") or any(os.environ.get(name) != value for name, value in {early}.items())
if other or not rest or rest[0][0] == "-" and rest[0][:2] not in ("-c", "-m"):
    os.execv({python!r}, [{python!r}, *given])
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
asked = dict(arguments=rest, folder=os.getcwd(), environment=dict(os.environ), limits=limits, executable={command!r})
asked["unbuffered"] = len(rest) < len(given) or bool(os.environ.get("PYTHONUNBUFFERED"))
message = json.dumps(asked).encode("utf-8", "surrogateescape")
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
socket.send_fds(server, [len(message).to_bytes({length}, "big")], [0, 1, 2])
server.sendall(message)
for number in {passed_on}:
    signal.signal(number, lambda number, _: server.sendall(bytes([number])))
said = server.recv({length})
if len(said) < {length}:
    sys.exit("The warm Python ended before this command.")
status = int.from_bytes(said, "big", signed=True)
if status < 0:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -status != signal.SIGKILL:
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


@dataclass(frozen=True)
class WarmPython:
    """Programs that ask a server which has imported what takes long.

    Attributes:
        bin: the folder of `python` and `vlcheck`, for a PATH.
        server: ends with this process.
    """

    bin: Path
    server: subprocess.Popen[bytes]

    @property
    def command(self) -> str:
        """The path of `python`, in place of `sys.executable`."""
        return str(self.bin / "python")


@cache
def warm_python() -> WarmPython:
    """Start the server, once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="warm-python-"))
    for name, given in {"python": (), "vlcheck": ("-c", "from vlcheck.cli import app; app()")}.items():
        path = folder / name
        said = {"python": sys.executable, "path": str(folder / SOCKET), "given": [*given], "command": str(path)}
        early = {name: os.environ.get(name) for name in EARLY}
        path.write_text(CLIENT.format(**said, early=early, passed_on=[*map(int, PASSED_ON)], length=LENGTH))
        path.chmod(0o755)
    command = [sys.executable, __file__, str(folder)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    server.stdout.readline()  # it listens
    atexit.register(server.communicate)  # which closes its standard input
    return WarmPython(folder, server)


def spent() -> float:
    """Return the CPU seconds of this process's server and of the commands that it has run."""
    if not warm_python.cache_info().currsize:
        return 0.0
    with open(f"/proc/{warm_python().server.pid}/stat", encoding="utf-8") as file:  # noqa: PTH123  # tests patch Path.open
        said = file.read()
    ticks = said.rpartition(")")[2].split()[11:15]  # of the process and of those that it waited for: user and system
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def served(folder: Path) -> dict[str, Any]:
    """Serve until standard input is closed, and end; return in a fork alone, with what it has to run."""
    for name in HEAVY:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in PLUGINS]:
        del sys.modules[name]
    gc.freeze()  # memory: what nobody looks at again is shared by all forks
    gc.set_threshold(ALLOCATED)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / SOCKET))
        listening.listen()
        print("listening", flush=True)
        forks: dict[int, int] = {}  # process ids by file descriptors that are ready when a process ends
        while True:
            ready, _, _ = select.select([listening, sys.stdin, *forks], [], [])
            if sys.stdin in ready:
                shutil.rmtree(folder)
                os._exit(0)
            for ended in forks.keys() & set(ready):
                os.waitpid(forks.pop(ended), 0)
                os.close(ended)
            if listening in ready:
                connection, _ = listening.accept()
                if not (fork := os.fork()):
                    break
                connection.close()
                forks[os.pidfd_open(fork)] = fork
    for other in forks:
        os.close(other)
    return _attended(connection)


def _attended(connection: socket.socket) -> dict[str, Any]:
    """Fork, pass signals on and tell how the fork ended, and end; return in the fork, with what it has to run."""
    length, streams, _, _ = socket.recv_fds(connection, LENGTH, 3)
    asked = json.loads(connection.makefile("rb").read(int.from_bytes(length, "big")).decode("utf-8", "surrogateescape"))
    program = os.fork()
    if not program:
        connection.close()
        for at, stream in enumerate(streams):
            os.dup2(stream, at)
            os.close(stream)
        return asked
    for stream in (0, 1, *streams):
        os.close(stream)
    _wait(connection, program)
    os._exit(0)


def _wait(connection: socket.socket, program: int) -> None:
    """Pass signals on until a program ends; kill it where its caller is gone."""
    ended = os.pidfd_open(program)
    watched = [ended, connection]
    while ended not in select.select(watched, [], [])[0]:
        said = connection.recv(1)
        signal.pidfd_send_signal(ended, said[0] if said else signal.SIGKILL)
        if not said:
            watched.remove(connection)
    _, status = os.waitpid(program, 0)
    with suppress(BrokenPipeError):
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(LENGTH, "big", signed=True))


def become(asked: dict[str, Any]) -> None:
    """Run a command as Python does that was just started."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    resource.setrlimit(resource.RLIMIT_FSIZE, tuple(asked["limits"]))
    for number in PASSED_ON:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    sys.executable = asked["executable"]
    buffering = 0 if asked["unbuffered"] else -1
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = (io.TextIOWrapper(open(at, "wb", buffering, closefd=False)) for at in (1, 2))  # noqa: SIM115
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty(), write_through=asked["unbuffered"])
    sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
    first, *others = asked["arguments"]
    option, value = (first[:2], first[2:]) if first[:1] == "-" else ("", first)
    if option and not value:
        value, *others = others
    said = asked["environment"].get("PYTHONPATH", "")
    own = str(Path(value).resolve().parent) if not option else "" if option == "-c" else asked["folder"]
    sys.path[:1] = [own, *(str(Path(one).absolute()) for one in said.split(os.pathsep) if one)]
    sys.argv = [value, *others] if not option else ["-c", *others] if option == "-c" else ["-m", *others]
    if option == "-c":
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(value, "<string>", "exec"), main.__dict__)  # noqa: S102 - as Python does
    elif option == "-m":
        runpy.run_module(value, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(value, run_name="__main__")


def end(asked: dict[str, Any]) -> NoReturn:
    """Run a command and end as Python does, but for freeing what was imported: that takes seconds."""
    try:
        become(asked)
        status = 0
    except SystemExit as said:
        status = said.code if isinstance(said.code, int) else int(said.code is not None)
        if status and not isinstance(said.code, int):
            print(said.code, file=sys.stderr)
    except BaseException as error:  # noqa: BLE001 - what Python itself would print
        sys.excepthook(type(error), error, error.__traceback__)
        status = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status & 0xFF)


if __name__ == "__main__":
    end(served(Path(sys.argv[1])))
