"""Reads a Compose project as `docker compose config --format json` prints it: may our service be touched?"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.core.discreet import Discreet
from freshness.core.image import is_image_name, repository_of, same_tag
from freshness.core.pair import find_pair_problems
from freshness.core.published import Published, in_ranges, published_by_service

Service = Mapping[str, Any]


class Target(Discreet, frozen=True, kw_only=True):
    """A Compose service that runs an image: where its tag, its container and its port are.

    `image` is the tag that Compose runs. `address` is where the port is published on the Docker host, such as
    `127.0.0.1`, and empty where none is published; then `port` is the one inside as well, 0 where nobody says it. A
    published one is 0 as long as Docker has not chosen it.
    `container_port` is what the service listens on inside. `needs` are the services it depends on, and `healthcheck`
    and `environment` are what the Compose file says of it. `ports` are all that it publishes, `contents` the configs
    and secrets whose content Compose does not compare, `missing_env_files` the optional ones that are not there.
    `replicas` is how many containers it has.
    """

    unshown: ClassVar = ("environment",)
    project: str
    service: str
    image: str
    container: str
    address: str
    port: int
    container_port: int
    needs: tuple[str, ...] = ()
    healthcheck: Mapping[str, Any] | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    ports: tuple[Published, ...] = ()
    contents: tuple[str, ...] = ()
    missing_env_files: tuple[str, ...] = ()
    replicas: int = 1

    @property
    def is_published(self) -> bool:
        """Whether the port is one of the Docker host, and not only of the service's networks."""
        return bool(self.address)

    @property
    def place(self) -> str:
        """Where it is asked, in words."""
        if self.is_published:
            return f"on port {self.port}" if self.port else f"on a free port of {self.address}"
        return f"publishing no port, on {self.port} inside" if self.port else "publishing no port"

    @property
    def repository(self) -> str:
        """The image's name without its tag."""
        return repository_of(self.image)


class Wanted(Struct, frozen=True, kw_only=True):
    """What the settings say of the service. `prod_port` is what it must not publish on; None for production itself.

    `port` is the usual one unless `is_port_given`; of a service that publishes nothing it is the one inside.
    `asks_path`: health is asked by HTTP at a path that somebody gave. `in_pairs`: it changes while two of its
    containers run, and publishes nothing. `accepted` are services that are run to their end before. `together` are the
    application's services and jobs: they change in one run, and may share an image. `is_thrown_away`: one container
    of it is started with what it depends on, in a project of the run's own.
    """

    service: str
    port: int
    is_port_given: bool = True
    asks_path: bool = False
    image: str | None = None
    container: str | None = None
    prod_port: int | None = None
    in_pairs: bool = False
    accepted: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    is_thrown_away: bool = False


def find_problems(config: Mapping[str, Any], wanted: Wanted) -> tuple[str, ...]:
    """Every reason not to touch the service, each one sentence with its remedy; empty where there is none."""
    services: Mapping[str, Service] = config.get("services") or {}
    missing = why_missing(config, wanted.service)
    if missing:
        return (f"{missing} Set `service` to one of them.",)
    ours = services[wanted.service]
    return (
        *_port_problems(ours, wanted),
        *_network_problems(ours, wanted),
        *_image_problems(config, ours, wanted),
        *_dependency_problems(services, wanted),
        *_sharing_problems(config, services, wanted),
        *_mount_problems(ours, wanted),
    )


def why_missing(config: Mapping[str, Any], service: str) -> str | None:
    """In words that the Compose file has no such service, or None where it has."""
    services = config.get("services") or {}
    names = ", ".join(sorted(services)) or "none"
    return None if service in services else f"The Compose file has no service {service!r} (it has: {names})."


def read_target(config: Mapping[str, Any], wanted: Wanted) -> Target:
    """The service as a Target; only for a config in which `find_problems` found none."""
    ours: Service = config["services"][wanted.service]
    chosen = chosen_port(ours, wanted)
    published = () if wanted.in_pairs else _published(ours)
    mine = ((address, inside) for port, address, inside in published if port == chosen)
    address, container_port = next(mine, ("", chosen))
    return Target(
        project=config["name"],
        service=wanted.service,
        image=image_of(config, wanted.service),
        container=container_of(config, wanted.service),
        address=address,
        port=chosen,
        container_port=container_port,
        needs=tuple(ours.get("depends_on") or ()),
        healthcheck=ours.get("healthcheck"),
        environment=ours.get("environment") or {},
        ports=published_by_service(ours),
        contents=tuple(_contents(config, ours)),
        replicas=1 if wanted.is_thrown_away else replicas_of(ours),
    )


def replicas_of(service: Service) -> int:
    """How many containers Compose makes of it: `deploy: replicas:`, else `scale:`, else one."""
    replicas: int | None = (service.get("deploy") or {}).get("replicas", service.get("scale"))
    return 1 if replicas is None else replicas


