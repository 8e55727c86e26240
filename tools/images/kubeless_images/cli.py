"""The commands: build, list, push, clean."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import yaml

from kubeless_images import base, context, engine, host, plan, table
from kubeless_images.errors import ImagesError

ROOT = Path(__file__).resolve().parents[3]


def main(argv: list[str]) -> int:
    """Run one command; the exit code: 0, 1 on an error the message explains, 2 on wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except ImagesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="images", description="Build and push Kubeless' images.")
    parser.add_argument("--engine", default="", help="docker or buildah (default: what answers)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="build images whose inputs changed")
    build.add_argument("names", nargs="*", metavar="NAME", help="default: every image")
    build.add_argument("--values", type=Path, default=ROOT / "build/images.yaml",
                       help="Helm values file to write (default: build/images.yaml)")  # fmt: skip
    build.add_argument("--refresh", action="store_true", help="pull or make the base images anew")
    build.set_defaults(run=_build)

    listing = commands.add_parser(
        "list", help="show the images, whether they are built, and their sizes"
    )
    listing.set_defaults(run=_list)

    push = commands.add_parser("push", help="push built images under their version")
    push.add_argument("registry", nargs="?", default="", metavar="REGISTRY")
    push.add_argument("names", nargs="*", metavar="NAME", help="default: every image")
    push.set_defaults(run=_push)

    clean = commands.add_parser("clean", help="remove the built images from the engine's store")
    clean.set_defaults(run=_clean)
    return parser


def _build(arguments: argparse.Namespace) -> None:
    version = table.version(ROOT)
    images = table.select(table.load(ROOT), arguments.names)
    chosen = engine.choose(arguments.engine)
    logs = ROOT / "build/logs"
    logs.mkdir(parents=True, exist_ok=True)
    width = max(len(image.name) for image in images)

    for reference, suite in sorted({(image.base, image.suite) for image in images}):
        start = time.monotonic()
        log = _fresh(logs / f"base-{suite}.log")
        done = base.ensure(chosen, reference, suite, log, refresh=arguments.refresh)
        if done:
            print(f"{reference}: {done} ({time.monotonic() - start:.1f} s)", flush=True)

    present, sizes = chosen.ids(), chosen.sizes()
    with tempfile.TemporaryDirectory(prefix="kubeless-build-") as folder:
        secrets: dict[str, dict[str, Path]] = {}  # by suite
        for image in images:
            start = time.monotonic()
            tag = _tag(image, version, present)
            exact = plan.reference(plan.DEFAULT_REGISTRY, image.name, tag)
            plain = plan.reference(plan.DEFAULT_REGISTRY, image.name, version)
            if exact in present:
                if present.get(plain) != present[exact]:
                    chosen.tag(exact, plain)
                print(f"{image.name:{width}}  {tag}  {sizes[exact]:>8}  unchanged", flush=True)
                continue
            if image.suite not in secrets:
                secrets[image.suite] = host.write_secrets(
                    host.read(os.environ),
                    Path(folder, image.suite),
                    accept_stale=base.accept_stale(image.suite),
                )
            print(f"{image.name:{width}}  {tag}  building with {chosen.name} ...", flush=True)
            log = _fresh(logs / f"{image.name}.log")
            chosen.build(image, [exact, plain], secrets[image.suite], log)
            print(
                f"{image.name:{width}}  {tag}  {chosen.sizes()[exact]:>8}  "
                f"built in {time.monotonic() - start:.1f} s",
                flush=True,
            )

    # The file names every image that is built, also those this run was not asked for.
    present = chosen.ids()
    tags = {}
    for image in table.load(ROOT):
        tag = _tag(image, version, present) if image.base in present else ""
        if plan.reference(plan.DEFAULT_REGISTRY, image.name, tag) in present:
            tags[image.name] = tag
    arguments.values.parent.mkdir(parents=True, exist_ok=True)
    arguments.values.write_text(yaml.safe_dump(plan.values(plan.DEFAULT_REGISTRY, tags)))
    # Else an installation would wait for images that nobody has.
    if changed := [image.name for image in images if image.name not in tags]:
        raise ImagesError(f"changed while they were built: {', '.join(changed)}; build them again")


def _list(arguments: argparse.Namespace) -> None:
    version = table.version(ROOT)
    chosen = engine.choose(arguments.engine)
    present, sizes = chosen.ids(), chosen.sizes()
    for image in table.load(ROOT):
        tag = _tag(image, version, present) if image.base in present else ""
        exact = plan.reference(plan.DEFAULT_REGISTRY, image.name, tag)
        state = f"{tag}  {sizes[exact]:>8}" if exact in present else "not built"
        print(f"{image.name:20} {image.context.relative_to(ROOT)!s:20} {image.suite:8} {state}")


def _push(arguments: argparse.Namespace) -> None:
    if not arguments.registry:
        raise ImagesError(
            "push needs a registry, such as `push registry.example.com/kubeless` "
            "(make push REGISTRY=registry.example.com/kubeless)"
        )
    version = table.version(ROOT)
    chosen = engine.choose(arguments.engine)
    present = chosen.ids()
    images = table.select(table.load(ROOT), arguments.names)
    logs = ROOT / "build/logs"
    logs.mkdir(parents=True, exist_ok=True)
    sources = {}
    for image in images:
        tag = _tag(image, version, present) if image.base in present else ""
        sources[image.name] = plan.reference(plan.DEFAULT_REGISTRY, image.name, tag)
    stale = [name for name, source in sources.items() if source not in present]
    if stale:
        raise ImagesError(f"not built, or changed since: {', '.join(stale)}; run `make images`")
    for name, source in sources.items():
        start = time.monotonic()
        # The exact tag never changes what it means, so nodes that keep images run what was pushed last.
        for tag in (version, source.rpartition(":")[2]):
            target = plan.reference(arguments.registry, name, tag)
            chosen.tag(source, target)
            chosen.push(target, _fresh(logs / f"push-{name}.log"))
        print(f"{target}  pushed in {time.monotonic() - start:.1f} s", flush=True)


def _clean(arguments: argparse.Namespace) -> None:
    chosen = engine.choose(arguments.engine)
    ours = [name for name in chosen.ids() if name.startswith(f"{plan.DEFAULT_REGISTRY}/")]
    if ours:
        chosen.remove(ours)
    print(f"removed {len(ours)} image names")


def _tag(image: table.Image, version: str, present: dict[str, str]) -> str:
    digest = plan.input_hash(
        image,
        dockerfile=image.dockerfile.read_bytes(),
        context=context.digest(image.context),
        base_id=present[image.base],
    )
    return plan.tag(version, digest)


def _fresh(log: Path) -> Path:
    log.unlink(missing_ok=True)
    return log
