"""Bodies of requests: JSON of a bounded size and depth."""

import io
from collections.abc import Mapping
from typing import Any, BinaryIO

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

# The largest answer is 2,000 characters; six bytes each where everything is escaped.
MOST_BYTES = 65_536


class BodyTooLarge(APIException):
    """The body is larger than any request of this API has to be."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"A request may have {MOST_BYTES} bytes."
    default_code = "body-too-large"


class BoundedJSONParser(JSONParser):
    """JSON, read no further than the limit.

    Django's own limit is on form data only: an API body is read as a stream.
    """

    def parse(
        self,
        stream: BinaryIO,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body.

        Raises:
            BodyTooLarge: it has more than `MOST_BYTES` bytes.
            ParseError: it is not JSON, or is nested too deeply.
        """
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise BodyTooLarge
        try:
            return super().parse(io.BytesIO(raw), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
