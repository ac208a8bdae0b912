"""Which services of an application are recreated before which."""

import pytest

from freshness.core.levels import order_by_need


def ordered(needs: dict[str, list[str]], *services: str) -> tuple[tuple[str, ...], ...]:
    config = {"services": {name: {"depends_on": dict.fromkeys(of)} for name, of in needs.items()}}
    return order_by_need(config, services)


@pytest.mark.parametrize(
    ("needs", "services", "levels"),
    [
        ({"web": []}, ("web",), (("web",),)),
        ({"web": [], "worker": []}, ("worker", "web"), (("worker", "web"),)),
        ({"web": ["api"], "api": ["db"], "db": []}, ("web", "api"), (("api",), ("web",))),
        ({"web": ["proxy"], "proxy": ["api"], "api": []}, ("web", "api"), (("api",), ("web",))),
        ({"a": ["b", "c"], "b": ["c"], "c": []}, ("a", "b", "c"), (("c",), ("b",), ("a",))),
        ({"web": ["db"], "db": [], "worker": ["db"]}, ("web", "worker"), (("web", "worker"),)),
        ({"web": ["gone"]}, ("web",), (("web",),)),
    ],
)
def test_what_another_one_needs_is_recreated_before_it(
    needs: dict[str, list[str]], services: tuple[str, ...], levels: tuple[tuple[str, ...], ...]
) -> None:
    """Fails when a need by way of a service that is not ours is left out."""
    assert ordered(needs, *services) == levels
