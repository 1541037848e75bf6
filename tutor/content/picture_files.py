"""Read picture files that somebody brings: check what they are, and take off what must not be kept.

A file is believed in nothing: its kind is read from its content, its size in pixels before it is
unpacked. What is stored is drawn anew from the pixels, so that places, names and dates that a
camera or a program wrote into the file (EXIF, XMP, comments) are gone.

SVG is refused. It is a document with scripts, styles and links, not a picture; no well-kept library
makes one safe to hand out under our own address, and authors can save any drawing as PNG.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass, field

from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from tutor.content.errors import PictureRefused
from tutor.content.picture_text import PictureRef

# Larger than a screen helps nobody, and a learner may be on a phone's network.
MAX_BYTES = 1_000_000
MAX_SIDE = 4096
MAX_PIXELS = 8_000_000
_KINDS = ("PNG", "JPEG", "WEBP", "GIF")
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_INK_ON = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture that may be stored.

    Attributes:
        digest: SHA-256 of the file as its author gave it, 64 hexadecimal digits: the same file is
            the same picture, whatever version of a library wrote `data`.
        media_type: of `data`, one of `MEDIA_TYPES`.
        width, height: pixels.
        data: the picture drawn anew, on white where the file was transparent.
    """

    digest: str
    media_type: str
    width: int
    height: int
    data: bytes = field(repr=False)

    @property
    def ref(self) -> PictureRef:
        """How a version of an item names it."""
        return PictureRef(self.digest, self.width, self.height)


def read_picture(content: bytes) -> PictureFile:
    """Return the picture in a file.

    Raises:
        PictureRefused: it is none of PNG, JPEG, WebP and GIF, is damaged, too large, or moves.
    """
    if len(content) > MAX_BYTES:
        raise PictureRefused(
            f"has more than {MAX_BYTES:,} bytes. Save it smaller, or with fewer pixels."
        )
    image = _opened(content)
    kind = "PNG" if image.format == "GIF" else str(image.format)
    try:
        stored = io.BytesIO()
        drawn = _drawn(image)
        _save(drawn, kind, stored, keep=drawn is image)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureRefused(f"is damaged ({error}). Save it again.") from error
    return PictureFile(
        digest=hashlib.sha256(content).hexdigest(),
        media_type=MEDIA_TYPES[kind],
        width=drawn.width,
        height=drawn.height,
        data=stored.getvalue(),
    )


def _opened(content: bytes) -> Image.Image:
    """Return the image with its pixels still packed, once its size is known to be fit."""
    if _is_svg(content):
        raise PictureRefused(
            "is an SVG, which can hold scripts and links. Save the drawing as PNG, about 800 "
            "pixels wide."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=_KINDS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureRefused(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PictureRefused("is not a PNG, JPEG, WebP or GIF. Save it as one.") from error
    if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
        raise PictureRefused(f"is {image.width} × {image.height}: {_TOO_LARGE}")
    if image.format == "MPO":
        # A phone's JPEG with a smaller copy or a depth map behind it: its first picture is the one.
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(content))
    if getattr(image, "n_frames", 1) > 1:
        raise PictureRefused("moves, and nobody could stop it. Save one of its pictures.")
    return image


_TOO_LARGE = (
    f"more than {MAX_SIDE} pixels a side or {MAX_PIXELS / 1e6:g} million in all. Scale it down."
)


def _is_svg(content: bytes) -> bool:
    head = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<svg", b"<?xml", b"<!doctype")) and b"<svg" in content[:65536].lower()


def _drawn(image: Image.Image) -> Image.Image:
    """Return the image turned as its camera was held, on white where it is transparent."""
    image.load()
    turned = image
    if image.getexif().get(0x0112, 1) != 1:
        turned = ImageOps.exif_transpose(image)
    if not turned.has_transparency_data:
        return turned
    over = turned.convert("RGBA")
    ground = Image.new("RGB", over.size, _INK_ON)
    ground.paste(over, mask=over.getchannel("A"))
    return ground


def _save(image: Image.Image, kind: str, to: io.BytesIO, *, keep: bool) -> None:
    profile = image.info.get("icc_profile")
    image.info.pop("comment", None)
    if kind == "JPEG":
        # As coarse as it was: saving must not lose a second time.
        how = {"quality": "keep"} if keep else {"quality": 90}
        ready = image if keep or image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
        ready.save(to, "JPEG", optimize=True, exif=b"", icc_profile=profile, **how)
    elif kind == "WEBP":
        image.save(to, "WEBP", quality=90, method=4, exif=b"", xmp=b"", icc_profile=profile)
    else:
        ready = image if image.mode in ("1", "L", "P", "RGB") else image.convert("RGB")
        # A new image: the old one's info would be written as text chunks.
        bare = Image.new(ready.mode, ready.size)
        if ready.mode == "P" and ready.palette is not None:
            bare.putpalette(ready.getpalette() or [])
        bare.paste(ready)
        bare.save(to, "PNG", optimize=True, icc_profile=profile)
