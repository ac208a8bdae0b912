"""What both actions run first: real installations, and each way in which it cannot install."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from freshness.process.private_folder import ACCESS_LIST
from tests.support.access_lists import list_write_access
from tests.support.applications import BUSYBOX
from tests.support.engines import ROOT

FAKE_TOOL = "import sys, click, docker, pygit2\nprint('tool', *sys.argv[1:], oct(__import__('os').umask(0)))\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job: an action's folder, a tool cache and an output file of its own."""

    action: Path
    cache: Path
    temp: Path
    output: Path

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(self.output), "TMPDIR": str(self.temp)}
        runner = {"RUNNER_TOOL_CACHE": str(self.cache), "RUNNER_TEMP": str(self.temp)}
        return {**os.environ, **own, **runner, **(env or {})}

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, shell: Sequence[str] = ("sh",)
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*shell, str(self.action / "install.sh"), *arguments],
            env=self.environment(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, shell: Sequence[str] = ("sh",)
    ) -> tuple[int, str]:
        """Exit status and log."""
        with self.start(*arguments, env=env, shell=shell) as process:
            log, _ = process.communicate(timeout=120)
            return process.returncode, log

    def outputs(self) -> dict[str, str]:
        """As a runner reads them: the last value of each key."""
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    def environments(self) -> list[Path]:
        return sorted(self.cache.glob(f"freshness-action-{os.geteuid()}/*"))

    def installed(self) -> Path:
        """The one of the action's own lock: another test may have put one of another lock beside it."""
        (found,) = (one for one in self.environments() if any(one.glob("lib/python3*/site-packages/docker")))
        return found


def new_step(folder: Path) -> Step:
    action = folder / "action"
    (action / "src").mkdir(parents=True)
    (action / "src/__main__.py").write_text(FAKE_TOOL)
    shutil.copy2(ROOT / "install.sh", action)
    shutil.copytree(ROOT / "requirements", action / "requirements")
    (folder / "temp").mkdir(mode=0o700)
    return Step(action=action, cache=folder / "tool_cache", temp=folder / "temp", output=folder / "output")


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return new_step(tmp_path)


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tool cache with the dependencies in it."""
    step = new_step(tmp_path_factory.mktemp("warm"))
    status, log = step.run("gate")
    assert status == 0, log
    return step.cache


def lock_with(step: Step, change: Callable[[str], str]) -> None:
    lock = step.action / "requirements/action.txt"
    lock.write_text(change(lock.read_text()))


def a_small_lock(_: str) -> str:
    """One small package with its true hash, so that what is tested costs little."""
    lines = (ROOT / "requirements/action.txt").read_text().split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("idna=="))
    return "\n".join([lines[start], *(line for line in lines[start + 1 : start + 3] if "--hash" in line)]) + "\n"


def assert_closed(step: Step, story: str, status: int, log: str, *words: str) -> None:
    """Exit status 3, closed, and one sentence: an error in the log, and the outputs' reason."""
    outputs = step.outputs()
    expected = {"gate": ("gate", "closed"), "promote": ("outcome", "error")}[story]
    assert status == 3, log
    assert outputs[expected[0]] == expected[1]
    assert outputs.get("verdict") == ("error" if story == "gate" else None)
    assert [line for line in log.splitlines() if line.startswith("::")] == [f"::error::{outputs['reason']}"]
    for word in words:
        assert word in outputs["reason"]
    assert not [path for path in step.environments() if path.name.startswith(".new")]


def test_the_first_start_installs_and_the_next_reuses(step: Step) -> None:
    status, log = step.run("gate", "--port", "8501")
    (environment,) = step.environments()
    made = environment.stat().st_ino

    assert (status, log.splitlines()[-1]) == (0, f"tool gate --port 8501 {oct(current_umask())}")
    assert stat.S_IMODE(environment.parent.stat().st_mode) == 0o700
    assert step.run("promote") == (0, f"tool promote {oct(current_umask())}\n")
    assert [path.stat().st_ino for path in step.environments()] == [made]
    assert step.output.read_text() == "gate=closed\noutcome=error\n"


@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix"), (str(BUSYBOX), "sh")])
def test_every_shell_of_a_runner_starts_it(step: Step, warm: Path, shell: tuple[str, ...]) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not here")

    status, log = step.run("gate", "a b", env={"RUNNER_TOOL_CACHE": str(warm)}, shell=shell)

    assert (status, log) == (0, f"tool gate a b {oct(current_umask())}\n")


