"""The OpenAPI document is valid, and the API keeps to it whatever is sent."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given, seed, settings
from rest_framework.authtoken.models import Token
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import make_class, make_user, start_session

pytestmark = pytest.mark.slow

OPERATIONS = {
    "get_health",
    "list_learners",
    "list_assignments",
    "list_decisions",
    "start_practice",
    "next_item",
    "finish_practice",
    "submit_answer",
    "take_hint",
    "get_mastery",
    "get_picture",
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(autouse=True)
def _connection_kept():
    """Served as an application, a request would close the connection that the test lives in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_is_valid_and_names_every_operation():
    schema = document()

    validate_schema(schema)
    found = {
        operation["operationId"] for path in schema["paths"].values() for operation in path.values()
    }
    assert found == OPERATIONS


def test_is_served(client):
    response = client.get("/api/v1/openapi.json", headers={"Accept": "application/json"})

    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS))
def test_holds_for_whatever_is_sent(operation_id, course, learner, organisation):
    make_class(course=course, users=[learner.user])
    administrator = make_user(organisation=organisation, role="administrator")
    key = Token.objects.create(user=administrator).key
    session = start_session(learner=learner, course=course)
    # Random numbers name nobody: put in those that exist, so that the calls reach further.
    known = {"pseudonym": str(learner.pseudonym), "session": str(session.public_id)}
    schema = schemathesis.openapi.from_dict(document())
    schema.app = get_wsgi_application()
    [operation] = [
        found.ok()
        for found in schema.get_all_operations()
        if found.ok().definition.raw["operationId"] == operation_id
    ]
    statuses = set()

    @seed(7)
    @settings(
        max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy())
    def call(case):
        case.path_parameters = {
            name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
        }
        if isinstance(case.body, dict) and "presentation" in case.body:
            case.body["presentation"] = str(session.current.public_id)
        response = case.call(headers={"Authorization": f"Token {key}"})
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)
        assert "html" not in response.headers["content-type"][0]

    call()

    assert statuses
