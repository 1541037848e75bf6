import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0002_user_language'),
        ('classes', '0002_award_rules_and_goals'),
        ('content', '0004_pictures'),
        ('registry', '0003_trainings_and_switches'),
    ]

    operations = [
        migrations.CreateModel(
            name='OutlookVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('body', models.JSONField()),
                ('evidence', models.JSONField()),
                ('provenance', models.JSONField()),
                ('counts', models.BooleanField()),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='content.course')),
                ('tracer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.tracerversion')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Forecast',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('chance', models.FloatField(null=True)),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('median_at', models.DateTimeField(null=True)),
                ('is_at_risk', models.BooleanField()),
                ('facts', models.JSONField()),
                ('drivers', models.JSONField(default=list)),
                ('change', models.JSONField(null=True)),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='forecasts', to='classes.assignment')),
                ('learner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='forecasts', to='accounts.learner')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='forecasts', to='outlook.outlookversion')),
            ],
            options={
                'indexes': [models.Index(fields=['assignment', 'learner', '-id'], name='forecast_newest')],
                'constraints': [models.UniqueConstraint(fields=('learner', 'assignment', 'at'), name='forecast_once_a_moment'), models.CheckConstraint(condition=models.Q(('chance__isnull', True), models.Q(('chance__gte', 0.0), ('chance__lte', 1.0)), _connector='OR'), name='forecast_chance_range')],
            },
        ),
    ]
