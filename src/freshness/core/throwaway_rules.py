"""Why a project cannot be thrown away safely, and what of it is replaced: no gate may write production's data."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from freshness.core.mounts import covers
from freshness.core.reach import names_of, stores_of
from freshness.core.throwaway import Service, Source, Sources, joined, source_of

_OF_HOST = ("/run", "/var/run", "/dev")
"""Where sockets lie: a program that is reached through one writes, whether or not the mount can be written to."""
_KEPT = frozenset(
    {
        "attach", "blkio_config", "cap_add", "cap_drop", "cgroup_parent", "command", "configs", "cpu_count",
        "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpus", "cpuset",
        "credential_spec", "depends_on", "deploy", "device_cgroup_rules", "dns", "dns_opt", "dns_search", "domainname",
        "entrypoint", "env_file", "environment", "expose", "extra_hosts", "gpus", "group_add", "healthcheck",
        "hostname", "image", "init", "isolation", "labels", "links", "mem_limit", "mem_reservation", "mem_swappiness",
        "memswap_limit", "networks", "oom_kill_disable", "oom_score_adj", "pids_limit", "platform", "ports",
        "post_start", "pre_stop", "pull_policy", "pull_refresh_after", "read_only", "restart", "runtime", "secrets",
        "security_opt", "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "storage_opt", "sysctls",
        "tmpfs", "tty", "ulimits", "user", "userns_mode", "volumes", "working_dir",
        "annotations", "build", "container_name", "develop", "label_file", "logging", "mac_address", "profiles",
        "scale",
    }
)  # fmt: skip
_NAMESPACES = ("network_mode", "pid", "ipc", "uts", "cgroup")
_PLAIN = frozenset({"bridge", "default", "none", "private", "shareable"})
_LEAVE_OUT = "leave the service out (`accept-dependencies`)"


def find_throwaway_problems(
    config: Mapping[str, Any],
    services: Sequence[str],
    built: Collection[str],
    sources: Sources,
    meant: Collection[str],
) -> Iterator[str]:
    """Each as a sentence with its remedy. `services` are all that are started, `built` those that this run builds.

    `meant` are values that were given for this run: a host that stands in one may be worked on.
    """
    hosts = {host for name in services for host in names_of(config["services"][name], name)}
    for name in services:
        ours: Service = config["services"][name]
        yield from _build_problems(name, ours, built)
        yield from _key_problems(name, ours, services)
        for volume in ours.get("volumes") or ():
            yield from _volume_problems(name, volume, sources)
        linked = {link.rpartition(":")[2] for link in ours.get("links") or ()}
        for variable, host in stores_of(ours):
            if host not in hosts | linked and not any(host in value for value in meant):
                yield (
                    f"The service {name!r} has {variable}, which leads to {host}: what it writes there is not thrown"
                    f" away. Give this gate a value of its own in `compose-env`, or let {host} be a service of the"
                    " Compose file."
                )


def find_replaced(config: Mapping[str, Any], services: Sequence[str], sources: Sources) -> Iterator[str]:
    """What is not as in the Compose files, in words."""
    for name in services:
        ours = config["services"][name]
        replicas = (ours.get("deploy") or {}).get("replicas", ours.get("scale", 1))
        if replicas != 1:
            yield f"{name} runs once here, and not {replicas} times"
        for volume in ours.get("volumes") or ():
            if volume.get("type") == "bind" and not volume.get("read_only"):
                is_file = sources.get(source_of(volume)) in {Source.FILE, Source.TRACKED}
                how = "can only be read" if is_file else "begins empty"
                yield f"{name} has {volume['source']} at {volume['target']}, which {how} here"
    external = [key for key, one in (config.get("networks") or {}).items() if (one or {}).get("external")]
    used = {key for name in services for key in config["services"][name].get("networks") or ()}
    for key in sorted(used.intersection(external)):
        yield f"the external network {key} is a new one here, with these services alone in it"


def _build_problems(name: str, ours: Service, built: Collection[str]) -> Iterator[str]:
    if ours.get("build") and name not in built:
        yield (
            f"The service {name!r} is needed and has a `build:`, but is not named: it would run another commit's image."
            f" Name {name!r} in `service` too, or as a job (`[jobs.{name}]`); or {_LEAVE_OUT}."
        )


def _key_problems(name: str, ours: Service, services: Collection[str]) -> Iterator[str]:
    for key in _NAMESPACES:
        said = str(ours.get(key) or "")
        if said and said not in _PLAIN and said.removeprefix("service:") not in services:
            yield f"The service {name!r} has `{key}: {said}`, which leaves its project. Take it out, or {_LEAVE_OUT}."
    known = {*_KEPT, *_NAMESPACES}
    for key in sorted(set(ours) - known):
        if ours[key] and not key.startswith("x-"):
            yield (
                f"The service {name!r} has `{key}:`, with which it may reach what is not thrown away. Take it out for"
                f" the gate, in a Compose file of its own (`{key}: !reset null`), or {_LEAVE_OUT}."
            )
    for need in joined(ours):
        if need not in services:
            yield f"The service {name!r} is joined to {need!r}, which is left out. Do not leave it out."


def _volume_problems(name: str, volume: Mapping[str, Any], sources: Sources) -> Iterator[str]:
    kind, target = volume.get("type"), volume["target"]
    if kind in {"volume", "tmpfs", "image"}:
        return
    if kind != "bind":
        yield f"The service {name!r} has a mount of type {kind!r} at {target}. Use a named volume, or {_LEAVE_OUT}."
        return
    path = source_of(volume)
    is_host = any(covers(folder, path) or covers(path, folder) for folder in _OF_HOST) or path.endswith(".sock")
    if is_host or sources.get(path) is Source.SPECIAL:
        yield (
            f"The service {name!r} mounts {path}, through which it may reach what is not thrown away."
            f" Take the mount out for the gate, in a Compose file of its own, or {_LEAVE_OUT}."
        )
    elif sources.get(path) is Source.UNSEEN and not volume.get("read_only"):
        yield (
            f"The service {name!r} mounts {path} to write to it, and whether files or data lie there cannot be seen"
            " from here. Mount it read-only (`:ro`), or use a named volume."
        )
