from django.db import migrations, models
from django.db.models import Q

ACCOMMODATIONS = ("bar", "time", "steady")


def name_the_few(apps, schema_editor):
    """Rules that name learners are for these alone; an accommodation never was for everybody."""
    rules = apps.get_model("scheduling", "SteeringRule").objects.using(schema_editor.connection.alias)
    few = rules.filter(Q(learners__isnull=False) | Q(kind__in=ACCOMMODATIONS))
    rules.filter(pk__in=few.values("pk")).update(for_everybody=False)


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0009_item_exposure'),
    ]

    operations = [
        migrations.AddField(
            model_name='steeringrule',
            name='for_everybody',
            field=models.BooleanField(default=True),
        ),
        migrations.RunPython(name_the_few, migrations.RunPython.noop),
    ]
