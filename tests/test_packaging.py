"""What no engine builds here is read instead: the image, the composition, the make targets, the locks."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from pydantic import JsonValue, TypeAdapter, ValidationError

from app.settings import (
    SECRETS_DIRECTORY,
    BitcoinSettings,
    ProcessSettings,
    Settings,
    StripeSettings,
)

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
TARGETS = {"run", "demo", "test", "check", "bench", "help"}
SECRET_WORDS = ("PASSWORD", "SECRET", "KEY", "TOKEN", "DATABASE_URL")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with its arguments on one line."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def arguments(name: str) -> list[str]:
    """The arguments of every instruction called `name`."""
    return [rest for instruction, rest in instructions() if instruction == name]


def compose() -> dict[str, dict[str, dict[str, JsonValue]]]:
    """The composition, with its shared part merged into each service."""
    parsed = importlib.import_module("yaml").safe_load((ROOT / "compose.yaml").read_text())
    parsed.pop("x-rampwright")
    parsed.pop("volumes")
    return TypeAdapter(dict[str, dict[str, dict[str, JsonValue]]]).validate_python(parsed)


def strings(value: JsonValue) -> list[str]:
    """A list of strings, checked to be one."""
    return TypeAdapter(list[str]).validate_python(value)


def environment(service: str) -> dict[str, str]:
    """The environment of a service."""
    return TypeAdapter(dict[str, str]).validate_python(compose()["services"][service]["environment"])


def image_environment() -> dict[str, str]:
    """What the image sets."""
    return dict(pair.split("=", 1) for rest in arguments("ENV") for pair in shlex.split(rest))


def test_every_copied_path_exists_and_is_sent_to_the_engine() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set()
    for rest in arguments("COPY"):
        if not rest.startswith("--from=build "):
            copied.update(shlex.split(rest)[:-1])
    assert {"app", "providers", "webhooks", "requirements.lock", "pyproject.toml"} <= copied
    assert copied == sent
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_the_image_holds_pinned_packages_only() -> None:
    installs = [part for rest in arguments("RUN") for part in rest.split("&&") if "pip install" in part]
    assert len(installs) == 2
    assert "--require-hashes --requirement requirements.lock" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_the_image_does_not_run_as_root() -> None:
    last_stage = instructions()[[name for name, _ in instructions()].index("FROM", 1) :]
    users = [rest for name, rest in last_stage if name == "USER"]
    assert len(users) == 1
    uid = users[0].split(":")[0]
    assert int(uid) > 0
    assert any(f"--uid {uid} " in rest for name, rest in last_stage if name == "RUN")


def commands() -> set[str]:
    """Every command of `rampwright` that the image or the composition names."""
    named = {strings(service["command"])[0] for service in compose()["services"].values() if "command" in service}
    return named | {json.loads(rest)[0] for rest in arguments("CMD")}


def test_one_image_runs_every_process() -> None:
    assert commands() == {"api", "worker", "signer", "migrate"}
    assert [json.loads(rest) for rest in arguments("ENTRYPOINT")] == [["rampwright"]]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"rampwright": "app.cli:main"}


@pytest.mark.parametrize("command", sorted(commands()))
def test_the_command_exists(command: str) -> None:
    program = [sys.executable, "-c", "from app.cli import main; main()", command, "--help"]
    ran = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_health_check_asks_a_real_route() -> None:
    check = TypeAdapter(dict[str, JsonValue]).validate_python(compose()["services"]["api"]["healthcheck"])
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/[a-z/]+)", " ".join(strings(check["test"])))
    assert found is not None
    assert found[1] == image_environment()["RAMPWRIGHT_PORT"] == arguments("EXPOSE")[0]
    code = "".join(path.read_text() for path in [ROOT / "app/main.py", *(ROOT / "app/api").rglob("*.py")])
    parts = [f'"/{part}"' for part in found[2].strip("/").split("/")]
    assert f'"{found[2]}"' in code or all(part in code for part in parts)


def settings_names() -> set[str]:
    """Every setting, as its environment variable."""
    sections = [type(section) for section in vars(Settings()).values()]
    return {f"RAMPWRIGHT_{name.upper()}" for section in sections for name in section.model_fields}


def test_every_setting_that_is_named_exists() -> None:
    named = {name for name in {**image_environment(), **environment("api")} if name.startswith("RAMPWRIGHT_")}
    named |= {name.upper() for name in compose()["secrets"] if name.startswith("rampwright_")}
    assert len(named) > 10
    assert named - settings_names() == set()


def test_the_image_has_everything_that_live_mode_needs() -> None:
    given = {*image_environment(), *environment("api"), *(name.upper() for name in compose()["secrets"])}
    live = ProcessSettings(mode="live", database_url=None)
    with pytest.raises(ValidationError) as refused:
        Settings(process=live, bitcoin=BitcoinSettings(bitcoin_network="main"))
    needed = set(re.findall(r"RAMPWRIGHT_\w+", str(refused.value)))
    # The node's address is no secret and has no default: it stands in rampwright.env.
    assert needed - given == {"RAMPWRIGHT_BITCOIN_RPC_URL"}


def test_settings_are_read_from_the_secrets_directory(tmp_path: Path) -> None:
    (tmp_path / "rampwright_stripe_secret_key").write_text("sk_test_from_a_file\n")
    (tmp_path / "somebody_elses").write_text("x")
    found = StripeSettings(_secrets_dir=tmp_path).stripe_secret_key
    assert found is not None
    assert found.get_secret_value() == "sk_test_from_a_file"
    assert str(SECRETS_DIRECTORY) == "/run/secrets"
    assert "sk_test" not in repr(found)


def test_secrets_are_files_and_have_no_default() -> None:
    declared = compose()["secrets"]
    for source in declared.values():
        assert str(source["file"]).startswith("${RAMPWRIGHT_SECRETS:?")
    for name, service in compose()["services"].items():
        for variable, value in environment(name).items():
            if any(word in variable for word in SECRET_WORDS):
                assert variable.endswith("_FILE"), variable
                assert value.removeprefix("/run/secrets/") in strings(service["secrets"])
        assert set(strings(service["secrets"])) <= set(declared)


def test_only_the_signer_is_near_the_key_and_it_is_near_nothing_else() -> None:
    services = compose()["services"]
    signer = services["signer"]
    assert signer["user"] not in {
        service.get("user", arguments("USER")[-1]) for service in services.values() if service is not signer
    }
    assert signer["network_mode"] == "none"
    assert signer["env_file"] == []
    assert not [name for name in environment("signer") if "DATABASE" in name or "STRIPE" in name]
    assert set(strings(signer["secrets"])) == {"intent_keys", "signer_passphrase"}
    volumes = {name: strings(service["volumes"]) for name, service in services.items()}
    assert [name for name in volumes if any("rampwright-signer" in volume for volume in volumes[name])] == ["signer"]
    assert {name for name in volumes if any("signer_socket" in volume for volume in volumes[name])} == {
        "worker",
        "signer",
    }
    others = [strings(service["secrets"]) for name, service in services.items() if name != "signer"]
    assert not any("signer_passphrase" in secrets for secrets in others)


def test_make_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)[0].split()
    assert set(phony) >= TARGETS
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    ran = subprocess.run(["make"], cwd=ROOT, env=environ, check=True, capture_output=True, text=True)
    described = dict(line.split(None, 1) for line in ran.stdout.splitlines())
    assert list(described) == phony
    assert all(len(said) > 10 for said in described.values())


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_everything_by_hash_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert re.search(r"--(index|extra-index|find-links|trusted)", text) is None
    assert re.search(r"\b[a-z0-9-]+\.(org|com|net|io|dev)\b", text) is None
    entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if not entry.startswith("#")]
    assert len(entries) > 40
    assert [entry.split("\n")[0] for entry in entries if "==" not in entry.split("\n")[0]] == []
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def locked(name: str) -> dict[str, str]:
    """The distributions of a lock file, each with its version and marker."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(.+) \\$", (ROOT / name).read_text(), re.MULTILINE))


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, everything = map(locked, LOCKS)
    assert runtime.items() <= everything.items()
    for asked, held in (
        (project["dependencies"], runtime),
        (project["optional-dependencies"]["dev"], everything),
    ):
        names = {re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in asked}
        assert names - held.keys() == set()


def test_ci_runs_the_checks_and_then_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert [line.split()[-1] for line in lines if line.startswith("make ")] == ["check", "test"]
    assert lines[-1].endswith(" test"), "pytest's closing line comes last"


def test_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """What is installed by `pip install .` is the whole tree, also what is not Python."""
    source = tmp_path / "source"
    packages = ("app", "providers", "webhooks")
    ignore = shutil.ignore_patterns("__pycache__")
    for package in packages:
        shutil.copytree(ROOT / package, source / package, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    wanted = {
        str(path.relative_to(source))
        for package in packages
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    subprocess.run([*command, "--wheel-dir", str(tmp_path)], cwd=source, check=True)
    with zipfile.ZipFile(next(tmp_path.glob("rampwright-*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == wanted
