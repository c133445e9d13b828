"""Lists of changed solutions are not compressed: they live for seconds, packing them takes as long
as all else that noting them costs (docs/adr/0014)."""

from django.db import migrations

PLAIN = "ALTER TABLE labeling_stale ALTER COLUMN solutions SET STORAGE EXTERNAL"
PACKED = "ALTER TABLE labeling_stale ALTER COLUMN solutions SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0025_hashes_first")]

    operations = [migrations.RunSQL(PLAIN, PACKED)]
