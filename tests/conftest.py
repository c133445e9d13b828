"""The cast, the database, and the real data beside the project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from labeling.domain.roles import Role
from labeling.models import Project, User
from tests import factories

# Machines are noisy: no test is about time.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the project; where it is absent the test is skipped and says so."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is absent here")
    return SHARED_DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # several processes share the tests out by name: of two tests with one name only one would run
    names = Counter(item.nodeid for item in items)
    if twice := [name for name, times in names.items() if times > 1]:
        raise pytest.UsageError(f"two tests have the same name: {', '.join(twice[:5])}")
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared_data")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the real data is present, a skipped test that needs it is a failure."""
    report = yield
    if report.skipped and "shared_data" in report.keywords and SHARED_DATA.is_dir():
        report.outcome = "failed"
        report.longrepr = f"skipped although ../shared/data is present: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def fast_passwords(settings) -> None:
    """Hash passwords quickly: a slow hash protects nobody here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def owner(db: None) -> User:
    return factories.UserFactory(username="olga-owner")


@pytest.fixture
def project(owner: User) -> Project:
    return factories.ProjectFactory(created_by=owner)


def _member(project: Project, username: str, role: Role) -> User:
    user = factories.UserFactory(username=username)
    factories.MembershipFactory(user=user, project=project, role=role)
    return user


@pytest.fixture
def annotator(project: Project) -> User:
    return _member(project, "anna-annotator", Role.ANNOTATOR)


@pytest.fixture
def adjudicator(project: Project) -> User:
    return _member(project, "adam-adjudicator", Role.ADJUDICATOR)


@pytest.fixture
def manager(project: Project) -> User:
    return _member(project, "mona-manager", Role.MANAGER)


@pytest.fixture
def viewer(project: Project) -> User:
    return _member(project, "vera-viewer", Role.VIEWER)


@pytest.fixture
def outsider(db: None) -> User:
    """Must see nothing."""
    return factories.UserFactory(username="otto-outsider")
