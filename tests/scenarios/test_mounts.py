"""What Compose lays over the image: what hides nothing is allowed and named, what hides what was built is refused."""

from pathlib import Path

import pytest

from tests.support.applications import Application
from tests.support.git import GitRepo
from tests.support.promotions import FIRST, SECOND, Production, type_commands
from tests.support.runner import Ended, Runner

SEED = "RUN mkdir /data && echo seed > /data/seed\n"
VOLUME = "VOLUME /data\n"


def with_mounts(app: Application, service: str, lines: str, rest: str = "") -> str:
    """The committed Compose file with lines more in that service, and below all services."""
    compose = app.repo.git("show", "HEAD:compose.yaml")
    before = f"  {service}:\n"
    indented = "".join(f"    {line}\n" for line in lines.splitlines())
    return f"{compose.replace(before, before + indented, 1)}\n{rest}\n"


def gate_with(runner: Runner, lines: str, rest: str = "", **variables: str) -> Ended:
    """A gate of a Compose file in which staging has these lines; only the work tree has it, as on a host."""
    path = runner.app.repo.path / "compose.yaml"
    path.write_text(with_mounts(runner.app, runner.app.staging, lines, rest))
    return runner.gate(**variables)


def noted(ended: Ended) -> str:
    """The notes of the report."""
    return "\n".join(ended.report["notes"])


def dockerfile(runner: Runner, *lines: str) -> str:
    text = runner.app.repo.git("show", "HEAD:Dockerfile")
    return text.replace("COPY . .\n", f"COPY . .\n{''.join(lines)}")


def prepared(runner: Runner) -> None:
    """Files of the image's own in /app and /data, a program of its own, and a link to a folder of the image."""
    own = "RUN mkdir /app/empty /bin/own && echo 1 > /bin/own/run && ln -s /app/static /srv/public\n"
    runner.app.repo.commit({"Dockerfile": dockerfile(runner, SEED, own), "static/a.js": "1", ".gitignore": "rows\n"})


REFUSED = {
    "the working directory": ("volumes: ['@OUT@:/app']", "", "covers /app"),
    "a folder around it": ("volumes: ['code:/app/..']", "volumes: {code: }", "covers"),
    "a file that the command names": ("volumes: ['@OUT@/x.py:/app/server.py']", "", "covers /app/server.py"),
    "the program that it starts": ("volumes: ['@OUT@:/usr/local/bin', '@OUT@:/usr/bin']", "", "python3"),
    "a folder where it is looked for first": ("volumes: ['@OUT@:/usr/local/sbin']", "", "/usr/local/sbin/python3"),
    "a path that only the Compose file names": (
        "command: [python3, /code/app.py]\nvolumes: ['@OUT@:/code']",
        "",
        "covers /code/app.py",
    ),
    "a named volume over files": ("volumes: ['st:/app/static']", "volumes: {st: }", "such as /app/static/a.js"),
    "a link to them": ("volumes: ['st:/srv/public']", "volumes: {st: }", "such as /app/static/a.js"),
    "an anonymous volume that stays empty": (
        "volumes: [{type: volume, target: /data, volume: {nocopy: true}}]",
        "",
        "such as /data/seed",
    ),
    "a config": (
        "configs: [{source: c, target: /data/seed}]",
        "configs: {c: {file: '@OUT@/x.py'}}",
        "the config c at /data/seed hides",
    ),
    "a secret": (
        "secrets: [{source: s, target: /app/static/a.js}]",
        "secrets: {s: {file: '@OUT@/x.py'}}",
        "the secret s at /app/static/a.js hides",
    ),
    "a tmpfs": ("tmpfs: [/data]", "", "the tmpfs at /data hides"),
}


