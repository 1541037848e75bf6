import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

PROTECT = django.db.models.deletion.PROTECT


def common(reverts):
    """Return the fields of every override, of a model that `reverts` its own kind."""
    return [
        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
        ('revision', models.PositiveBigIntegerField()),
        ('at', models.DateTimeField()),
        ('reason', models.CharField(blank=True, max_length=200)),
        ('classroom', models.ForeignKey(on_delete=PROTECT, related_name='+', to='classes.classroom')),
        ('reverts', models.OneToOneField(null=True, on_delete=PROTECT, related_name='reverted_by', to=reverts)),
        ('set_by', models.ForeignKey(null=True, on_delete=PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_user_language'),
        ('classes', '0003_learner_notes'),
        ('content', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AssignmentOverride',
            fields=[
                *common('classes.assignmentoverride'),
                ('kind', models.CharField(choices=[('excuse', 'Excused'), ('extend', 'Extended'), ('reopen', 'Reopened')], max_length=10)),
                ('until', models.DateTimeField(null=True)),
                ('assignment', models.ForeignKey(on_delete=PROTECT, related_name='overrides', to='classes.assignment')),
                ('concept', models.ForeignKey(null=True, on_delete=PROTECT, related_name='+', to='content.concept')),
                ('learner', models.ForeignKey(null=True, on_delete=PROTECT, related_name='assignment_overrides', to='accounts.learner')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['learner', 'assignment'], name='override_of')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('kind', 'excuse'), _negated=True) | models.Q(('learner__isnull', False)), name='excused_by_name'),
                    models.CheckConstraint(condition=models.Q(('kind', 'extend'), _negated=True) | models.Q(('until__isnull', False)), name='extended_to_a_date'),
                ],
            },
        ),
        migrations.CreateModel(
            name='StatedMastery',
            fields=[
                *common('classes.statedmastery'),
                ('is_known', models.BooleanField()),
                ('concept', models.ForeignKey(on_delete=PROTECT, related_name='+', to='content.concept')),
                ('learner', models.ForeignKey(on_delete=PROTECT, related_name='stated_masteries', to='accounts.learner')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['learner', 'concept'], name='stated_mastery_of')],
            },
        ),
    ]
