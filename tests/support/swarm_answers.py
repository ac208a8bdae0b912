"""What a manager answers, as docker-py hands it on: a service of three replicas, its tasks and its nodes."""

from typing import Any

from freshness.core.swarm import Node, Service, Task

OLD, NEW, OTHER = (f"registry.example/shop@sha256:{digit * 64}" for digit in "abc")
COMMIT, BEFORE = "c" * 40, "b" * 40
RUN = "1" * 32


def a_service(
    image: str = NEW,
    *,
    state: str = "",
    labels: dict[str, str] | None = None,
    before: str = "",
    message: str = "",
    **spec: Any,
) -> Service:
    found: dict[str, Any] = {
        "ID": "id-of-shop",
        "Version": {"Index": 7},
        "UpdatedAt": "2026-11-29T08:00:00Z",
        "Spec": {
            "Name": "shop",
            "Labels": {"freshness.run": RUN, "team": "web"} if labels is None else labels,
            "TaskTemplate": {"ContainerSpec": {"Image": image, "Env": ["A=1"]}, "Runtime": "container"},
            "Mode": {"Replicated": {"Replicas": 3}},
            **spec,
        },
    }
    if state:
        found["UpdateStatus"] = {"State": state, "Message": message}
    if before:
        found["PreviousSpec"] = {"Labels": {"freshness.by": "ada", "team": "old"},
                                 "TaskTemplate": {"ContainerSpec": {"Image": before}}}  # fmt: skip
    return Service.read(found)


def a_task(slot: int, image: str = NEW, state: str = "running", *, wanted: str = "running", **how: Any) -> Task:
    """Of the node of the slot's number."""
    status: dict[str, Any] = {"State": state, "Timestamp": how.get("since", "2026-11-29T08:00:00Z")}
    if "error" in how:
        status["Err"] = how["error"]
    if "status" in how:
        status["ContainerStatus"] = {"ExitCode": how["status"]}
    return Task.read(
        {
            "ID": how.get("id", f"task-{slot}-{state}"),
            "Slot": slot,
            "DesiredState": wanted,
            "Status": status,
            "Spec": {"ContainerSpec": {"Image": image}},
            "NodeID": f"id-of-node{slot}",
        }
    )


def nodes(*down: int) -> list[Node]:
    """Three, of which these do not answer."""
    return [
        Node.read(
            {
                "ID": f"id-of-node{number}",
                "Status": {"State": "down" if number in down else "ready"},
                "Description": {"Hostname": f"node{number}"},
            }
        )
        for number in (1, 2, 3)
    ]


ALL = [a_task(1), a_task(2), a_task(3)]
