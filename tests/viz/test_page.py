"""The page of a drawing in a real browser: pan, zoom, search, groups, by mouse and by keyboard; nothing leaves the page."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from samples import TROUBLE

import nn
from tinygrad_edu import Value, tanh
from viz import graph


@pytest.fixture
def opened(open_page, tmp_path):
    """A function that opens the page of a picture, with its groups open."""

    def opened(picture, is_open=True, inside=False):
        page = open_page(picture.save(tmp_path / "graph.html"), inside=inside, viewport={"width": 900, "height": 700})
        if is_open and picture.drawing.groups:
            page.get_by_role("button", name="Open groups").click()
            page.get_by_role("button", name="Whole picture").click()
        return page

    return opened


@pytest.fixture
def page(opened):
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="</script><b>c")
    y = tanh(a * b + c)
    y.backward()
    return opened(graph(y, title="tanh(a*b + c)"))


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


def transformer():
    layer = nn.TransformerEncoderLayer(8, 2, 16, rng=0).eval()
    return graph(nn.Sequential(layer, nn.Residual(nn.Linear(8, 8, rng=0))), np.ones((3, 2, 8)), title="two groups")


def boxes_seen(page):
    """Of the nodes and the closed groups that are seen: left, top, right and bottom in the picture's own units."""
    return page.evaluate(
        """() => [...document.querySelectorAll("#view g.node, #view g.closed > rect")]
            .filter(part => part.getClientRects().length).map(part => {
                const box = part.getBBox(), shift = part.transform.baseVal.consolidate()?.matrix ?? {e: 0, f: 0};
                return [box.x + shift.e, box.y + shift.f, box.x + shift.e + box.width, box.y + shift.f + box.height];
            })"""
    )


def overlaps(boxes):
    return [
        (p, q)
        for p, q in combinations(boxes, 2)
        if min(p[2], q[2]) > max(p[0], q[0]) + 0.1 and min(p[3], q[3]) > max(p[1], q[1]) + 0.1
    ]


def drawn(page):
    """All that is seen of the picture."""
    return page.locator("#view svg").evaluate(
        "svg => [...svg.querySelectorAll('g.node, g.edge, g.cluster')].map(g => g.outerHTML).join()"
    )


def test_groups_close_to_a_box_and_open_again(opened):
    page = opened(transformer())
    whole, nodes, start = box(page), len(boxes_seen(page)), drawn(page)
    attention = page.get_by_role("button", name="0.self_attn: MultiheadAttention")
    page.locator("#g1 text").first.click()
    assert attention.get_attribute("aria-expanded") == "false"
    seen = boxes_seen(page)
    assert len(seen) == nodes - 8 + 1
    assert overlaps(seen) == []
    assert box(page)[3] < whole[3] - 300
    outer = page.get_by_role("button", name="0: TransformerEncoderLayer")
    outer.focus()
    page.keyboard.press("Enter")
    assert attention.count() == 0  # it is inside
    assert len(boxes_seen(page)) == nodes - 18 + 1
    page.keyboard.press("Space")
    attention.press("Enter")
    page.get_by_role("button", name="Whole picture").click()
    assert box(page) == whole
    assert drawn(page) == start
    page.get_by_role("button", name="Close groups").click()
    assert overlaps(boxes_seen(page)) == []
    assert len(boxes_seen(page)) == 4  # x, two boxes, output
    assert page.evaluate(TROUBLE, "#view svg") == []


@pytest.mark.usefixtures("engine")
def test_arrows_end_at_the_boxes_of_closed_groups(opened):
    page = opened(transformer())
    page.get_by_role("button", name="Close groups").click()
    tips = page.evaluate(
        """() => [...document.querySelectorAll("#view g.edge")].filter(edge => edge.getClientRects().length).map(edge => {
            const at = edge.querySelector("polygon").transform.baseVal.consolidate().matrix;
            const start = edge.querySelector("path").getPointAtLength(0);
            return [[start.x, start.y], [at.e, at.f]];
        })"""
    )
    assert len(tips) == 3  # in a row, each only once
    for (above, below), (start, tip) in zip(
        pairwise(sorted(boxes_seen(page), key=lambda b: b[1])), sorted(tips, key=lambda ends: ends[0][1]), strict=False
    ):
        assert above[3] - 3 < start[1] < tip[1] < below[1] + 1
        assert start[0] == pytest.approx(tip[0], abs=1) == (below[0] + below[2]) / 2  # and run straight


class Branches(nn.Module):
    """Two columns of layers, side by side."""

    def __init__(self) -> None:
        self.left = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(8, 4, rng=0))
        self.right = nn.Sequential(nn.Linear(4, 16, rng=0), nn.ReLU(), nn.Dropout(0.5, rng=0), nn.Linear(16, 4, rng=0))

    def forward(self, x):
        return self.left(x) + self.right(x)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("name", ["left", "right"])
def test_what_stands_beside_a_closed_group_does_not_run_into_it(opened, name):
    page = opened(graph(Branches(), np.ones((2, 4))))
    before = boxes_seen(page)
    page.locator("g.cluster", has_text=f"{name}: Sequential").locator("text").first.click()
    seen = boxes_seen(page)
    assert len(seen) == len(before) - (2 if name == "left" else 3)
    assert overlaps(seen) == []
    page.get_by_role("button", name="Whole picture").click()
    assert page.evaluate(TROUBLE, "#view svg") == []


class Skip(nn.Module):
    """The third part uses the results of the first and of the second."""

    def __init__(self) -> None:
        self.one, self.two, self.three = (nn.Residual(nn.Linear(4, 4, rng=i)) for i in range(3))

    def forward(self, x):
        first = self.one(x)
        return self.three(first + self.two(first))


