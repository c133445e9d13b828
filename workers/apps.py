"""The workers' registration."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
