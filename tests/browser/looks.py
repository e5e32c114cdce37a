"""How a view is looked at: light and dark, wide and narrow, by axe and for a screenshot."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE, Picture

__all__ = ["looked_at"]

# In the first and the last of them axe looks too: light and dark, wide and narrow.
LOOKS = {"light-wide": WIDE, "light-narrow": NARROW, "dark-wide": WIDE, "dark-narrow": NARROW}
LOOKED_AT = ("light-wide", "dark-narrow")
# WCAG 2.2 at level AA, and what axe thinks well of beside it.
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


def looked_at(view: Page, picture: Picture, name: str) -> None:
    """Keep screenshots of a view; whatever axe finds, and what hangs over on a phone, fails the test."""
    for look, size in LOOKS.items():
        view.emulate_media(color_scheme="dark" if look.startswith("dark") else "light")
        view.set_viewport_size(size)
        picture(view, f"{name}-{look}")
        if look in LOOKED_AT:
            found = Axe().run(view, options=RULES)
            assert found.violations_count == 0, found.generate_report()
        # On a phone, nothing hangs over.
        over = view.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0
    view.set_viewport_size(WIDE)
