"""Use a policy version: `manage.py promote_policy --course SLUG --policy NAME --number N`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tutor.common import clock
from tutor.scheduling import conduct, steering
from tutor.scheduling.models import PolicyVersion
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Let a policy version serve the classes that have its policy; naming an earlier one goes "
        "back to it. Without --number lists what there is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--policy", default="linear-softmax")
        parser.add_argument("--number", type=int)
        parser.add_argument("--force", action="store_true", help="also if a gate failed")

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        course, policy = courses[0], options["policy"]
        versions = PolicyVersion.objects.filter(course=course, policy=policy).order_by("number")
        live = conduct.get_live_version(course_id=course.pk, policy=policy)
        if options["number"] is None:
            for version in versions:
                use = ", in use" if live is not None and version.pk == live.pk else ""
                self.stdout.write(f"{version} of {version.created_at:%Y-%m-%d}{use}")
            return
        version = versions.filter(number=options["number"]).first()
        if version is None:
            known = ", ".join(str(one.number) for one in versions) or "none"
            message = f"{course.slug} has no version {options['number']} of {policy}: {known}."
            raise CommandError(message)
        failed = [
            gate["name"] for gate in version.provenance.get("gates", []) if not gate["passed"]
        ]
        if failed and not options["force"]:
            message = f"{version} failed {', '.join(failed)}; --force uses it all the same."
            raise CommandError(message)
        steering.promote_policy(version=version, at=clock.now(), reason="by command")
        self.stdout.write(f"{course.slug}: {version} is in use.")
