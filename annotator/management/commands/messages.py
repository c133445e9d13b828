"""Bring the catalogs of translations up to the code: `make messages`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Extract what the pages say into locale/, compile it, and list what is untranslated."
    requires_system_checks = []

    def handle(self, **_options: Any) -> None:
        """Rewrite every catalog; fail where a message has no translation."""
        # Babel belongs to development: a server without it must still list its commands
        from annotator.catalogs import extraction, files

        missing = 0
        for domain in (extraction.PAGES, extraction.SCRIPTS):
            found = extraction.messages_of(domain)
            for locale in files.LOCALES:
                lacking = files.untranslated(files.update(locale, domain, found))
                missing += len(lacking)
                self.stdout.write(f"{locale}/{domain}: {len(found)}, {len(lacking)} untranslated")
                for message in lacking:
                    self.stdout.write(f"  {message}")
        if missing:
            raise CommandError(f"{missing} messages have no translation")
