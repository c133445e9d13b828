"""`manage.py seed_demo`: the people of the demo and their project; passwords are printed once."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from labeling.domain.roles import Role
from labeling.models import Membership, Project, User
from labeling.services import projects
from workers.pipeline.options import Options
from workers.pipeline.setup import project_for

PEOPLE = {"owner": Role.OWNER, "annotator": Role.ANNOTATOR, "adjudicator": Role.ADJUDICATOR}


class Command(BaseCommand):
    help = "Create the demo's people and project; print new passwords once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="the user's own problems or solutions")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        made = {name: password for name in PEOPLE if (password := self._person(name))}
        owner = User.objects.get(username="owner")
        project = project_for(by=owner, options=Options(data=options["data"]))
        for name, role in PEOPLE.items():
            self._join(owner, project, User.objects.get(username=name), role)
        if made:
            self.stdout.write("Log in as (these passwords are shown this once):")
            for name, password in made.items():
                self.stdout.write(f"  {name:<12} {password}")

    def _person(self, name: str) -> str | None:
        if User.objects.filter(username=name).exists():
            return None
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        User.objects.create_user(
            name, password=password, is_staff=name == "owner", is_superuser=name == "owner"
        )
        return password

    def _join(self, owner: User, project: Project, user: User, role: Role) -> None:
        if not Membership.objects.filter(user=user, project=project).exists():
            projects.add_member(by=owner, project=project, user=user, role=role)