def _contents(config: Mapping[str, Any], ours: Service) -> Iterator[str]:
    """The configs and secrets whose content is not part of what Compose compares."""
    for kind in ("config", "secret"):
        for used in ours.get(f"{kind}s") or ():
            if not ((config.get(f"{kind}s") or {}).get(used.get("source")) or {}).get("external"):
                yield f"the {kind} {used.get('source')}"


def image_of(config: Mapping[str, Any], service: str) -> str:
    """The tag that Compose runs for the service: its `image:`, else `<project>-<service>`."""
    image: str | None = config["services"][service].get("image")
    return image or f"{config['name']}-{service}"


def container_of(config: Mapping[str, Any], service: str) -> str:
    """The name that Compose gives the service's only container."""
    name: str | None = config["services"][service].get("container_name")
    return name or f"{config['name']}-{service}-1"


def published_ports(config: Mapping[str, Any], service: str) -> tuple[int, ...]:
    """The TCP ports of the host that the service publishes, in the file's order."""
    return tuple(port for port, _, _ in _published(config["services"][service]))


def chosen_port(ours: Service, wanted: Wanted) -> int:
    """The port that was given, else the usual one where it is published, else the only one; 0 where nobody says it."""
    ports = tuple(dict.fromkeys(port for port, _, _ in _published(ours)))
    if wanted.is_port_given or (wanted.in_pairs and wanted.port) or wanted.port in ports:
        return wanted.port
    if ports:
        return ports[0] if len(ports) == 1 else 0
    exposed = {str(port).removesuffix("/tcp") for port in ours.get("expose") or ()}
    exposed |= {str(port["target"]) for port in ours.get("ports") or () if port.get("protocol", "tcp") == "tcp"}
    only = exposed.pop() if len(exposed) == 1 else ""
    return int(only) if only.isdecimal() else 0


def publishers_of(config: Mapping[str, Any], port: int) -> tuple[str, ...]:
    """The services that publish this port on the Docker host."""
    services: Mapping[str, Service] = config.get("services") or {}
    return tuple(name for name, service in services.items() if port in {one for one, _, _ in _published(service)})


def _published(service: Service) -> Iterator[tuple[int, str, int]]:
    """Each published TCP port as (port on the host, address, port in the container); ranges are written out."""
    for port in service.get("ports") or ():
        if port.get("protocol", "tcp") != "tcp" or not port.get("published"):
            continue
        first, _, last = str(port["published"]).partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield number, port.get("host_ip") or "0.0.0.0", int(port["target"])  # noqa: S104 - read, not bound


def _port_problems(ours: Service, wanted: Wanted) -> Iterator[str]:
    if wanted.in_pairs:
        yield from find_pair_problems(wanted.service, ours, wanted.container)
        return
    ports, chosen = {port for port, _, _ in _published(ours)}, chosen_port(ours, wanted)
    yield from _range_problems(ours, replace(wanted, port=chosen))
    if ports and chosen not in ports:
        has = in_ranges(ports)
        yield (
            f"The service {wanted.service!r} publishes {has}, not {chosen or wanted.port}."
            f" Set `port` to one that it publishes, or publish another in the Compose file, on this host only:"
            f" `127.0.0.1:{chosen or wanted.port}:PORT_INSIDE`."
        )
    if not ports and not chosen and wanted.asks_path:
        yield (
            f"The service {wanted.service!r} publishes no port, and `health-path` is set, but its port inside is"
            " unknown. Set `port` to the one inside the container, or give the service one port in `expose:`."
        )
    if wanted.prod_port in ports:
        yield (
            f"The service {wanted.service!r} publishes {wanted.prod_port}, production's port (`prod-port`). Staging"
            " must never answer there: publish it on another port."
        )


def _range_problems(ours: Service, wanted: Wanted) -> Iterator[str]:
    """Several ports for one inside are Docker's choice; a range for a range comes from Compose as single ports."""
    for port in ours.get("ports") or ():
        alone = {"ports": [port]}
        if "-" in str(port.get("published")) and wanted.port in {number for number, _, _ in _published(alone)}:
            yield (
                f"The service {wanted.service!r} publishes `{port['published']}:{port['target']}`: Docker picks any"
                f" free port of that range, so the health check might probe the wrong one. Publish {wanted.port}"
                " only, or map the range to one of the same length."
            )


def _network_problems(ours: Service, wanted: Wanted) -> Iterator[str]:
    if ours.get("network_mode", "bridge") not in {"bridge", "default"}:
        yield (
            f"The service {wanted.service!r} has `network_mode: {ours['network_mode']}`, which publishes no ports."
            " Use a bridge network, Compose's default."
        )


