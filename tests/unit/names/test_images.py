"""Image references and names of repositories."""

from __future__ import annotations

import pytest

from azext_trust.names import images
from azext_trust.names.images import Image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "text",
    ["myregistry.azurecr.io/web", "myregistry.azurecr.io/team/web:v1", f"localhost:8443/a/b/c@{DIGEST}",
     f"a.b/c__d.e-f:V_1.x@{DIGEST}"],
)  # fmt: skip
def test_references(text: str) -> None:
    """M14: references are taken apart and put together again."""
    assert str(Image.parse(text)) == text


def test_parts() -> None:
    """M14: the name of the trust data holds host and port."""
    image = Image.parse(f"r.example:8443/team/web:v1@{DIGEST}")
    assert (image.gun, image.tag, image.digest) == ("r.example:8443/team/web", "v1", DIGEST)


@pytest.mark.parametrize(
    "text",
    ["", "web", "web:v1", "library/web", "a.b/", "a.b/Web", "a.b/web:", "a.b/web:-x", "a.b/web@sha256:1", "a.b//web",
     "a.b/web/", "a..b/web", "-a.b/web", "a.b:x/web", "a.b/web:v1:v2", "a.b/../web"],
)  # fmt: skip
def test_no_references(text: str) -> None:
    """M14: what names no registry, repository, tag or digest is refused."""
    with pytest.raises(ValueError, match=r"invalid reference format|names no registry"):
        Image.parse(text)


def test_long_names() -> None:
    """M14: names end after 255 characters, tags after 128."""
    assert images.valid_repository("a" * 255)
    assert not images.valid_repository("a" * 256)
    assert images.valid_tag("a" * 128)
    assert not images.valid_tag("a" * 129)
