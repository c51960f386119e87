"""Files that are sent along with a form: none is taken, so none may fill the disk or the memory."""

from typing import Any, NoReturn

from django.core.exceptions import SuspiciousMultipartForm
from django.core.files.uploadhandler import FileUploadHandler


class RefuseFiles(FileUploadHandler):
    """Django's only handler here: the request ends with a 400 where a file begins."""

    chunk_size = 64 * 1024

    def new_file(self, *_about: Any, **_more: Any) -> NoReturn:
        """Refuse it before the first byte is kept."""
        raise SuspiciousMultipartForm("no form of ours takes a file")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        """Never reached."""
        raise SuspiciousMultipartForm("no form of ours takes a file")

    def file_complete(self, file_size: int) -> None:
        """Nothing is kept."""