def test_what_hides_what_was_built_is_refused_before_staging_changes(runner: Runner, tmp_path: Path) -> None:
    """I13. Breaks when `why_not` no longer looks at what starts, or `_hidden` at the image's own files.

    One image for all: each is a line in the Compose file.
    """
    prepared(runner)
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.py").write_text("x")
    for name, (lines, rest, said) in REFUSED.items():
        ended = gate_with(runner, lines.replace("@OUT@", str(out)), rest.replace("@OUT@", str(out)))

        assert ended.decision == ("closed", "refused", 1), f"{name}: {ended.log}"
        assert said in ended.reason, name
        assert "`allow-mounts`" in ended.reason, name
        assert runner.containers(runner.app.staging) == [], name


def test_what_hides_nothing_is_allowed_from_the_workspace_too_and_named(runner: Runner) -> None:
    """Breaks when files of the base count as the image's own, or every path of the workspace is refused.

    Nor is a secret code that its path is given to, or `.gitkeep` a file that anybody misses.
    """
    prepared(runner)
    runner.app.repo.commit({"uploads/.gitkeep": ""})
    runner.app.repo.write({"data/rows": "1"})
    lines = (
        "volumes: ['./data:/rows', './data/rows:/app/empty/rows', '/etc/localtime:/etc/localtime:ro',"
        " 'empty:/app/empty', './data:/etc/apt', './data:/app/uploads']\ntmpfs: [/run]\nsecrets: [s]\n"
        "command: [python3, server.py, --token-file, /run/secrets/s]"
    )

    ended = gate_with(runner, lines, "volumes: {empty: }\nsecrets: {s: {file: ./data/rows}}")

    assert ended.decision == ("open", "fresh", 0), ended.log
    for target in ("/rows", "/etc/localtime", "/app/empty", "/app/uploads", "/etc/apt", "/run", "/run/secrets/s"):
        assert f"at {target}: it hides no built file" in noted(ended), target
    assert ended.checks()["mounts"] == "passed"


def test_the_owners_clone_elsewhere_on_the_host_is_refused(runner: Runner, tmp_path: Path) -> None:
    """I13. Breaks when only the workspace counts as Git's, as by an absolute path to another clone."""
    clone = GitRepo.clone(runner.app.repo.url, tmp_path / "owner")
    (tmp_path / "link").symlink_to(clone.path / "scripts")

    ended = gate_with(runner, f"volumes: ['{tmp_path}/link:/anywhere']")
    allowed = gate_with(runner, f"volumes: ['{tmp_path}/link:/anywhere']", ALLOW_MOUNTS="/anywhere")

    assert ended.decision == ("closed", "error", 2), ended.log
    assert str(clone.path / "scripts/staging_check.py") in ended.reason
    assert "Copy it into the image" in ended.reason
    assert allowed.decision == ("open", "fresh", 0), allowed.log
    assert "`allow-mounts` allows the bind mount" in noted(allowed)


def test_a_volume_that_is_made_of_a_clone_is_refused_whatever_the_file_says(runner: Runner) -> None:
    """I13. Fails when `_why_tracked` does not ask the Engine: of an external volume the file says only the name."""
    name = f"{runner.sandbox.name}-code"
    made_of = {"type": "none", "o": "bind", "device": str(runner.app.repo.path / "scripts")}
    volume = runner.sandbox.docker.volumes.create(name, driver_opts=made_of)
    try:
        declared = f"volumes: {{code: {{external: true, name: {name}}}}}"
        ended = gate_with(runner, "volumes: ['code:/anywhere']", declared)
        allowed = gate_with(runner, "volumes: ['code:/anywhere']", declared, ALLOW_MOUNTS="/anywhere")

        assert ended.decision == ("closed", "refused", 1), ended.log
        assert "the named volume code at /anywhere is made of" in ended.reason
        assert "scripts/staging_check.py" in ended.reason
        assert allowed.decision == ("open", "fresh", 0), allowed.log
    finally:
        for container in runner.containers(runner.app.staging):
            container.remove(force=True)
        volume.remove()


