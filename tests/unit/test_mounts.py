"""What a service mounts, read as `docker compose config --format json` prints it, and which paths its process names."""

from typing import Any

import pytest

from freshness.core.mounts import Kind, Mount, Process, covers, mounts_of, named_paths, normal, process_of, programs

Config = dict[str, Any]


def mounts(service: Config, **rest: Any) -> tuple[Mount, ...]:
    return mounts_of({"name": "shop", "services": {"web": service}, **rest}, "web")


def only(service: Config, **rest: Any) -> Mount:
    (mount,) = mounts(service, **rest)
    return mount


@pytest.mark.parametrize(
    ("service", "rest", "expected"),
    [
        (
            {"volumes": [{"type": "bind", "source": "/srv/x", "target": "/app"}]},
            {},
            Mount(kind=Kind.BIND, target="/app", source="/srv/x", path="/srv/x"),
        ),
        (
            {"volumes": [{"type": "volume", "source": "v", "target": "/data/"}]},
            {"volumes": {"v": {"name": "shop_v"}}},
            Mount(kind=Kind.VOLUME, target="/data", source="v", volume="shop_v", is_filled=True),
        ),
        (
            {"volumes": [{"type": "volume", "source": "v", "target": "/data", "volume": {"nocopy": True}}]},
            {"volumes": {"v": None}},
            Mount(kind=Kind.VOLUME, target="/data", source="v", volume="shop_v"),
        ),
        (
            {"volumes": [{"type": "volume", "source": "v", "target": "/app"}]},
            {"volumes": {"v": {"name": "shop_v", "driver_opts": {"type": "none", "o": "bind", "device": "/srv/x"}}}},
            Mount(kind=Kind.VOLUME, target="/app", source="v", path="/srv/x", volume="shop_v", is_filled=True),
        ),
        (
            {"volumes": [{"type": "volume", "source": "v", "target": "/run/x"}]},
            {"volumes": {"v": {"name": "shop_v", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}}}},
            Mount(kind=Kind.VOLUME, target="/run/x", source="v", volume="shop_v", is_filled=True),
        ),
        (
            {"volumes": [{"type": "volume", "target": "/app/../data"}]},
            {},
            Mount(kind=Kind.ANONYMOUS, target="/data", is_filled=True),
        ),
        ({"volumes": [{"type": "tmpfs", "target": "/run"}]}, {}, Mount(kind=Kind.TMPFS, target="/run")),
        ({"tmpfs": ["/run:size=64m"]}, {}, Mount(kind=Kind.TMPFS, target="/run")),
        ({"tmpfs": "/run"}, {}, Mount(kind=Kind.TMPFS, target="/run")),
        (
            {"volumes": [{"type": "image", "source": "other:1", "target": "/app"}]},
            {},
            Mount(kind=Kind.OTHER, target="/app", source="other:1"),
        ),
        (
            {"configs": [{"source": "c"}]},
            {"configs": {"c": {"file": "/srv/c"}}},
            Mount(kind=Kind.CONFIG, target="/c", source="c", path="/srv/c"),
        ),
        (
            {"configs": [{"source": "c", "target": "/etc/app.ini"}]},
            {"configs": {"c": {"content": "text"}}},
            Mount(kind=Kind.CONFIG, target="/etc/app.ini", source="c"),
        ),
        (
            {"secrets": [{"source": "s"}]},
            {"secrets": {"s": {"file": "/srv/s"}}},
            Mount(kind=Kind.SECRET, target="/run/secrets/s", source="s", path="/srv/s"),
        ),
        (
            {"secrets": [{"source": "s", "target": "token"}]},
            {"secrets": {"s": {"environment": "TOKEN"}}},
            Mount(kind=Kind.SECRET, target="/run/secrets/token", source="s"),
        ),
        (
            {"secrets": [{"source": "s", "target": "/app/server.py"}]},
            {"secrets": {"s": {"file": "/srv/s"}}},
            Mount(kind=Kind.SECRET, target="/app/server.py", source="s", path="/srv/s"),
        ),
        ({"configs": ["c"]}, {}, Mount(kind=Kind.CONFIG, target="/c", source="c")),
    ],
)
def test_a_mount_is_read_as_docker_makes_it(service: Config, rest: Config, expected: Mount) -> None:
    """I13. Breaks when `mounts_of` no longer reads that kind of mount, or takes another target for it."""
    assert only(service, **rest) == expected


def test_every_mount_of_the_service_counts() -> None:
    service = {
        "volumes": [{"type": "bind", "source": "/x", "target": "/1"}, {"type": "volume", "target": "/2"}],
        "tmpfs": ["/3"],
        "configs": [{"source": "4"}],
        "secrets": [{"source": "5"}],
    }

    assert [mount.target for mount in mounts(service)] == ["/1", "/2", "/3", "/4", "/run/secrets/5"]
    assert mounts({"volumes": None, "configs": None, "secrets": None, "tmpfs": None}) == ()