def current_umask() -> int:
    """The build context's modes must not depend on what the installation needs."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_two_installations_at_once_end_with_one_environment(step: Step) -> None:
    lock_with(step, a_small_lock)
    (step.action / "src/__main__.py").write_text("import sys; print('tool', sys.prefix)")

    with step.start("gate") as first, step.start("gate") as second:
        logs = [process.communicate(timeout=120)[0].splitlines() for process in (first, second)]

    assert (first.returncode, second.returncode) == (0, 0), logs
    assert [lines[-1] for lines in logs] == [f"tool {path}" for path in step.environments() * 2]


def test_another_lock_gets_another_environment(step: Step, warm: Path) -> None:
    lock_with(step, a_small_lock)
    (step.action / "src/__main__.py").write_text(
        "import idna\ntry:\n    import docker\nexcept ImportError: print('alone')\n"
    )

    status, log = step.run("gate", env={"RUNNER_TOOL_CACHE": str(warm)})

    assert (status, log.splitlines()[-1]) == (0, "alone")


def test_an_environment_whose_interpreter_is_gone_is_made_anew(step: Step, warm: Path) -> None:
    shutil.copytree(warm, step.cache, symlinks=True)
    python = step.installed() / "bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    status, log = step.run("gate")

    assert (status, log.splitlines()[-1]) == (0, f"tool gate {oct(current_umask())}")


def assert_installed_here(step: Step, env: dict[str, str], elsewhere: Path) -> None:
    """`idna` alone, in the environment that the tool runs in."""
    lock_with(step, a_small_lock)
    (step.action / "src/__main__.py").write_text("import idna, sys; print(idna.__file__.startswith(sys.prefix))")

    status, log = step.run("gate", env=env)

    assert (status, log.splitlines()[-1]) == (0, "True"), log
    assert not elsewhere.exists()


def test_no_variable_leads_the_packages_elsewhere(step: Step, tmp_path: Path) -> None:
    """Fails when `install_dependencies` leaves it to pip's variables where the packages go."""
    elsewhere = tmp_path / "elsewhere"
    folders = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONUSERBASE")
    others = {"PIP_USER": "1", "PIP_DRY_RUN": "1", "PIP_PYTHON": "/usr/bin/python3", "PYTHONHOME": "/nowhere"}
    assert_installed_here(step, dict.fromkeys(folders, str(elsewhere)) | others, elsewhere)


def test_no_configuration_of_pips_leads_the_packages_elsewhere(step: Step, tmp_path: Path) -> None:
    """Fails when variables alone are looked after: what pip.conf says counts where they are empty, too."""
    elsewhere, configuration = tmp_path / "elsewhere", tmp_path / "pip.conf"
    index = os.environ.get("PIP_INDEX_URL")
    lines = ["[global]", "user = true", "dry-run = true", *([f"index-url = {index}"] if index else [])]
    lines += ["[install]", *(f"{name} = {elsewhere}" for name in ("target", "prefix", "root"))]
    configuration.write_text("\n".join(lines))
    assert_installed_here(step, {"PIP_CONFIG_FILE": str(configuration), "PIP_TARGET": ""}, elsewhere)


def without_packages(environment: Path) -> None:
    """As version 1.0 left it where PIP_TARGET was set."""
    shutil.rmtree(next(environment.glob("lib/python3*/site-packages")))
    (environment / "proof").unlink()


def without_one_package(environment: Path) -> None:
    shutil.rmtree(next(environment.glob("lib/python3*/site-packages/docker")))


def with_half_a_proof(environment: Path) -> None:
    proof = environment / "proof"
    proof.write_text(proof.read_text().removesuffix("whole\n"))


@pytest.mark.parametrize("spoil", [without_packages, without_one_package, with_half_a_proof])
def test_an_environment_without_its_packages_is_made_anew(
    step: Step, warm: Path, spoil: Callable[[Path], None]
) -> None:
    """Fails when it is enough for `usable` that the interpreter is there."""
    shutil.copytree(warm, step.cache, symlinks=True)
    spoil(step.installed())

    status, log = step.run("gate")

    assert (status, log.splitlines()[-1]) == (0, f"tool gate {oct(current_umask())}"), log
    assert step.run("gate") == (0, f"tool gate {oct(current_umask())}\n"), "it is used again"


def test_an_installation_that_leaves_a_package_out_is_one_sentence(step: Step, tmp_path: Path) -> None:
    """Fails when pip's exit status is believed. The interpreter is a real one whose pip leaves nothing behind."""
    lock_with(step, a_small_lock)
    python = tmp_path / "python"
    python.write_text(f"""#!/bin/sh
{shutil.which("python3")} "$@" || exit
case $* in *"-m venv"*)
    for last; do :; done
    mv "$last/bin/python" "$last/bin/real"
    printf '#!/bin/sh\\ncase $* in *" install "*) exit 0 ;; esac\\nexec "$0/../real" "$@"\\n' >"$last/bin/python"
    sed -i 's|"$0/../real"|"$(dirname "$0")/real"|' "$last/bin/python"
    chmod +x "$last/bin/python" ;;
esac
""")
    python.chmod(0o755)

    run = step.run("gate", env={"FRESHNESS_PYTHON": str(python)})

    assert_closed(step, "gate", *run, "does not hold what it should", "idna", "pip config list")
    assert step.environments() == []