def test_nobody_is_told_to_put_a_secret_into_the_image(runner: Runner) -> None:
    """Breaks when `_instead` says of a secret what it says of code."""
    runner.app.repo.commit({"token.txt": "hush"})

    ended = gate_with(runner, "secrets: [token]", "secrets: {token: {file: ./token.txt}}")

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "has a secret from a Git work tree" in ended.reason
    assert "Copy it into the image" not in ended.reason
    assert "keep it in a file that Git does not track" in ended.reason
    runner.app.repo.git("rm", "--quiet", "--cached", "token.txt")
    runner.app.repo.git("commit", "--quiet", "--message", "Take the token out")
    followed = gate_with(runner, "secrets: [token]", "secrets: {token: {file: ./token.txt}}")
    assert followed.decision == ("open", "fresh", 0), followed.log


def test_the_owners_word_for_one_path_is_the_way_out_and_is_told(runner: Runner) -> None:
    """Breaks when `is_allowed` is not asked, or `notes` does not say that it was needed."""
    prepared(runner)
    lines, rest = "volumes: ['st:/app/static', 'code:/data']", "volumes: {st: , code: }"

    one = gate_with(runner, lines, rest, ALLOW_MOUNTS="/app/static")
    both = gate_with(runner, lines, rest, ALLOW_MOUNTS="/app/static/\n/data")

    assert one.decision == ("closed", "refused", 1), one.log
    assert "/data/seed" in one.reason
    assert "/app/static" not in one.reason
    assert both.decision == ("open", "fresh", 0), both.log
    assert "such as /app/static/a.js, as `allow-mounts` allows" in noted(both)


def test_a_promotion_looks_at_productions_own_mounts(production_here: Production) -> None:
    """I13. Breaks when `_look_at_mounts` in preflight.py does not raise, or looks at what runs, not at the candidate.

    What the base brought is told from what was built upon it without the Dockerfile, too.
    """
    production, app = production_here, production_here.app
    prepared(production.runner)
    image = production.build(FIRST)
    compose = app.repo.path / "compose.yaml"

    compose.write_text(with_mounts(app, app.production, "volumes: ['st:/app/static']", "volumes: {st: }"))
    refused = production.promote(image)
    compose.write_text(with_mounts(app, app.production, "volumes: ['/etc/localtime:/etc/localtime:ro']"))
    promoted = production.promote(image)

    assert refused.end == (1, "refused"), refused.log
    assert "/app/static/a.js" in refused.reason
    assert promoted.end == (0, "promoted"), promoted.log
    assert "at /etc/localtime: it hides no built file" in noted(promoted)
    production.assert_serves(image)


def test_a_secret_whose_file_is_not_there_is_refused_before_anything_changes(production_here: Production) -> None:
    """Fails when `_is_missing` does not look: the Engine says so when Compose is at work. The remedy leads out."""
    production, app = production_here, production_here.app
    host = production.runner.folder / "host"
    host.mkdir()
    (host / "key").write_text("hush")
    first, second = production.build(FIRST), production.build(SECOND)
    production.deploy(first)
    before = production.state()
    secrets = with_mounts(app, app.production, "secrets: [key]", "secrets: {key: {file: ./key}}")
    (app.repo.path / "compose.yaml").write_text(secrets)

    refused = production.promote(second)

    assert refused.end == (1, "refused"), refused.log
    assert f"the secret key at /run/secrets/key, whose file is not on the Docker host: {app.repo.path}/key" in (
        refused.reason
    )
    assert production.state() == before
    led_out = production.promote(second, PROJECT_DIRECTORY=str(host))
    assert led_out.end == (0, "promoted"), led_out.log
    assert production.sandbox.cli("exec", str(production.container().id), "cat", "/run/secrets/key") == "hush"


