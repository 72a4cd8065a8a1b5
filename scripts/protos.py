"""The contracts' toolchain: stubs, lint and breaking changes.

buf/validate/validate.proto is not fetched from a registry: the installed protovalidate
package carries its descriptor, and protoc takes descriptors as includes. buf then looks at
the image that protoc built.

    python scripts/protos.py generate          write the stubs into libs/contracts
    python scripts/protos.py check             fail if the committed stubs are not these
    python scripts/protos.py lint              buf lint
    python scripts/protos.py breaking [REF]    buf breaking against REF (default: the last commit)
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "libs" / "contracts" / "src"
PACKAGES = ("countersign", "buf")
BIN = Path(sys.executable).parent
MYPY_PLUGINS = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")


def write_includes(target: Path) -> Path:
    """Write the descriptor set of every third-party include; returns its path."""
    validate = import_module("protovalidate._gen.buf.validate.validate_pb").desc().proto
    files = descriptor_pb2.FileDescriptorSet()
    files.file.add().ParseFromString(validate.to_binary())
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    path = target / "includes.binpb"
    path.write_bytes(files.SerializeToString())
    return path


def run_protoc(*arguments: str) -> None:
    """Run protoc; raises SystemExit when it fails."""
    if protoc.main(["protoc", *arguments]) != 0:
        raise SystemExit(f"protoc failed: {' '.join(arguments)}")


def sources(protos: Path) -> list[str]:
    """All proto files below `protos`, as protoc wants them named."""
    return sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))


def generate(target: Path, work: Path) -> None:
    """Write stubs with typed stubs beside them below `target`."""
    includes = f"--descriptor_set_in={write_includes(work)}"
    plugins = [f"--plugin={name}={BIN / name}" for name in MYPY_PLUGINS]
    typed = (*plugins, f"--python_out={target}", f"--mypy_out=quiet:{target}")
    services = (*plugins, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}")
    protos = ROOT / "protos"
    named = sources(protos)
    with_services = [name for name in named if "\nservice " in (protos / name).read_text()]
    run_protoc(includes, "-I", str(protos), *typed, *named)
    run_protoc(includes, "-I", str(protos), *services, *with_services)
    run_protoc(includes, *typed, "buf/validate/validate.proto")
    for directory in {path.parent for path in target.rglob("*_pb2.py")}:
        (directory / "py.typed").touch()


def build_image(protos: Path, work: Path, name: str) -> Path:
    """Compile `protos` to an image that buf reads; returns its path."""
    image = work / f"{name}.binpb"
    run_protoc(
        f"--descriptor_set_in={write_includes(work)}",
        "-I",
        str(protos),
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={image}",
        *sources(protos),
    )
    return image


def buf(*arguments: str) -> None:
    """Run buf on our own files only."""
    ours = ["--config", str(ROOT / "buf.yaml"), "--path", "countersign"]
    if subprocess.run([str(BIN / "buf"), *arguments, *ours], check=False).returncode != 0:
        raise SystemExit(f"buf {arguments[0]} found something")


def difference(left: Path, right: Path) -> list[str]:
    """Paths below both folders whose bytes differ or that only one of them has."""

    def files(base: Path) -> set[Path]:
        found = (path for package in PACKAGES for path in (base / package).rglob("*.py*"))
        return {path.relative_to(base) for path in found if path.suffix in {".py", ".pyi"}}

    one, other = files(left), files(right)
    changed = {
        path for path in one & other if not filecmp.cmp(left / path, right / path, shallow=False)
    }
    return sorted(str(path) for path in changed | (one ^ other))


def last_commit() -> str:
    """The commit to compare with: the last one, or the one before it where nothing changed."""
    changed = subprocess.run(
        ["git", "diff", "--quiet", "HEAD", "--", "protos"], cwd=ROOT, check=False
    )
    return "HEAD" if changed.returncode else "HEAD~1"


def breaking(reference: str, work: Path) -> None:
    """Compare the protos with those of a git reference."""
    archive = subprocess.run(
        ["git", "archive", reference, "protos"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode != 0:
        print(f"no protos at {reference}: nothing to break")
        return
    before_tree = work / "before"
    before_tree.mkdir()
    subprocess.run(["tar", "-x", "-C", str(before_tree)], input=archive.stdout, check=True)
    before = build_image(before_tree / "protos", work, "before")
    now = build_image(ROOT / "protos", work, "now")
    buf("breaking", str(now), "--against", str(before))


def main(arguments: list[str]) -> None:
    """Run one of the commands in the module's docstring."""
    command = arguments[0] if arguments else "check"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if command == "generate":
            for package in PACKAGES:
                shutil.rmtree(STUBS / package, ignore_errors=True)
            generate(STUBS, work)
        elif command == "check":
            fresh = work / "stubs"
            fresh.mkdir()
            generate(fresh, work)
            stale = difference(STUBS, fresh)
            if stale:
                raise SystemExit("stale stubs, run `make protos`:\n  " + "\n  ".join(stale))
        elif command == "lint":
            buf("lint", str(build_image(ROOT / "protos", work, "now")))
        elif command == "breaking":
            breaking(arguments[1] if len(arguments) > 1 else last_commit(), work)
        else:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
