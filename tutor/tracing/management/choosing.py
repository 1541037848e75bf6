"""What the commands that bring something in share: for which organisation, and for whom."""

from django.core.management.base import CommandError, CommandParser

from tutor.accounts.models import Organisation, User


def add_school_arguments(parser: CommandParser) -> None:
    """Let the command be told the organisation and who shall practise or teach."""
    parser.add_argument("--organisation", help="slug; needed where there are several")
    parser.add_argument(
        "--enrol",
        nargs="+",
        metavar="USERNAME",
        default=[],
        help="accounts to put into a class of the course, to practise on it or to teach it",
    )


def choose_organisation(slug: str | None) -> Organisation:
    """Return the organisation meant; where there is none yet, a new one that is not saved.

    Raises:
        CommandError: it is not there, or there are several.
    """
    if slug is not None:
        found = Organisation.objects.filter(slug=slug).first()
        if found is None:
            known = ", ".join(Organisation.objects.values_list("slug", flat=True)) or "none"
            message = f"There is no organisation {slug!r}. There are: {known}."
            raise CommandError(message)
        return found
    organisations = list(Organisation.objects.order_by("slug"))
    if len(organisations) > 1:
        slugs = ", ".join(organisation.slug for organisation in organisations)
        message = f"There are several organisations; add --organisation and one of {slugs}."
        raise CommandError(message)
    return organisations[0] if organisations else Organisation(slug="school", name="School")


def choose_users(organisation: Organisation, names: list[str]) -> list[User]:
    """Return the accounts of these names.

    Raises:
        CommandError: the organisation has no account of that name.
    """
    users = list(User.objects.filter(username__in=names, organisation=organisation.pk))
    unknown = sorted(set(names) - {user.username for user in users})
    if unknown:
        message = f"No account in this organisation is called {', '.join(unknown)}."
        raise CommandError(message)
    return users
