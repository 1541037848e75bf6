import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def name_courses(apps, schema_editor):
    standing = apps.get_model("tracing", "DeepStanding")
    classroom = apps.get_model("classes", "Classroom")
    course = classroom.objects.filter(pk=OuterRef("classroom")).values("course")
    standing.objects.filter(course=None).update(course=Subquery(course))


class Migration(migrations.Migration):
    dependencies = [
        ("classes", "0001_initial"),
        ("content", "0002_item_life"),
        ("tracing", "0006_award_met_rule"),
    ]

    operations = [
        migrations.AddField(
            model_name="deepstanding",
            name="course",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="content.course",
            ),
        ),
        migrations.AlterField(
            model_name="deepstanding",
            name="classroom",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="classes.classroom",
            ),
        ),
        migrations.RunPython(name_courses, migrations.RunPython.noop),
    ]
