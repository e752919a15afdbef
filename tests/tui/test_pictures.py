"""The pictures of the documentation: drawn from the screen, complete without anything from elsewhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.support.lab import lab
from tests.support.picture import svg
from tests.support.stage import stage


async def test_a_picture_holds_the_screen_and_needs_nothing_else() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        picture = svg(play.see().strips, "plstui <demo>")
        again = svg(play.see().strips, "plstui <demo>")
    assert picture == again
    root = ElementTree.fromstring(picture)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"plstui <demo>", "saasPrivateEndpoint", "◷ Pending", "loadBalancer"} <= set(texts)
    assert "url(" not in picture
    assert re.findall(r"https?://[^\"']+", picture) == ["http://www.w3.org/2000/svg"]
