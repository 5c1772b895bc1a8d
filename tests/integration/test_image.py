"""The image of a deployment, built without a container engine by what its files say: the ignore file, COPY and RUN."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "deploy/Dockerfile"
IGNORE: Final = ROOT / "deploy/Dockerfile.dockerignore"
PREFIX: Final = "/opt/passage"
"""Where the image has its virtual environment."""
NOT_OURS_TO_WALK: Final = {".git", ".venv", ".passage"}


def lines_of(file: Path) -> Iterator[str]:
    joined = file.read_text().replace("\\\n", " ")
    return (line for line in map(str.strip, joined.splitlines()) if line and not line.startswith("#"))


def as_regex(pattern: str) -> re.Pattern[str]:
    """A pattern of a .dockerignore: `*` within a folder, `**` over folders; a folder stands for all in it."""
    parts = re.split(r"(\*\*/|\*)", pattern)
    spelled = "".join({"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"{spelled}(?:/.*)?")


def build_context() -> set[Path]:
    """Every file that the ignore file lets through; the last pattern that matches decides, as in Docker."""
    patterns = [(not line.startswith("!"), as_regex(line.removeprefix("!"))) for line in lines_of(IGNORE)]
    kept = set()
    for top in ROOT.iterdir():
        for path in () if top.name in NOT_OURS_TO_WALK else (top, *top.rglob("*")):
            name = path.relative_to(ROOT)
            ignored = [excludes for excludes, regex in patterns if regex.fullmatch(name.as_posix())]
            if path.is_file() and not (ignored and ignored[-1]):
                kept.add(name)
    return kept


def instructions() -> list[tuple[str, str]]:
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines_of(DOCKERFILE))]


def build_stage() -> list[tuple[str, str]]:
    """From the first FROM to the second."""
    whole = instructions()
    first, second = (number for number, (word, _) in enumerate(whole) if word == "FROM")
    return whole[first:second]


def copy(arguments: str, context: set[Path], folder: Path) -> None:
    *sources, target = arguments.split()
    for source in map(Path, sources):
        found = [name for name in context if name == source or source in name.parents]
        assert found, f"COPY {source}: no such path, or deploy/Dockerfile.dockerignore does not let it through"
        for name in found:
            within = name.relative_to(source) if name != source else Path(name.name)
            (folder / target / within).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / target / within)


def build(folder: Path, prefix: Path) -> None:
    """COPY and RUN of the build stage, in `folder` in place of its working directory and `prefix` of the image's."""
    context = build_context()
    folder.mkdir()
    for word, arguments in build_stage():
        if word == "COPY":
            copy(arguments, context, folder)
        if word == "RUN":
            command = re.sub(r"^python ", f"{sys.executable} ", arguments).replace(PREFIX, str(prefix))
            done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"RUN {arguments}\n{done.stderr}"


def run(prefix: Path, *argv: str) -> str:
    """Standard output of a program of the image, which sees nothing of this checkout."""
    program = prefix / "bin" / argv[0]
    done = subprocess.run(
        (program, *argv[1:]), cwd=prefix, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    missing = re.search(r"No module named '(\w+)", done.stderr)
    if missing and any(ROOT.glob(f"{missing[1]}*")):
        pytest.fail(f"{argv} imports {missing[1]}: name it in deploy/Dockerfile.dockerignore and in pyproject.toml")
    assert done.returncode == 0, f"{argv}\n{done.stderr}"
    return done.stdout


def test_the_image_is_built_from_hashed_files_and_runs_as_nobody_in_particular() -> None:
    whole = instructions()
    installs = [rest for word, rest in whole if word == "RUN" and "pip install" in rest]
    assert ["--require-hashes" in each or "--no-index" in each for each in installs] == [True, True]
    assert [rest for word, rest in whole if word == "USER"] == ["10001:10001"]
    assert not [
        word for word, rest in whole if word == "ADD" or re.match("ARG .*(PASSWORD|TOKEN|KEY)", f"{word} {rest}")
    ]


@pytest.mark.slow  # installs the deployment's lock
@pytest.mark.timeout(300)
def test_every_program_of_the_image_and_the_command_start_with_what_the_image_holds(tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    build(tmp_path / "build", prefix)
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"].values()
    programs = [service["command"][0] for service in services if service["image"].startswith("passage:")]
    assert len(programs) == 5
    for program in programs:
        run(prefix, "python", "-P", "-c", f"import runpy; runpy.run_module({program!r}, run_name='imported')")
    commands = run(prefix, "passage", "--help")
    assert "audit" in commands
    assert "demo" not in commands
    for group in ("audit", "case", "erase", "inbox", "partners", "programme"):
        run(prefix, "passage", group, "--help")
