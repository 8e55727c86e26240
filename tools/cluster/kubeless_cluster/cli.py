"""The command line: `cluster --help`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from . import binaries, health, images, lifecycle, packages
from .errors import ClusterError
from .gateway import lifecycle as gateway
from .gateway import programs
from .instance import Instance, cache_folder, find_instance
from .progress import say

EPILOG = """
environment:
  KUBELESS_CLUSTER_STATE     state folder (default ${XDG_STATE_HOME:-~/.local/state}/kubeless-cluster)
  KUBELESS_CLUSTER_INSTANCE  number of the cluster, 0 to 49 (default 0; 1 with another state folder)
  KUBELESS_CLUSTER_NETWORK   private /16 of the cluster (default 10.<200 + number>.0.0/16)
exit status: 0 done or healthy, 1 failed or not healthy, 2 wrong usage
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="cluster",
        description="A real single-node Kubernetes for machines without one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("build", help="install what is missing and build the cluster's programs")
    commands.add_parser("up", help="make the cluster run, and wait until it is ready")
    down = commands.add_parser(
        "down", help="remove the cluster from this machine", allow_abbrev=False
    )
    down.add_argument("--purge", action="store_true", help="remove its images and state folder too")
    commands.add_parser("status", help="what is up and what is not")
    load = commands.add_parser("load", help="copy images from buildah or docker into the node")
    load.add_argument("image", nargs="+", metavar="IMAGE")
    config = commands.add_parser(
        "kubeconfig", help="print the kubeconfig's path", allow_abbrev=False
    )
    config.add_argument("--raw", action="store_true", help="print its content instead")
    env = commands.add_parser("env", help="print exports for `eval`", allow_abbrev=False)
    env.add_argument(
        "--path", action="append", default=[], metavar="DIR", help="one more folder for PATH"
    )
    actions = commands.add_parser(
        "gateway", help="a gateway in the cluster: Contour, for Ingress and Gateway API"
    ).add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("build", help="build what the gateway is made of")
    actions.add_parser(
        "up", help="put it into the running cluster, and wait until it takes traffic"
    )
    actions.add_parser("down", help="remove it, its definitions and all routes")
    actions.add_parser("show", help="print as JSON where it is and what to refer to")
    commands.add_parser("bin", help="build if needed and print the programs' folder")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parser().parse_args(argv)
    try:
        return _dispatch(options, find_instance())
    except ClusterError as error:
        say(f"cluster: {error}")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        say("\ncluster: interrupted; the same command goes on from here")
        return 130


def _dispatch(options: argparse.Namespace, instance: Instance) -> int:
    match options.command:
        case "build":
            packages.ensure()
            print(binaries.ensure(cache_folder()).folder)
        case "bin":
            print(binaries.ensure(cache_folder()).folder)
        case "up":
            lifecycle.require_root("up")
            packages.ensure()
            lifecycle.up(instance, binaries.ensure(cache_folder()))
        case "down":
            lifecycle.require_root("down")
            lifecycle.down(instance, purge=options.purge)
        case "status":
            return status(instance)
        case "load":
            lifecycle.require_root("load")
            images.load(instance.node, binaries.find(cache_folder()), options.image)
        case "kubeconfig":
            kubeconfig(instance, raw=options.raw)
        case "env":
            env(instance, options.path)
        case "gateway":
            _gateway(options.action, instance)
    return 0


def _gateway(action: str, instance: Instance) -> None:
    if action != "build":
        lifecycle.require_root(f"gateway {action}")
    match action:
        case "build":
            packages.ensure()
            print(programs.ensure(cache_folder()).folder)
        case "up":
            packages.ensure()
            gateway.require_up(instance)  # before a build that takes minutes
            built = binaries.find(cache_folder())
            gateway.up(instance, built, programs.ensure(cache_folder()))
        case "down":
            gateway.down(instance, binaries.find(cache_folder()))
        case "show":
            print(gateway.show(instance))


def status(instance: Instance) -> int:
    """Print the table; 0 only when everything is up."""
    lifecycle.require_root("status")
    built = binaries.find(cache_folder())
    found = health.look(instance, lifecycle.all_components(instance, built))
    parts = gateway.look(instance)
    found += parts
    for row in found:
        pid = str(row.pid) if row.pid else "-"
        print(f"{row.name:<24} {pid:>8}  {' '.join(filter(None, [row.state, row.version]))}")
    go_mod = (binaries.MODULE / "go.mod").read_text()
    versions = {t: binaries.module_version(go_mod, m) for t, m in binaries.VERSIONS.items()}
    if parts:
        versions |= programs.versions()
    for title, version in versions.items():
        print(f"{title + ' version':<24} {'':>8}  {version}")
    print(f"{'kubeconfig':<24} {'':>8}  {instance.kubeconfig}")
    for name, value in gateway.describe(instance).items() if parts else ():
        title = name if name.startswith("gateway") else f"gateway's {name}"
        print(f"{title:<24} {'':>8}  {value}")
    print(f"{'programs':<24} {'':>8}  {built.folder}")
    print(f"{'logs':<24} {'':>8}  {instance.logs} {instance.node.logs}")
    return 0 if all(row.ok for row in found) else 1


def _existing_kubeconfig(instance: Instance) -> Path:
    path = instance.kubeconfig
    try:
        if path.exists():
            return path
    except PermissionError as error:
        raise ClusterError(f"{path} belongs to root: run this as root") from error
    raise ClusterError(f"no cluster in {instance.state}: run `tools/cluster/cluster up`")


def kubeconfig(instance: Instance, *, raw: bool) -> None:
    path = _existing_kubeconfig(instance)
    print(path.read_text() if raw else path, end="" if raw else "\n")


def env(instance: Instance, folders: Sequence[str]) -> None:
    """Exports that make kubectl, helm and others work on this cluster."""
    path = _existing_kubeconfig(instance)
    built = binaries.find(cache_folder())
    more = [str(Path(folder).absolute()) for folder in folders]
    front = ":".join(shlex.quote(folder) for folder in [*more, str(built.folder)])
    print(f"export KUBECONFIG={shlex.quote(str(path))}")
    print(f'export PATH={front}:"$PATH"')
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy")):
        for name in ("NO_PROXY", "no_proxy"):
            print(f'export {name}="${{{name}:+${name},}}{instance.network}"')
