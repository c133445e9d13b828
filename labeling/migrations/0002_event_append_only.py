"""The audit trail accepts new rows only: a trigger refuses every update and delete."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON labeling_event
    FOR EACH ROW EXECUTE FUNCTION event_append_only();
"""
BACKWARD = """
DROP TRIGGER event_append_only ON labeling_event;
DROP FUNCTION event_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
