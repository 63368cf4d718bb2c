"""What keeps people from using a page: axe-core's findings, and a way through with the keyboard alone."""

from __future__ import annotations

from functools import cache
from typing import Final

from playwright.async_api import Page

from tests.browser.install import axe_source

GRAVE: Final = ("serious", "critical")
_MOST_TABS: Final = 60
_RUN: Final = """
async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, where: nodes.map(({html, failureSummary}) => `${html} ${failureSummary}`),
  }));
}
"""
_FOCUSED: Final = """
() => {
  const focused = document.activeElement;
  return [focused?.dataset.testid ?? "", focused?.matches(":focus-visible") ?? false];
}
"""

axe_text = cache(axe_source)


async def grave_findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical about the page as it is now."""
    if not await page.evaluate("typeof axe !== 'undefined'"):
        await page.evaluate(axe_text())
    return [
        f"{found['impact']} {found['id']}: {found['help']}: {'; '.join(found['where'])}"
        for found in await page.evaluate(_RUN)
        if found["impact"] in GRAVE
    ]


async def tab_to(page: Page, part: str) -> None:
    """Press Tab until a part has the focus, and shows it."""
    passed = []
    for _ in range(_MOST_TABS):
        focused, visibly = await page.evaluate(_FOCUSED)
        if focused == part:
            assert visibly, f"{part} does not show that it has the focus"
            return
        passed.append(focused)
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {part}; it came to {passed}")


async def press(page: Page, part: str, key: str = "Enter") -> None:
    """Go to a part with Tab, and press a key on it once it takes one."""
    await tab_to(page, part)
    await page.wait_for_function("() => !document.activeElement.matches(':disabled, [aria-disabled=true]')")
    await page.keyboard.press(key)
