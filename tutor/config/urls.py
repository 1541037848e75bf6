"""Every address of the tutor."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path

from tutor.config import languages, pages
from tutor.config.sign_in import SignInForm

handler400 = "tutor.config.failures.bad_request"
handler500 = "tutor.config.failures.server_error"

sign_in = auth_views.LoginView.as_view(template_name="sign_in.html", authentication_form=SignInForm)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.front, name="front"),
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="sign-out"),
    path("language/", languages.choose, name="language"),
    path("learn/", include("tutor.student.urls")),
    path("teach/", include("tutor.teacher.urls")),
    path("import/", include("tutor.intake.urls")),
    path("api/", include("tutor.api.urls")),
    path("admin/", admin.site.urls),
]