def _image_problems(config: Mapping[str, Any], ours: Service, wanted: Wanted) -> Iterator[str]:
    image, container = image_of(config, wanted.service), container_of(config, wanted.service)
    if "@" in image:
        yield (
            f"The service {wanted.service!r} runs {image!r}, a digest, which no tag can move. Set `image:` to a"
            " plain name."
        )
    elif not is_image_name(image):
        yield (
            f"The service {wanted.service!r} runs {image!r}, which Docker does not accept as an image name. Use a"
            " lower-case name, such as host:5000/team/app:tag."
        )
    elif wanted.image and not same_tag(wanted.image, image):
        yield (
            f"The setting `image` says {wanted.image!r}, but Compose runs {image!r}."
            " Correct one of them, or leave `image` empty."
        )
    if wanted.container and wanted.container != container and not wanted.in_pairs:
        yield (
            f"The setting `container` says {wanted.container!r}, but Compose names it {container!r}."
            " Correct one of them, or leave `container` empty."
        )
    if not wanted.is_thrown_away:
        yield from _replica_problems(ours, wanted)


def _replica_problems(ours: Service, wanted: Wanted) -> Iterator[str]:
    replicas = replicas_of(ours)
    if replicas < 1:
        yield f"The service {wanted.service!r} has {replicas} replicas: nothing would prove it. Set it to 1 or more."
    if replicas > 1:
        shared = [f"publishes {in_ranges({port for port, _, _ in _published(ours)})}"] if ours.get("ports") else []
        shared += [f"has `container_name: {ours['container_name']}`"] if ours.get("container_name") else []
        if shared:
            yield (
                f"The service {wanted.service!r} has {replicas} replicas and {' and '.join(shared)}, which they cannot"
                " share. Let a proxy in its network publish the port, or set it to 1."
            )


def _dependency_problems(services: Mapping[str, Service], wanted: Wanted) -> Iterator[str]:
    """What has to end well before ours starts is never run here: a migration would be left out unseen."""
    for name, way in _ending_needs(services, wanted).items():
        by = f" by way of {' and '.join(map(repr, way))}" if way else ""
        yield (
            f"The service {wanted.service!r} waits{by} for {name!r} to finish (`service_completed_successfully`), but"
            f" nothing runs it here. Let it run first as a job (`[jobs.{name}]` in the settings file). Or run it in a"
            f" step of its own, such as `docker compose run --rm {name}`, and set `accept-dependencies: {name}`."
        )


def _ending_needs(services: Mapping[str, Service], wanted: Wanted) -> dict[str, tuple[str, ...]]:
    """What has to end before, each with the services in between: those that nobody named, and jobs."""
    found: dict[str, tuple[str, ...]] = {}
    if wanted.is_thrown_away:
        return found
    seen = {wanted.service}
    left: list[tuple[str, tuple[str, ...]]] = [(wanted.service, ())]
    while left:
        name, way = left.pop(0)
        for need, how in sorted((services.get(name, {}).get("depends_on") or {}).items()):
            is_job = need in wanted.together & wanted.accepted
            if how.get("condition") == "service_completed_successfully" and need not in wanted.accepted:
                found.setdefault(need, way)
            if need not in seen and (is_job or need not in wanted.together | wanted.accepted):
                seen.add(need)
                left.append((need, (*way, need)))
    return found


def _sharing_problems(config: Mapping[str, Any], services: Mapping[str, Service], wanted: Wanted) -> Iterator[str]:
    ports = {port for port, _, _ in _published(services[wanted.service])}
    image, container = image_of(config, wanted.service), container_of(config, wanted.service)
    for name, other in services.items():
        if name == wanted.service:
            continue
        shared = [f"port {port}" for port in sorted(ports & {port for port, _, _ in _published(other)})]
        if name not in wanted.together and same_tag(image, image_of(config, name)):
            shared.append(f"image {image}")
        if container == container_of(config, name):
            shared.append(f"container name {container}")
        if shared:
            yield (
                f"The services {wanted.service!r} and {name!r} share {' and '.join(shared)}: changing one"
                " would change the other. Give each its own"
                + (
                    f", or name {name!r} in `service` too, or as a job (`[jobs.{name}]`)."
                    if shared == [f"image {image}"]
                    else "."
                )
            )


def _mount_problems(ours: Service, wanted: Wanted) -> Iterator[str]:
    if ours.get("volumes_from"):
        yield (
            f"The service {wanted.service!r} uses the volumes of another container (`volumes_from`), which could"
            " hide files of the image. List each volume in the service itself."
        )
    for target in (volume["target"] for volume in ours.get("volumes") or ()):
        if not target.startswith("/"):
            yield (
                f"The service {wanted.service!r} mounts something at {target!r}, which is no absolute path. Where a"
                " volume's name is a single letter, Compose takes it for a Windows drive: give it a longer name."
            )
