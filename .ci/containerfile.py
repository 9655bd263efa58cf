"""Run the steps of docs/ci/Containerfile in a tree of Debian, where no image can be built.

    debootstrap --variant=minbase bookworm TREE
    python3 .ci/containerfile.py TREE [--arg NAME=VALUE ...] [--env NAME=VALUE ...]

RUN, COPY, USER, WORKDIR, ARG, ENV and CMD mean what they mean in a build, as far as the Containerfile uses them; any
other instruction is an error. Steps have the network of this machine. Root is needed, for chroot and /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "ci" / "Containerfile"
BASE = "docker.io/library/debian:bookworm-slim"  # what debootstrap makes, but for documentation that is left out


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a Containerfile with their arguments; a continued line is one with the next."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        yield name, rest.strip()


class Tree:
    """A tree of Debian, in which steps are run.

    Args:
        path: its root.
        args: values of ARG that replace those of the file.
        variables: variables of each step, beside those of the file.
    """

    def __init__(self, path: Path, args: dict[str, str], variables: dict[str, str]) -> None:
        self.path, self.args, self.variables = path, args, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **variables}
        self.user, self.folder = "root", "/"

    def follow(self, name: str, rest: str) -> None:
        """Follow an instruction.

        Raises:
            ValueError: it is not known.
            CalledProcessError: it fails.
        """
        match name:
            case "FROM" if rest == BASE:
                pass
            case "ARG":
                key, _, value = rest.partition("=")
                self.variables[key] = self.args.get(key, value)
            case "ENV":
                self.variables |= [part.split("=", 1) for part in shlex.split(rest)]
            case "USER":
                self.user = rest
            case "WORKDIR":
                self.folder = rest
            case "COPY":
                source, to = rest.split()
                shutil.copytree(ROOT / source, self.path / to.lstrip("/"), dirs_exist_ok=True)
            case "RUN":
                self.run(["/bin/sh", "-c", rest])
            case "CMD":
                self.run(json.loads(rest))
            case _:
                raise ValueError(f"{name} {rest}: not known here")

    def run(self, command: list[str]) -> None:
        """Run a command as the current user in the current folder."""
        print(f"== {self.user}: {shlex.join(command)}", flush=True)
        inside = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self.folder, *command]
        home = {"HOME": "/root" if self.user == "root" else f"/home/{self.user}"}
        chroot = ["/usr/sbin/chroot", f"--userspec={self.user}", str(self.path), *inside]
        subprocess.run(chroot, env=home | self.variables, check=True)


def main() -> int:
    """Follow all instructions; return 1 if a step fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="a value of ARG")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable of each step")
    given = parser.parse_args()
    args, variables = (dict(one.split("=", 1) for one in some) for some in (given.arg, given.env))
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", given.tree / "etc" / name)
    proc = given.tree / "proc"
    subprocess.run(["/usr/bin/mount", "-t", "proc", "proc", str(proc)], check=True)
    try:
        tree = Tree(given.tree, args, variables)
        for name, rest in instructions(FILE.read_text(encoding="utf-8")):
            tree.follow(name, rest)
    except subprocess.CalledProcessError as error:
        print(f"a step ended with {error.returncode}", file=sys.stderr)
        return 1
    finally:
        subprocess.run(["/usr/bin/umount", str(proc)], check=True)
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
