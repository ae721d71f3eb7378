"""The production-like stack, as far as it can be read without a container engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from duecourse.channels import settings
from duecourse.engine import search_attributes
from workflows import contracts

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
EXAMPLE = dict(
    line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")
)
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rule>:[-?])?(?P<rest>[^}]*)\}")
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def test_every_variable_of_the_stack_is_explained_in_the_example_with_the_same_default() -> None:
    used = {match["name"]: match for match in VARIABLE.finditer(COMPOSE)}

    assert set(EXAMPLE) == set(used)
    for name, match in used.items():
        if match["rule"] == ":-":
            assert match["rest"] == EXAMPLE[name], name


def test_the_stack_refuses_to_start_without_a_password() -> None:
    rules = {match["rule"] for match in VARIABLE.finditer(COMPOSE) if "PASSWORD" in match["name"]}

    assert rules == {":?"}
    assert EXAMPLE["POSTGRES_PASSWORD"] == ""


def test_no_provider_is_called_until_somebody_says_so() -> None:
    assert EXAMPLE["DUECOURSE_SEND"] == "off"
    assert all(service["environment"]["DUECOURSE_SEND"] == "${DUECOURSE_SEND:-off}" for service in OURS.values())


def test_images_are_pinned() -> None:
    tags = [value for name, value in EXAMPLE.items() if name.endswith("_TAG")]

    assert "latest" not in tags
    assert all(tags)
    assert all(":${" in service["image"] for service in SERVICES.values())


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_server_tells_whether_it_is_healthy() -> None:
    for name in ("postgres", "temporal", "temporal-ui", "mailpit"):
        assert SERVICES[name]["healthcheck"]["test"], name


def test_our_containers_run_without_privileges_and_get_time_to_finish_a_send() -> None:
    assert {"worker-loans", "worker-messages", "worker-tasks", "relay", "receiver", "starter"} == set(OURS)
    for service in OURS.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["init"]
        assert service["stop_grace_period"] == "60s"


def test_every_queue_has_a_worker() -> None:
    served = [
        queue
        for service in OURS.values()
        if "worker.py" in service["command"]
        for queue in service["command"][-1].split(",")
    ]

    assert sorted(contracts.QUEUES) == sorted(served)


def test_all_workers_share_one_ledger_on_a_volume() -> None:
    ledgers = {service["environment"]["DUECOURSE_LEDGER"] for service in OURS.values()}

    assert ledgers == {"sqlite:////var/lib/duecourse/ledger.db"}
    assert all(service["volumes"] == ["ledger:/var/lib/duecourse"] for service in OURS.values())


def test_the_namespace_gets_the_search_attributes_that_a_loan_sets() -> None:
    script = (ROOT / "deploy/temporal/create-namespace.sh").read_text()

    declared = re.findall(r"^  (\w+=\w+)(?: \\|;)", script, re.MULTILINE)

    assert list(search_attributes.declarations()) == declared


def test_the_example_configures_mail_and_leaves_sms_out() -> None:
    """Copying the example must give a stack that starts: a half-configured channel is refused."""
    channels = settings.ChannelSettings.from_environment(EXAMPLE)

    [mail] = channels.mail
    assert ("mailpit", 1025) == (mail.server.host, mail.server.port)
    assert channels.sms == ()


def test_the_image_runs_as_nobody_in_particular_and_gets_its_signals() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert "USER duecourse" in lines
    assert [line for line in lines if line.startswith("CMD")] == ['CMD ["python", "worker.py", "--queues", "loans"]']
    assert "requirements/dev.txt" not in "\n".join(lines)


def test_locks_name_no_registry() -> None:
    for lock in ("runtime.txt", "dev.txt"):
        text = (ROOT / "requirements" / lock).read_text()

        assert not re.search(r"://|^\s*--|@ ", text, re.MULTILINE), lock
        assert re.search(r"^temporalio==\d", text, re.MULTILINE), lock
