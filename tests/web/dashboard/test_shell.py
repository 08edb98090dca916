"""The frames: who may show them, and what they say when nobody does."""

from urllib.parse import quote

import pytest

from tests.web.dashboard.pages import open_pages
from tests.web.edge import APP_URL


async def shell(pages, path="/app", shop="", **headers):
    url = f"{APP_URL}{path}?saleorApiUrl=http%3A%2F%2Fwrong.test&saleorApiUrl={quote(shop)}"
    return await pages.edge.client.get(url, headers=headers)


def ancestors(answer):
    rules = answer.headers["content-security-policy"].split("; ")
    return next(rule for rule in rules if rule.startswith("frame-ancestors"))


@pytest.mark.parametrize("path", ["/app", "/app/", "/app/order"])
async def test_only_the_shops_own_origin_may_frame_a_page(pages, path):
    answer = await shell(pages, path, pages.saleor.api_url)
    assert answer.status_code == 200
    assert ancestors(answer) == "frame-ancestors http://saleor.test"


async def test_the_dashboards_own_origins_may_too(sqlite_url):
    origins = ("https://dashboard.shop.example",)
    async with open_pages(sqlite_url, dashboard_origins=origins) as pages:
        answer = await shell(pages, shop=pages.saleor.api_url)
        assert ancestors(answer).endswith("http://saleor.test https://dashboard.shop.example")
        assert "https://dashboard.shop.example" in answer.text
        assert "SALEOR_KUSTOM_DASHBOARD_ORIGINS" in answer.text


async def test_an_unknown_shops_page_is_framed_by_nobody_and_says_so(pages):
    answer = await shell(pages, shop="http://<b>unknown</b>")
    assert ancestors(answer) == "frame-ancestors 'none'"
    assert "http://&lt;b&gt;unknown&lt;/b&gt; has not installed" in answer.text
    answer = await pages.edge.client.get(f"{APP_URL}/app", headers={"accept-language": "sv"})
    assert "Öppna sidan från Saleor Dashboard" in answer.text


async def test_a_page_has_no_inline_script_or_style_and_sets_no_cookie(pages):
    answer = await shell(pages, shop=pages.saleor.api_url)
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert ' style="' not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.text.count("<script") == answer.text.count('<script src="/static/')


async def test_static_files_are_kept_for_ever_under_their_hash_alone(pages):
    text = (await shell(pages, shop=pages.saleor.api_url)).text
    exact = text.split('src="')[1].split('"')[0]
    answer = await pages.edge.client.get(f"{APP_URL}{exact}")
    assert "immutable" in answer.headers["cache-control"]
    answer = await pages.edge.client.get(f"{APP_URL}{exact.split('?')[0]}?v=older")
    assert "immutable" not in answer.headers["cache-control"]


async def test_the_font_comes_with_its_licence(pages):
    font = await pages.edge.client.get(f"{APP_URL}/static/fonts/inter-latin.woff2")
    assert font.headers["content-type"] == "font/woff2"
    licence = await pages.edge.client.get(f"{APP_URL}/static/fonts/OFL.txt")
    assert "SIL OPEN FONT LICENSE" in licence.text


async def test_scripts_get_their_words_and_no_others(pages):
    answer = await pages.edge.client.get(f"{APP_URL}/static/words/sv.json")
    assert answer.json()["script.copied"] == "Kopierat"
    assert all(key.startswith("script.") for key in answer.json())
    answer = await pages.edge.client.get(f"{APP_URL}/static/words/xx.json")
    assert answer.status_code == 404
