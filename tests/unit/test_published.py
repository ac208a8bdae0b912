"""Where a service and its container are published: both are read alike."""

import pytest

from freshness.core.published import in_ranges, in_words, meet_all, published_by_container, published_by_service


@pytest.mark.parametrize(
    ("port", "bindings", "words"),
    [
        ({"target": 80, "published": "85", "host_ip": "127.0.0.1"}, {"80/tcp": [("127.0.0.1", "85")]}, "127.0.0.1:85"),
        ({"target": 80, "published": "8501"}, {"80/tcp": [("", "8501")]}, "0.0.0.0:8501"),
        ({"target": 80, "published": "8501", "host_ip": "::"}, {"80/tcp": [("::", "8501")]}, "0.0.0.0:8501"),
        ({"target": 53, "published": "8501", "protocol": "udp"}, {"53/udp": [("", "8501")]}, "0.0.0.0:8501/udp"),
        ({"target": 80, "published": "8501-8502"}, {"80/tcp": [("", "8501-8502")]}, "0.0.0.0:8501 and 0.0.0.0:8502"),
        ({"target": 80}, {"80/tcp": [("", "")]}, "no port"),
        ({"target": 80, "published": "0"}, {"80/tcp": None}, "no port"),
    ],
)  # fmt: skip
def test_compose_and_the_engine_say_the_same(
    port: dict[str, object], bindings: dict[str, list[tuple[str, str]] | None], words: str
) -> None:
    """Measured with Compose 2.26 and Engine 20.10."""
    engine = {
        inside: [{"HostIp": ip, "HostPort": number} for ip, number in places] if places else places
        for inside, places in bindings.items()
    }

    service, container = published_by_service({"ports": [port]}), published_by_container(engine)

    assert service == container
    assert in_words(service) == words
    assert meet_all(service, container)


def test_neighbours_are_told_as_one_range() -> None:
    assert in_ranges((8500, 80, *range(8501, 8510), 443)) == "80, 443, 8500-8509"
