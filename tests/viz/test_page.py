"""The page of a drawing in a real browser: pan, zoom, search, by mouse and by keyboard; nothing leaves the page."""

from __future__ import annotations

import pytest

from tinygrad_edu import Value, tanh
from viz import graph


@pytest.fixture
def page(browser, tmp_path):
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="</script><b>c")
    y = tanh(a * b + c)
    y.backward()
    path = graph(y, title="tanh(a*b + c)").html(tmp_path / "graph.html")
    complaints = []
    page = browser.new_page(viewport={"width": 900, "height": 700})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url == path.as_uri() or complaints.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert complaints == []


def box(page):
    return [float(n) for n in page.locator("#view svg").get_attribute("viewBox").split()]


def test_zoom_and_pan_by_keyboard_buttons_and_wheel(page):
    start = box(page)
    page.locator("#view").focus()
    page.keyboard.press("+")
    closer = box(page)
    assert closer[2] < start[2]
    page.keyboard.press("ArrowRight")
    assert box(page)[0] > closer[0]
    page.keyboard.press("0")
    assert box(page) == start
    page.get_by_role("button", name="Zoom out").click()
    assert box(page)[2] > start[2]
    page.get_by_role("button", name="Whole picture").click()
    assert box(page) == start
    page.mouse.move(400, 400)
    page.mouse.wheel(0, -200)
    page.wait_for_function("start => document.querySelector('#view svg').viewBox.baseVal.width < start", arg=start[2])


def test_dragging_moves_the_picture(page):
    start = box(page)
    frame = page.locator("#view").bounding_box()
    page.mouse.move(frame["x"] + 200, frame["y"] + 200)
    page.mouse.down()
    page.mouse.move(frame["x"] + 120, frame["y"] + 150)
    page.mouse.up()
    assert box(page)[0] > start[0]
    assert box(page)[1] > start[1]
    assert box(page)[2:] == start[2:]


def test_search_marks_what_it_finds_and_enter_goes_there(page):
    page.get_by_label("Find").fill("tanh")
    assert page.locator("g.hit").count() == 1
    assert page.locator("g.miss").count() == 5
    assert page.locator("#found").text_content() == "1 of 6 nodes"
    page.keyboard.press("Enter")
    assert page.locator("#found").text_content() == "1 of 1 found"
    hit, frame = page.locator("g.hit").bounding_box(), page.locator("#view").bounding_box()
    middle = hit["x"] + hit["width"] / 2, hit["y"] + hit["height"] / 2
    assert middle == pytest.approx((frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2), abs=2)
    page.get_by_label("Find").fill("</script>")
    assert page.locator("g.hit").count() == 1
    page.get_by_label("Find").fill("")
    assert page.locator("g.hit, g.miss").count() == 0


def test_it_is_named_and_has_no_overflow_on_a_phone(page):
    assert page.title() == "tanh(a*b + c)"
    assert page.locator("svg desc").text_content().startswith("6 nodes")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
