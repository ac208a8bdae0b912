"""Staging and production are two projects with files of their own and one image repository: the usual two folders."""

from tests.support.promotions import Production
from tests.support.runner import Ended


def two_files(production: Production) -> dict[str, str]:
    """The variables of production's runs, with the same service name as staging's, which the gate's are set to."""
    app, name = production.app, production.sandbox.name
    ports = {"staging": app.staging_port, "live": app.production_port}
    for role, port in ports.items():
        service = f"{{image: '{name}-shop:{role}', environment: {{TARGET: {role}}}, ports: ['127.0.0.1:{port}:8000']}}"
        app.repo.write({f"{role}.yaml": f"name: {name}-{role}\nservices:\n  web: {service}\n"})
    app.settings.update(COMPOSE_FILE="staging.yaml", TARGET_SERVICE="web")
    return {"COMPOSE_FILE": "live.yaml", "PROD_SERVICE": "web"}


def gate(production: Production) -> dict[str, str]:
    """A gate of another commit; what a promotion of that needs."""
    production.app.repo.commit({"more.txt": production.app.repo.head()})
    ended = production.runner.gate()
    assert ended.decision == ("open", "fresh", 0), ended.log
    return {"EXPECTED_REVISION": production.app.repo.head()}


def served(production: Production) -> str:
    return production.sandbox.get(production.app.production_port, "/version")[1].strip()


def outcome(ended: Ended) -> tuple[int, str]:
    return ended.status, ended.outputs["outcome"]


def test_staging_in_a_project_of_its_own_is_promoted_and_production_goes_back_without_it(
    production_here: Production,
) -> None:
    """I9. Fails when `_read_application` in subject.py looks for staging in a rollback, or in production's file.

    Fails too when `refuse_own_source` does not compare the tags: read with production's variables, one file that is
    used twice gives staging production's own. And when `_other_productions` in candidate.py takes what is recorded as
    staging for another production.
    """
    production, live = production_here, two_files(production_here)
    first = gate(production)
    start = production.runner.start

    own = start("promote", **live, **first).end()
    assert outcome(own) == (2, "error"), own.log
    for words in ("would be its own source", "`staging-compose-file`", "`staging-project`", "`source-image`"):
        assert words in own.reason
    misread = start("promote", **live, **first, STAGING_PROJECT=f"{production.sandbox.name}-staging").end()
    assert outcome(misread) == (2, "error"), misread.log
    assert f"both run the tag {production.sandbox.name}-shop:live" in misread.reason
    shown = start("status", **live).end()
    assert "web is production's own service" in shown.log

    promoted = start("promote", **live, **first, STAGING_COMPOSE_FILE="staging.yaml").end()
    assert outcome(promoted) == (0, "promoted"), promoted.log
    assert "rollback` will be refused" not in promoted.log
    second = gate(production)
    again = start("promote", **live, **second, SOURCE_IMAGE=f"{production.sandbox.name}-shop:staging").end()
    assert outcome(again) == (0, "promoted"), again.log
    assert served(production) == second["EXPECTED_REVISION"]
    seen = start("status", **live, STAGING_PROJECT=f"{production.sandbox.name}-staging").end()
    targets = [line.split()[0] for line in seen.log.splitlines() if line[:1].strip()]
    assert targets == ["staging", "production"], seen.log

    back = start("rollback", **live, TARGET_SERVICE="").end()

    assert outcome(back) == (0, "promoted"), back.log
    assert served(production) == first["EXPECTED_REVISION"]


def test_what_may_be_another_production_is_warned_of_before_the_rollback_is_refused(
    production_here: Production,
) -> None:
    """I9. Fails when `change` in preflight.py does not call `warn_of_shared`.

    Staging that no gate recorded, as an older release left it, may be another production; naming it leads out.
    """
    production, live = production_here, two_files(production_here)
    start, source = production.runner.start, {"SOURCE_IMAGE": f"{production.sandbox.name}-shop:staging"}
    for _ in range(2):
        commit = gate(production)
        for record in production.sandbox.docker.volumes.list(
            filters={"name": f"{production.sandbox.name}-staging.web"}
        ):
            record.remove()
        promoted = start("promote", **live, **commit, **source).end()
        assert outcome(promoted) == (0, "promoted"), promoted.log
        assert "`freshness rollback` will be refused" in promoted.log

    refused = start("rollback", **live).end()

    assert outcome(refused) == (1, "refused"), refused.log
    assert "`staging-project`" in refused.reason
    named = ("--staging-project", f"{production.sandbox.name}-staging", "--staging-service", "web")
    assert outcome(start("rollback", *named, **live).end()) == (0, "promoted")
