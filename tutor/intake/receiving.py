"""Takes a file in while it arrives: to the disk, hashed, and not one byte above the limit."""

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from typing_extensions import override

from tutor.common.errors import TutorError
from tutor.intake import storage
from tutor.intake.errors import FileRefused, NoRoom

FIELD = "log"
# What surrounds the file in a form.
_FORM_BYTES = 100_000
# A body of so many times the limit is not even read to its end to be answered politely.
_PATIENCE = 4
# First bytes -> what such a file is, and what to do.
_NO_LOGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a picture. Export the answers as CSV and bring that."),
    (b"\xff\xd8\xff", "a picture. Export the answers as CSV and bring that."),
    (b"GIF8", "a picture. Export the answers as CSV and bring that."),
    (b"%PDF", "a PDF. Export the answers as CSV and bring that."),
    (b"\xd0\xcf\x11\xe0", "an old Office file. Open it and save the sheet as CSV UTF-8."),
    (b"SQLite format 3", "a database. Export the table of answers as CSV and bring that."),
    (b"\x7fELF", "a program."),
    (b"MZ\x90", "a program."),
    (b"{\\rtf", "a text document. Export the answers as CSV and bring that."),
)
_OFFICE = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis", b"_rels/.rels", b"docProps/")


class ReceivedFile(UploadedFile):
    """A file that has arrived.

    Attributes:
        stored_name: its random name in the upload folder.
        sha256: of its bytes, hex.
    """

    def __init__(self, *, stored_name: str, name: str, size: int, sha256: str) -> None:
        super().__init__(file=None, name=name, size=size)
        self.stored_name = stored_name
        self.sha256 = sha256

    @override
    def close(self) -> None:
        """Do nothing: it is closed already."""


class LogUploadHandler(FileUploadHandler):
    """Receives the one file of the form; `problem` says why it was not taken."""

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._shown_name = self._stored_name = ""
        self._is_endless = False
        self.problem: TutorError | None = None

    @override
    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: bytes,
        encoding: str | None = None,
    ) -> None:
        """Refuse by the announced length, where that is enough."""
        self._is_endless = content_length > self._limit_bytes * _PATIENCE
        if self.problem is not None:
            return
        if content_length > self._limit_bytes + _FORM_BYTES:
            self.problem = self._too_big()
        elif not storage.has_room(content_length):
            self.problem = NoRoom(
                "The server's disk has no room for this file. Tell whoever runs the tutor."
            )

    @override
    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Open the file, if it is the one that is asked for."""
        super().new_file(field_name, file_name, *args, **kwargs)
        if self._is_endless:
            raise StopUpload(connection_reset=True)
        if field_name != FIELD or self._stored_name or self.problem is not None:
            raise SkipFile
        self._shown_name = storage.clean_name(file_name)
        self._stored_name = storage.new_name(self._shown_name)
        self._file = _open_new(storage.path_of(self._stored_name))

    @override
    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write the next bytes, unless they are too many or show that this is no log."""
        if self._file is None:
            raise SkipFile
        if start == 0:
            self.problem = refusal(raw_data, name=self._shown_name)
        if start + len(raw_data) > self._limit_bytes:
            self.problem = self._too_big()
        if self.problem is None:
            self._write(raw_data)
        if self.problem is not None:
            self._drop()
            raise SkipFile

    @override
    def file_complete(self, file_size: int) -> ReceivedFile | None:
        """Return the file as it lies there."""
        if self._file is None:
            return None
        self._file.close()
        self._file = None
        if file_size == 0:
            self.problem = FileRefused(f"{self._shown_name} is empty.")
            self._drop()
            return None
        return ReceivedFile(
            stored_name=self._stored_name,
            name=self._shown_name,
            size=file_size,
            sha256=self._hash.hexdigest(),
        )

    @override
    def upload_interrupted(self) -> None:
        """Drop what has arrived of a file whose end did not."""
        if self._file is not None:
            self._drop()

    def _write(self, data: bytes) -> None:
        assert self._file is not None  # noqa: S101 - open since `new_file`
        try:
            self._file.write(data)
        except OSError as error:
            self.problem = NoRoom(f"The server cannot keep the file ({error.strerror}).")
        self._hash.update(data)

    def abandon(self) -> None:
        """Delete what was received: nobody wants it."""
        self._drop()

    def _drop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        storage.remove(self._stored_name)

    def _too_big(self) -> FileRefused:
        return FileRefused(
            f"The file has more than {self._limit_bytes // 1_000_000} MB, which is the limit here. "
            "Compress it (gz, xz, bz2 or zip), save it as Parquet, or bring it in parts; whoever "
            "runs the tutor can import it with the command import_log or raise the limit."
        )


def _open_new(path: Path) -> BinaryIO:
    path.touch(mode=0o600, exist_ok=False)
    return path.open("wb")


def refusal(beginning: bytes, *, name: str) -> FileRefused | None:
    """Return why a file that begins so is no log, None where it may be one."""
    kinds = [words for magic, words in _NO_LOGS if beginning.startswith(magic)]
    if beginning.startswith(b"PK\x03\x04") and any(mark in beginning[:200] for mark in _OFFICE):
        kinds.append("an Office file. Open it and save the sheet with the answers as CSV UTF-8.")
    return FileRefused(f"{name} is {kinds[0]}") if kinds else None
