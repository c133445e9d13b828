#!/usr/bin/env python
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")

if __name__ == "__main__":
    from annotator.embedded.environment import prepare

    prepare()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
