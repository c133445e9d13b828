"""What the bootstrap decides from what it finds."""

from __future__ import annotations

import pytest

from annotator.bootstrap import plan
from annotator.bootstrap.plan import BootstrapError, Machine

LAPTOP = Machine(python=(3, 11), system="Linux", processor="x86_64", has_gpu=False)
WHEEL = f"torch-{plan.TORCH}+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
LOCK = """\
ruff==0.17.5 \\
    --hash=sha256:aa
uv==0.13.8 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
uvloop==1.0 \\
    --hash=sha256:dd
"""


def test_an_old_python_is_refused_with_the_name_of_a_younger_one() -> None:
    with pytest.raises(BootstrapError, match=r"3\.11 .* this is 3\.9: run make .*python3\.12"):
        plan.check_python((3, 9), ["python3.12"])


@pytest.mark.parametrize("version", [(3, 11), (3, 14), (4, 0)])
def test_a_python_from_3_11_on_is_accepted(version: tuple[int, int]) -> None:
    plan.check_python(version)


def test_a_full_disk_is_refused_before_anything_is_downloaded() -> None:
    plan.check_disk(4 * 10**9, 4 * 10**9)
    with pytest.raises(BootstrapError, match=r"4 GB .* needed here, 1\.5 GB are free"):
        plan.check_disk(int(1.5e9), 4 * 10**9)


def test_the_wheel_in_pips_folder_spares_the_cpu_index() -> None:
    assert not plan.needs_cpu_index([WHEEL], LAPTOP)
    assert plan.needs_cpu_index([], LAPTOP)


@pytest.mark.parametrize(
    "machine",
    [
        Machine((3, 12), "Linux", "x86_64", has_gpu=False),
        Machine((3, 11), "Linux", "aarch64", has_gpu=False),
        Machine((3, 11), "Darwin", "x86_64", has_gpu=False),
    ],
)
def test_a_wheel_for_another_python_processor_or_system_does_not_count(machine: Machine) -> None:
    assert not plan.has_torch_wheel([WHEEL], machine)


def test_a_wheel_of_another_torch_does_not_count() -> None:
    assert not plan.has_torch_wheel([WHEEL.replace(plan.TORCH, "2.9.1")], LAPTOP)
    assert not plan.has_torch_wheel([WHEEL.replace("+cpu", "+cu130")], LAPTOP)


@pytest.mark.parametrize(
    "machine",
    [
        Machine((3, 11), "Linux", "x86_64", has_gpu=True),
        Machine((3, 11), "Darwin", "arm64", has_gpu=False),
    ],
)
def test_a_gpu_machine_and_a_mac_take_torch_from_the_plain_registry(machine: Machine) -> None:
    assert not plan.needs_cpu_index([], machine)


def test_pips_settings_are_passed_on_to_uv() -> None:
    listing = (
        "global.cert='/certificates.pem'\n"
        "global.find-links='/wheels'\n"
        "global.extra-index-url='file:///more'\n"
        "global.index-url='https://mirror.example/simple'\n"
    )
    assert plan.uv_environment(listing) == {
        "UV_HTTP_TIMEOUT": "120",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/certificates.pem",
        "UV_FIND_LINKS": "/wheels",
    }


def test_the_environments_setting_wins_and_may_name_several_folders() -> None:
    listing = ":env:.find-links='/a /b'\nglobal.find-links='/wheels'\n"
    assert plan.uv_environment(listing)["UV_FIND_LINKS"] == "/a,/b"


def test_several_folders_in_a_configuration_file_stand_on_lines_of_their_own() -> None:
    assert plan.pip_setting("global.find-links='\\n/a\\n/b'\n", "find-links") == ["/a", "/b"]


def test_one_packages_lines_are_taken_out_of_the_lock_with_its_hashes() -> None:
    assert plan.requirement(LOCK, "uv") == (
        "uv==0.13.8 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    )


def test_a_lock_without_the_package_is_refused() -> None:
    with pytest.raises(BootstrapError, match="names no pip"):
        plan.requirement(LOCK, "pip")


def test_the_stamp_changes_with_every_part_and_with_their_borders() -> None:
    stamps = [plan.stamp(b"lock", b"3.11"), plan.stamp(b"lock", b"3.12"), plan.stamp(b"lock3.11")]
    assert len(set(stamps)) == 3
    assert plan.stamp(b"lock", b"3.11") == stamps[0]
