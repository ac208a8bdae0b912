"""A job of a Swarm: one task of a service that is made for it, as another service's template says."""

from collections.abc import Mapping, Sequence
from typing import Any

from freshness.core.answer import printable
from freshness.core.image import repository_of
from freshness.core.job import JOB_LABEL, JobResult
from freshness.core.manifest import Platform
from freshness.core.swarm import Service, Task
from freshness.errors import Refused

_LONGEST = 63  # characters of a service's name
_ENDED = frozenset({"complete", "failed", "rejected", "shutdown", "orphaned", "remove"})


def job_name(template: Service, token: str) -> str:
    """The name of the service that runs the job once, for the run with this token."""
    end = f"-job-{token[:8]}"
    return f"{template.name[: _LONGEST - len(end)]}{end}"


def job_spec(template: Service, image: str, token: str, platforms: Sequence[Platform]) -> dict[str, Any]:
    """The template's containers with this image, once: never restarted, published nowhere, and without HEALTHCHECK.

    A task that is unhealthy is ended, and `complete` where its process exits 0 then.
    """
    task = template.with_image(image, {}, platforms)["TaskTemplate"]
    task["ContainerSpec"] |= {"Healthcheck": {"Test": ["NONE"]}}
    task |= {"RestartPolicy": {"Condition": "none"}}
    return {
        "Name": job_name(template, token),
        "Labels": {JOB_LABEL: template.name, "freshness.run": token},
        "TaskTemplate": task,
        "Mode": {"Replicated": {"Replicas": 1}},
    }


def result_of(tasks: Sequence[Task]) -> JobResult | None:
    """How the job ended; None while it has not."""
    ended = [task for task in tasks if task.state in _ENDED]
    if not ended:
        return None
    task, why = ended[0], printable(ended[0].error)
    if task.state == "complete":
        return JobResult(status=task.status or 0)
    if task.state == "failed" and task.status:
        return JobResult(status=task.status, why=why)
    return JobResult(status=None, why=why or f"its task was {task.state}")


def pick_image(template: Service, told: Mapping[str, str], candidates: Mapping[str, str]) -> str:
    """What the settings name for the job, else the image of the service that runs the same repository.

    `candidates` are the new images by what their services ran. Raises Refused where neither tells.
    """
    repository = _repository(template.image)
    alike = [new for ran, new in candidates.items() if repository in {_repository(ran), _repository(new)}]
    found = told.get(template.name) or told.get(template.short_name) or next(iter(alike), None)
    if found is None:
        raise Refused(
            f"the job {template.name} runs {template.image}, whose repository no service of this promotion runs.",
            "Give it the image of the service whose code it runs, or name its own in `source-images`.",
        )
    return found


def _repository(image: str) -> str:
    return repository_of(image.partition("@")[0])