def test_the_tool_comes_from_the_action_whatever_the_environment_holds(step: Step, warm: Path) -> None:
    (step.action / "src/__main__.py").write_text("print('the newer version')")

    assert step.run("gate", env={"RUNNER_TOOL_CACHE": str(warm)}) == (0, "the newer version\n")


def test_a_changed_hash_installs_nothing(step: Step) -> None:
    lock_with(step, lambda text: re.sub(r"sha256:\w{4}", "sha256:0000", a_small_lock(text)))

    assert_closed(step, "gate", *step.run("gate"), "its hash differs from requirements/action.txt")
    assert step.environments() == []


def test_without_a_package_index_it_says_so(step: Step) -> None:
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_TIMEOUT": "1"}

    assert_closed(step, "gate", *step.run("gate", env=unreachable), "pip could not install", "PIP_INDEX_URL")
    assert step.environments() == []


def test_what_pip_prints_commands_nothing(step: Step) -> None:
    lock_with(step, lambda _: "::set-output name=gate::open\n")

    status, log = step.run("gate")

    assert_closed(step, "gate", status, log, "pip could not install")
    assert "set-output" in log


@pytest.mark.parametrize("story", ["gate", "promote"])
def test_no_python_is_one_sentence(step: Step, tmp_path: Path, story: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "tr", "sed", "id", "ls", "mkdir"):
        (tools / name).symlink_to(shutil.which(name) or name)

    assert_closed(
        step, story, *step.run(story, env={"PATH": str(tools)}), "No Python was found", "3.11", "apt-get install"
    )


def test_an_old_python_is_one_sentence(step: Step, tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)

    log = step.run("gate", env={"FRESHNESS_PYTHON": str(old)})

    assert_closed(step, "gate", *log, f"{old} is 3.9", "3.11 or newer")


def test_a_newer_python_beside_an_old_one_is_found(step: Step, tmp_path: Path, warm: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").write_text("#!/bin/sh\necho 3.9\n")
    (tmp_path / "bin/python3").chmod(0o755)
    (tmp_path / "bin/python").symlink_to(shutil.which("python3") or "python3")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"

    assert step.run("gate", env={"PATH": path, "RUNNER_TOOL_CACHE": str(warm)})[0] == 0


def test_a_python_without_venv_is_one_sentence(step: Step, tmp_path: Path) -> None:
    """Debian splits the module off: the same interpreter, which says that it lacks ensurepip."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase $* in *ensurepip*) exit 1 ;; esac\nexec {shutil.which("python3")} "$@"\n')
    python.chmod(0o755)

    run = step.run("gate", env={"FRESHNESS_PYTHON": str(python)})

    assert_closed(step, "gate", *run, "venv or ensurepip is missing", "python3-venv")


def prepare_link(place: Path) -> None:
    (place.parent / "theirs").mkdir(mode=0o700)
    place.symlink_to(place.parent / "theirs")


def prepare_open_folder(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def prepare_foreign_folder(place: Path) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)


def prepare_replaceable_folder(place: Path) -> None:
    """Ours and closed, but in a folder where anybody may put another in its place."""
    place.mkdir(mode=0o700)
    place.parent.chmod(0o777)


def prepare_folder_behind_an_access_list(place: Path) -> None:
    """Ours and closed, in a folder whose mode gives our own group alone the right to write, and whose list another."""
    place.mkdir(mode=0o700)
    list_write_access(place.parent, ACCESS_LIST)


@pytest.mark.parametrize(
    "prepare",
    [
        prepare_link,
        prepare_open_folder,
        prepare_foreign_folder,
        prepare_replaceable_folder,
        prepare_folder_behind_an_access_list,
    ],
)
def test_a_folder_that_others_prepared_is_not_used(step: Step, warm: Path, prepare: Callable[[Path], None]) -> None:
    if os.geteuid() != 0 and prepare is prepare_foreign_folder:
        pytest.skip("only root can make a folder that belongs to another user")
    (step.action / "src/__main__.py").write_text("import sys; print(sys.prefix)")
    step.cache.mkdir()
    prepare(step.cache / f"freshness-action-{os.geteuid()}")

    status, log = step.run("gate", env={"RUNNER_TEMP": str(warm)})

    assert (status, Path(log.strip()).parent) == (0, warm / f"freshness-action-{os.geteuid()}")
    assert step.environments() == []


def test_with_nowhere_safe_to_install_it_says_so(step: Step) -> None:
    step.temp.chmod(0o777)

    run = step.run("gate", env={"RUNNER_TOOL_CACHE": ""})

    assert_closed(step, "gate", *run, "No folder for the dependencies", str(step.temp), "mode 0700")


def test_outputs_that_cannot_be_written_are_one_sentence(step: Step) -> None:
    status, log = step.run("gate", env={"GITHUB_OUTPUT": "/dev/full"})

    assert status == 3
    assert "outputs cannot be written to /dev/full" in log


def test_an_unknown_story_is_refused(step: Step) -> None:
    status, log = step.run("deploy")

    assert (status, log) == (2, "install.sh: expected gate, promote or commit-status, got 'deploy'\n")
