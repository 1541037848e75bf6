"""The pages on which an administrator brings a log. They write rows; workers do the work."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from tutor.accounts.models import User
from tutor.common import clock
from tutor.common.errors import NotVisible, TutorError
from tutor.intake import rejects, selectors, services, showing, storage
from tutor.intake.errors import FileRefused, MovedOn
from tutor.intake.models import State, Upload
from tutor.intake.receiving import FIELD, LogUploadHandler
from tutor.responses.importing import kinds

View = Callable[..., HttpResponseBase]
PER_PAGE = 25


def for_administrators(view: View) -> View:
    """Let a view be seen by administrators of an organisation only."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        selectors.organisation_of(actor=request.user)
        return view(request, *args, **kwargs)

    return login_required(never_cache(guarded))


@for_administrators
@require_GET
def uploads(request: HttpRequest) -> HttpResponse:
    """List what was brought, in the browser and by command, and offer to bring more."""
    return _list(request)


def _list(request: HttpRequest, problem: TutorError | None = None) -> HttpResponse:
    organisation = selectors.organisation_of(actor=request.user)
    found = selectors.list_visible_uploads(actor=request.user)
    context = {
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "commands": selectors.list_command_imports(organisation=organisation)[:PER_PAGE],
        "courses": selectors.list_courses(organisation=organisation),
        "formats": kinds.LABELS,
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "keep_days": settings.UPLOAD_KEEP_DAYS,
        "problem": problem,
        "filled_in": request.POST if problem else {},
    }
    return render(
        request, "intake/uploads.html", context, status=problem.status if problem else 200
    )


# The token is checked inside: looking for it reads the form, which must not happen before the
# person is known and the file has somewhere to go.
@csrf_exempt
@for_administrators
@require_POST
def bring(request: HttpRequest) -> HttpResponseBase:
    """Receive a file and ask a worker to look at it."""
    organisation = selectors.organisation_of(actor=request.user)
    handler = LogUploadHandler(limit_bytes=settings.UPLOAD_MAX_BYTES)
    try:
        services.check_rate(organisation=organisation, at=clock.now())
    except TutorError as problem:
        handler.problem = problem
    request.upload_handlers = [handler]
    is_kept = False
    try:
        response = cast(HttpResponse, _bring(request, handler=handler))
        is_kept = response.status_code == 302
    finally:
        if not is_kept:
            handler.abandon()
    return response


@csrf_protect
def _bring(request: HttpRequest, *, handler: LogUploadHandler) -> HttpResponse:
    file = request.FILES.get(FIELD)
    try:
        if handler.problem is not None:
            raise handler.problem
        if file is None:
            raise FileRefused("Choose a file first.")
        upload = _receive(request, file)
    except TutorError as problem:
        return _list(request, problem)
    return redirect("intake:upload", upload.public_id)


def _receive(request: HttpRequest, file: Any) -> Upload:
    organisation = selectors.organisation_of(actor=request.user)
    chosen, course = request.POST.get("course", ""), None
    if chosen:
        course = selectors.list_courses(organisation=organisation).filter(slug=chosen).first()
        if course is None:
            raise NotVisible("There is no such course. Choose one of the list.")
    kind = request.POST.get("format", "auto")
    if kind not in kinds.LABELS:
        raise FileRefused("There is no such format. Choose one of the list.")
    return services.receive(
        actor=cast(User, request.user),
        organisation=organisation,
        file=file,
        course=course,
        title=request.POST.get("title", ""),
        kind=kind,
        at=clock.now(),
    )


@for_administrators
@require_GET
def upload_page(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Show an upload at the step at which it is."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    return showing.render_upload(request, found)


@never_cache
@require_GET
def progress(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Return how far the worker is, for a page that asks every few seconds."""
    if not request.user.is_authenticated:
        # The page that asks would show the sign-in inside itself: have it load anew.
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    found = selectors.access_upload(actor=request.user, public_id=upload)
    if request.GET.get("state") != found.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {**showing.progress_of(found), "upload": found, "said": request.GET.get("said", "")}
    return render(request, "intake/progress.html", context)


@for_administrators
@require_POST
def act(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Do what was pressed: import, change the mapping, cancel or discard."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    actor, at = cast(User, request.user), clock.now()
    acts: dict[str, Callable[[], None]] = {
        "import": lambda: services.start_import(upload=found, actor=actor, at=at),
        "change": lambda: services.change_mapping(upload=found, at=at),
        "cancel": lambda: services.cancel(upload=found, actor=actor, at=at),
        "discard": lambda: services.discard(upload=found, actor=actor, at=at),
    }
    wanted = acts.get(request.POST.get("do", ""))
    if wanted is None:
        raise NotVisible("There is nothing of that name to do.")
    try:
        wanted()
    except TutorError as problem:
        found.refresh_from_db()
        return showing.render_upload(request, found, problem=problem)
    if found.state == State.DISCARDED:
        return redirect("intake:uploads")
    return redirect("intake:upload", found.public_id)


@for_administrators
@require_GET
def rejects_file(request: HttpRequest, upload: uuid.UUID) -> HttpResponseBase:
    """Send the rows that were not taken, as CSV that is safe to open in a spreadsheet."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    path = storage.path_of(found.rejects_name)
    if not found.rejects_name or not path.exists():
        raise NotVisible("The rejected rows of this upload are not kept any more.")
    services.note_rejects_downloaded(upload=found, actor=cast(User, request.user), at=clock.now())
    response = StreamingHttpResponse(
        rejects.lines_for_a_spreadsheet(path), content_type="text/csv; charset=utf-8"
    )
    stem = found.file_name.removesuffix(storage.ending_of(found.file_name))
    response.headers["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{stem}.rejects.csv"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@for_administrators
@require_POST
def make_class(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    """Put accounts into a class of the imported course."""
    found = selectors.access_upload(actor=request.user, public_id=upload)
    try:
        classroom = services.make_class(
            upload=found,
            actor=cast(User, request.user),
            usernames=request.POST.getlist("account"),
            at=clock.now(),
        )
        if classroom is None:
            raise MovedOn("Choose at least one account for the class.")
    except TutorError as problem:
        return showing.render_upload(request, found, problem=problem)
    return redirect("intake:upload", found.public_id)
