"""The table of tasks as a person sees it, page by page."""

import re
import urllib.request
from http.cookiejar import CookieJar

from tests.chaos.rig import Rig

ROW = re.compile(r'<tr id="task-(\d+)">.*?<td class="t-status"><span class="chip is-[\w-]+">([^<]+)</span>', re.DOTALL)
COUNT = re.compile(r'class="is-(\w+)"[^>]*>(?:<span[^>]*></span>)?\w+ <b>([\d,]+)</b>')
NEXT = re.compile(r'rel="next" href="\?([^"]+)"')
MOST_PAGES = 60


class Pages:
    def __init__(self, rig: Rig) -> None:
        self._url = f"{rig.url}/tasks/"
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open
        self._open(rig.manage("link"), timeout=60).read()

    def statuses(self) -> dict[int, str]:
        """What the newest tasks' rows say, as far as `MOST_PAGES` reach."""
        found: dict[int, str] = {}
        query = ""
        for _ in range(MOST_PAGES):
            page = self._page(query)
            found |= {int(number): word.strip().upper() for number, word in ROW.findall(page)}
            if not (more := NEXT.search(page)):
                break
            query = more[1].replace("&amp;", "&")
        return found

    def counts(self) -> dict[str, int]:
        return {status.upper(): int(count.replace(",", "")) for status, count in COUNT.findall(self._page(""))}

    def _page(self, query: str) -> str:
        text: bytes = self._open(f"{self._url}?{query}", timeout=60).read()
        return text.decode()
