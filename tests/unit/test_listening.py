"""What the kernel's table says of a container's ports, and what a person is told of it."""

import pytest

from freshness.core.listening import Listener, explain_no_listener, read_listeners

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7316370 1 0000 100 0 0 10 0\n"
V6 = "00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0 0 10 0\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"   0: 00000000:1F40 {REST}", Listener(port=8000, is_private=False)),
        (f"   0: 0100007F:1F40 {REST}", Listener(port=8000, is_private=True)),
        (f"   0: 0502007F:0050 {REST}", Listener(port=80, is_private=True)),
        (f"   0: 020011AC:0BB8 {REST}", Listener(port=3000, is_private=False)),
        (f"   0: 00000000000000000000000000000000:1F40 {V6}", Listener(port=8000, is_private=False)),
        (f"   0: 00000000000000000000000001000000:1F40 {V6}", Listener(port=8000, is_private=True)),
        (f"   0: 0000000000000000FFFF00000100007F:1F40 {V6}", Listener(port=8000, is_private=True)),
    ],
)
def test_a_line_of_the_table_is_a_listener(line: str, found: Listener) -> None:
    """Fails when `_read_line` reads the address in another order, or takes an address of loopback for a public one."""
    assert read_listeners(HEAD + line) == {found}


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        f"   0: 0B00007F:A1B2 {REST}",
        f"   0: 00000000:1F40 {REST}".replace(" 0A ", " 01 "),
        "cat: /proc/net/tcp6: No such file or directory\n",
        f"   0: zz000000:1F40 {REST}",
        f"   0: 000000:1F40 {REST}",
        f"   0: 00000000:1F40:1 {REST}",
        "   0: 00000000",
    ],
)
def test_all_else_is_none(text: str) -> None:
    """Fails when Docker's own name server counts, or foreign text raises."""
    assert read_listeners(text) == frozenset()


PRIVATE, PUBLIC = Listener(port=8000, is_private=True), Listener(port=8000, is_private=False)
OTHER = Listener(port=3000, is_private=True)


@pytest.mark.parametrize(
    ("listeners", "words"),
    [
        ((), "nothing listens on any port inside the container"),
        ((PRIVATE, OTHER), "make the service listen on 0.0.0.0"),
        ((OTHER,), "nothing listens on port 8000 inside the container, only on 3000: correct the Compose file"),
        ((OTHER, Listener(port=99, is_private=False)), "only on 99, 3000"),
    ],
)
def test_it_is_told_why_nobody_answers(listeners: tuple[Listener, ...], words: str) -> None:
    assert words in (explain_no_listener(listeners, 8000) or "")


def test_where_something_listens_there_is_another_reason() -> None:
    """Fails when a second listener on loopback hides the one that serves everybody."""
    assert explain_no_listener((PUBLIC, PRIVATE), 8000) is None