def test_the_gate_says_before_the_first_deployment_what_a_volume_in_the_image_means(runner: Runner) -> None:
    """Breaks when `unmounted_volumes` is not asked for production's service."""
    runner.app.repo.commit({"Dockerfile": dockerfile(runner, SEED, VOLUME)})

    without = runner.gate()
    path = runner.app.repo.path / "compose.yaml"
    path.write_text(with_mounts(runner.app, runner.app.production, "volumes: ['data:/data']", "volumes: {data: }"))
    with_one = runner.gate()

    assert without.decision == with_one.decision == ("open", "fresh", 0), without.log + with_one.log
    assert "VOLUME /data, but orchestrator mounts nothing there" in noted(without)
    assert "VOLUME /data" not in noted(with_one)


@pytest.mark.parametrize("order", ["stop-first", "start-first"])
def test_a_volume_that_holds_what_the_image_put_there_is_no_loss(order: str, production_here: Production) -> None:
    """Breaks when `written_volumes` does not compare the bytes."""
    production, app = production_here, production_here.app
    app.repo.write({"Dockerfile": dockerfile(production.runner, SEED, VOLUME)})
    first, second = production.build(FIRST), production.build(SECOND)
    production.deploy(first)
    variables = {}
    if order == "start-first":
        compose = app.repo.path / "compose.yaml"
        ports = f'    ports: ["127.0.0.1:{app.production_port}:8000"]\n'
        compose.write_text(compose.read_text().replace(ports, ""))
        variables = {"UPDATE_ORDER": "start-first", "PROD_PORT": "8000", "UPDATE_OVERLAP": "0"}
        variables["ADOPT"] = f"{app.project}-{app.production}-1"  # which publishes a port still

    ended = production.promote(second, **variables)

    assert ended.end == (0, "promoted"), ended.log
    assert str(production.container().attrs["Image"]) == second.id


def test_the_way_out_of_a_written_volume_leads_out(production_here: Production) -> None:
    """Follows the sentence: the volume in the file, what has to stay copied into it, the same command again."""
    production, app = production_here, production_here.app
    app.repo.write({"Dockerfile": dockerfile(production.runner, SEED, VOLUME)})
    first, second = production.build(FIRST), production.build(SECOND)
    production.deploy(first)
    production.sandbox.cli("exec", str(production.container().id), "sh", "-c", "echo mine > /data/orders")
    before = production.state()

    refused = production.promote(second)

    assert refused.end == (1, "refused"), refused.log
    assert "/data" in refused.reason
    assert production.state() == before
    commands = refused.reason.partition(f"calls {app.project}_data")[2].split("`")[1]
    type_commands(f"type: {commands}")
    compose = app.repo.path / "compose.yaml"
    compose.write_text(with_mounts(app, app.production, "volumes: ['data:/data']", "volumes: {data: }"))
    promoted = production.promote(second)
    assert promoted.end == (0, "promoted"), promoted.log
    production.assert_serves(second)
    assert production.sandbox.cli("exec", str(production.container().id), "cat", "/data/orders") == "mine"


def test_a_volume_in_the_image_with_other_bytes_than_the_new_image_is_refused(production_here: Production) -> None:
    """I13. Breaks when a path that the image declares as a volume may hide anything."""
    production, app = production_here, production_here.app
    app.repo.write({"Dockerfile": dockerfile(production.runner, SEED, VOLUME)})
    compose = app.repo.path / "compose.yaml"
    compose.write_text(with_mounts(app, app.production, "volumes: ['data:/data']", "volumes: {data: }"))
    first = production.promote(production.build(FIRST))
    app.repo.write({"Dockerfile": dockerfile(production.runner, SEED.replace("seed >", "new >"), VOLUME)})
    image = production.build(SECOND)

    second, allowed = production.promote(image), production.promote(image, ALLOW_MOUNTS="/data")

    assert first.end == (0, "promoted"), first.log
    assert second.end == (1, "refused"), second.log
    assert "/data/seed" in second.reason
    assert allowed.end == (0, "promoted"), allowed.log