@pytest.mark.parametrize(
    ("target", "path", "expected"),
    [
        ("/app", "/app", True),
        ("/app", "/app/server.py", True),
        ("/", "/app", True),
        ("/app/data", "/app", False),
        ("/ap", "/app", False),
        ("/app-of-others", "/app", False),
    ],
)
def test_a_mount_covers_what_it_is_and_what_is_below_it(target: str, path: str, *, expected: bool) -> None:
    """Breaks when paths are compared as text."""
    assert covers(target, path) is expected


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("python3", "-u", "server.py"), "/app/server.py"),
        (("./bin/run",), "/app/bin/run"),
        (("sh", "-c", "exec python3 /code/app.py --port 80"), "/code/app.py"),
        (("/entrypoint.sh", "serve"), "/entrypoint.sh"),
        (("app", "--module=/code/app.py"), "/code/app.py"),
        (("sh", "-c", "echo 'open; /code/run"), "/code/run"),
        (("python3", "../other/app.py"), "/other/app.py"),
    ],
)
def test_entrypoint_and_command_name_paths(words: tuple[str, ...], named: str) -> None:
    """I13. Breaks when `named_paths` no longer takes that word apart, or forgets the working directory."""
    assert named in named_paths(Process(words=words, folder="/app"))


def test_options_and_nothing_name_no_path() -> None:
    assert named_paths(Process(words=("-u", "--port=80"), folder="/app")) == ()
    assert named_paths(Process()) == ()


def test_a_program_is_looked_for_in_the_search_path() -> None:
    process = Process(words=("python3", "-u", "/app/x"), folder="/app", search=("/usr/local/bin", "/usr/bin"))

    assert programs(process, lambda _: False) == ("/usr/local/bin/python3", "/usr/bin/python3")


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("/usr/local/bin/run", ("/app/bin/run", "/usr/local/bin/run")),
        ("/app/bin/run", ("/app/bin/run",)),
        ("/usr/bin/run", ("/app/bin/run", "/usr/local/bin/run", "/usr/bin/run")),
    ],
)
def test_where_a_program_is_looked_for_first_counts_too(there: str, expected: tuple[str, ...]) -> None:
    """I13. Fails when `programs` gives only where the image has it: what is mounted in a folder before it starts."""
    process = Process(words=("run",), folder="/app", search=("bin", "/usr/local/bin", "/usr/bin"))

    assert programs(process, lambda path: path == there) == expected


def test_the_search_path_of_the_compose_file_counts() -> None:
    """I13. Fails when `process_of` takes the image's PATH alone."""
    image = Process(words=("run",), search=("/usr/bin",))

    assert process_of(image, {"environment": {"PATH": "/code:/usr/bin"}}).search == ("/code", "/usr/bin")
    assert process_of(image, {"environment": {"HOME": "/root"}}).search == ("/usr/bin",)


def test_what_the_compose_file_says_of_the_process_counts_beside_the_image() -> None:
    """Breaks when `process_of` forgets one of them: a forgotten word is a path that a mount may cover."""
    image = Process(words=("python3", "server.py"), folder="/app", search=("/bin",))
    changed = process_of(image, {"entrypoint": ["/run.sh"], "command": "serve", "working_dir": "/srv"})

    assert changed == Process(words=("/run.sh", "serve", "python3", "server.py"), folder="/srv", search=("/bin",))
    assert process_of(image, {"entrypoint": None, "command": None}) == image


@pytest.mark.parametrize(
    ("target", "expected"), [("/run", True), ("/run/app", True), ("/app", False), ("/runner", False)]
)
def test_a_tmpfs_is_scratch_where_nothing_may_rely_on_files(target: str, *, expected: bool) -> None:
    assert Mount(kind=Kind.TMPFS, target=target).is_scratch is expected
    assert not Mount(kind=Kind.BIND, target=target).is_scratch


def test_only_an_anonymous_volume_that_docker_fills_is_renewed() -> None:
    assert Mount(kind=Kind.ANONYMOUS, target="/x", is_filled=True).is_renewed
    assert not Mount(kind=Kind.ANONYMOUS, target="/x").is_renewed
    assert not Mount(kind=Kind.VOLUME, target="/x", is_filled=True).is_renewed


@pytest.mark.parametrize(("path", "expected"), [("//a//b/", "/a/b"), ("a", "/a"), ("/", "/"), ("/a/../../b", "/b")])
def test_a_path_is_made_plain(path: str, expected: str) -> None:
    assert normal(path) == expected