def test_arrows_go_round_the_boxes_of_closed_groups(opened):
    page = opened(graph(Skip(), np.ones((2, 4))))
    page.get_by_role("button", name="Close groups").click()
    boxes = boxes_seen(page)
    ways = page.evaluate(
        """() => [...document.querySelectorAll("#view g.edge")].filter(edge => edge.getClientRects().length).map(edge => {
            const path = edge.querySelector("path"), length = path.getTotalLength();
            return Array.from({length: 99}, (_, k) => path.getPointAtLength(length * (k + 1) / 100)).map(({x, y}) => [x, y]);
        })"""
    )
    assert len(ways) == 6  # x, one, two, +, three, output in a row, and from one to +
    for way in ways:
        for left, top, right, bottom in boxes:
            assert not any(left + 2 < x < right - 2 and top + 2 < y < bottom - 2 for x, y in way)


def test_a_group_opens_where_it_stands(opened):
    page = opened(transformer())
    page.get_by_role("button", name="Close groups").click()
    page.get_by_role("button", name="Zoom in").click()
    title = page.locator("#g2 text").first
    before = title.bounding_box()
    page.locator("#g2").click()
    after = title.bounding_box()
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=2)
    assert after["height"] == pytest.approx(before["height"], rel=0.05)


def test_search_looks_into_closed_groups(opened):
    page = opened(transformer())
    page.get_by_role("button", name="Close groups").click()
    page.get_by_label("Find").fill("softmax")
    assert page.locator("#found").text_content() == "1 of 25 nodes and groups"
    page.keyboard.press("Enter")
    assert page.locator("g.hit").is_visible()
    assert page.get_by_role("button", name="0.self_attn: MultiheadAttention").get_attribute("aria-expanded") == "true"
    assert page.get_by_role("button", name="1: Residual").get_attribute("aria-expanded") == "false"


def test_search_finds_groups_and_marks_the_box_that_holds_what_it_finds(opened):
    page = opened(transformer())
    page.get_by_role("button", name="Close groups").click()
    page.get_by_label("Find").fill("softmax")
    assert page.locator("#g0").get_attribute("class") == "cluster closed hit"
    page.get_by_label("Find").fill("multihead")
    assert page.locator("#found").text_content() == "1 of 25 nodes and groups"
    page.keyboard.press("Enter")
    assert page.locator("#g1").is_visible()
    assert page.get_by_role("button", name="0.self_attn: MultiheadAttention").get_attribute("aria-expanded") == "false"


def test_tab_goes_through_groups_in_the_order_of_the_model(opened):
    page = opened(transformer())
    page.locator("#view").focus()
    seen = []
    for _ in range(3):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
    assert seen == ["g0", "g1", "g2"]


@pytest.mark.usefixtures("engine")
def test_arrows_are_measured_where_they_are_drawn(opened):
    """By their curves: the browser's own measure takes a minute for long arrows."""
    page = opened(transformer(), inside=True)
    gaps = page.evaluate(
        """() => [...document.querySelectorAll("#view g.edge path")].map(path => {
            const points = along(path.getAttribute("d")), length = path.getTotalLength();
            const count = Math.ceil(length), drawn = Array.from({length: count}, (_, k) => path.getPointAtLength(length * k / (count - 1)));
            const off = points.map(([x, y]) => Math.min(...drawn.map(p => Math.hypot(p.x - x, p.y - y))));
            const steps = points.slice(1).map((p, k) => Math.hypot(p[0] - points[k][0], p[1] - points[k][1]));
            const [first, last] = [points[0], points.at(-1)];
            return [...off, Math.max(...steps) - 10, Math.hypot(first[0] - drawn[0].x, first[1] - drawn[0].y),
                Math.hypot(last[0] - drawn.at(-1).x, last[1] - drawn.at(-1).y)];
        }).flat()"""
    )
    assert len(gaps) > 1000
    assert max(gaps) < 2.5


def test_what_would_be_too_small_to_read_starts_closed(opened):
    blocks = [
        nn.Sequential(nn.Linear(4, 4 + i % 7, rng=0), nn.Tanh(), nn.Linear(4 + i % 7, 4, rng=0)) for i in range(50)
    ]
    page = opened(graph(nn.Sequential(*blocks), np.ones((2, 4)), detail="layer"), is_open=False)
    assert len(boxes_seen(page)) == 52
    page.get_by_role("button", name="Open groups").click()
    assert len(boxes_seen(page)) == 152
    assert overlaps(boxes_seen(page)) == []


def scale(page):
    """Units of the picture in a pixel; letters are 14 units high."""
    frame = page.locator("#view").bounding_box()
    return max(box(page)[2] / frame["width"], box(page)[3] / frame["height"])


def test_search_comes_close_enough_to_read(opened):
    page = opened(transformer())
    assert scale(page) > 3
    page.get_by_label("Find").fill("softmax")
    page.keyboard.press("Enter")
    assert scale(page) == pytest.approx(1, abs=0.01)
    assert page.locator("g.hit").is_visible()


def test_opening_a_group_keeps_letters_readable(opened):
    page = opened(transformer(), is_open=False)
    before = scale(page)
    assert before < 1.5
    page.locator("#g0").click()
    assert scale(page) == pytest.approx(before)
    page.locator("#g0 text").first.click()
    assert len(boxes_seen(page)) == 4


def test_a_picture_without_groups_offers_none(page):
    assert page.get_by_role("button", name="groups").count() == 0
