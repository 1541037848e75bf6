import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # Apart from the rows' change before: PostgreSQL alters no table whose rows wait to be checked.
    dependencies = [("tracing", "0007_standing_of_courses")]

    operations = [
        migrations.AlterField(
            model_name="deepstanding",
            name="course",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="content.course",
            ),
        ),
    ]
