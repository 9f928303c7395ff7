"""The step page in a real browser: every control, the sums, practice, other inputs, and what a reader sees.

Each page is opened from its file; a request to anything else, an error or a message in the console fails its test.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_edu import Value, clip, elementwise, leaky_relu, linear, registry, sin, square, tanh, where
from tinygrad_edu.binding import parameters_of
from viz import step
from viz.pages import bundle
from viz.stepping.javascript import formula
from viz.text import digits

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def visit(open_page, tmp_path):
    """A function that writes the page of a Value and opens it."""

    def visit(value, hash="", viewport=DESKTOP, **options):
        path = step(value, title="A page").save(tmp_path / "page.html")
        return open_page(path, hash, inside=True, viewport=viewport, **options)

    return visit


def leaves(**numbers):
    return [Value(float(x), name=name) for name, x in numbers.items()]


def product_and_sum():
    a, b = leaves(a=2, b=-3)
    return a * b + a  # steps: 1 ×, 2 +, 3 seed, 4 v1 of v2, 5 a of v2, 6 a of v1, 7 b of v1, 8 end


def neuron():
    a, b, c = leaves(a=0.5, b=-3, c=1)
    return tanh(a * b + c)


def loss():
    rng = np.random.default_rng(0)
    x = Value(rng.normal(size=(5, 3)), requires_grad=False, name="x")
    W, b, V = Value(rng.normal(size=(4, 3)), name="W"), Value(np.zeros(4), name="b"), Value(rng.normal(size=(2, 4)))
    return square(linear(tanh(linear(x, W, b)), V, np.zeros(2)) - 1).mean()


def at(page):
    return page.evaluate("current")


def card(page):
    return page.inner_text("#step")


def on_node(page, name):
    """What the graph shows of a scalar node: its value, what is said of its gradient, its gradient."""
    return page.evaluate(
        "(name) => { const s = slots[NODES.findIndex((node) => node.label === name)]; return [s[0], s.what, s[3]].map((x) => x.textContent); }",
        name,
    )


# -- Moving through the steps ------------------------------------------------------------------------------------------


def test_forward_and_back_with_the_buttons(visit):
    page = visit(product_and_sum())
    assert "Step 0 of 8" in card(page)
    assert page.is_disabled("#back")
    seen = []
    for _ in range(8):
        page.click("#next")
        seen.append(card(page))
    assert page.is_disabled("#next")
    assert "v1 = a × b = 2 × (-3) = -6" in seen[0]
    assert "v2 = v1 + a = -6 + 2 = -4" in seen[1]
    assert "gradient of v2 = 1" in seen[2]
    assert "d(v1 + a)/d a = 1" in seen[4]
    assert "gradient of a so far = 1" in seen[4]
    assert "a is used twice, and gets a share from each use: 1 to come." in seen[4]
    assert "d(a × b)/d a = b = -3" in seen[5]
    assert "(-3) × 1 = -3" in seen[5]
    assert "gradient of a = 1 + (-3) = -2" in seen[5]
    assert "a = 2.01 gives v2 = -4.02, a change of -0.02; the gradient says -0.02" in seen[7]
    for k in range(7, -1, -1):
        page.click("#back")
        assert at(page) == k
        assert card(page) == (seen[k - 1] if k else card(page))
    page.click("#last")
    assert at(page) == 8
    page.click("#first")
    assert at(page) == 0


def test_rules_show_their_numbers(visit):
    page = visit(neuron(), "#step=5")
    assert "d tanh(v2)/d v2 = 1 - v3² = 1 - (-0.4621)² = 0.7864" in card(page)
    assert "0.7864 × 1 = 0.7864" in card(page)


def test_the_graph_fills_as_the_steps_go(visit):
    page = visit(product_and_sum())
    assert on_node(page, "a") == ["2", "gradient", "?"]
    page.evaluate("go(5)")
    assert on_node(page, "a") == ["2", "so far", "1"]
    page.evaluate("go(6)")
    assert on_node(page, "a") == ["2", "gradient", "−2"]
    page.evaluate("go(1)")
    assert on_node(page, "a") == ["2", "gradient", "?"]
    assert page.evaluate("elements.filter((each) => each.classList.contains('pending')).length") == 1
    assert page.evaluate("document.querySelectorAll('#graph .now').length") == 1
    assert page.evaluate("document.querySelectorAll('#graph .from').length") == 2
    assert page.evaluate("document.querySelectorAll('#graph .ahead').length") == 2


def test_keys(visit):
    page = visit(product_and_sum())
    for key, expected in [
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 8),
        ("ArrowRight", 8),
        ("Home", 0),
    ]:
        page.keyboard.press(key)
        assert at(page) == expected
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Pause"
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Play"
    page.focus("#inputs input")
    page.keyboard.press("ArrowRight")
    assert at(page) == 0  # the field's own


def test_the_scrubber(visit):
    page = visit(product_and_sum())
    page.locator("#scrubber").fill("6")
    assert at(page) == 6
    page.focus("#scrubber")
    page.keyboard.press("ArrowLeft")
    assert at(page) == 5
    assert page.get_attribute("#scrubber", "aria-valuetext").startswith("Step 5 of 8: Backward: what a gets from v2")


def test_play(visit):
    page = visit(product_and_sum())
    page.select_option("#speed", label="very fast")
    page.click("#play")
    page.wait_for_selector("[data-step='8'][aria-current]")
    page.wait_for_selector("#play:text-is('Play')")
    page.evaluate("() => { const own = go; window.seen = []; go = (step) => { seen.push(step); own(step); }; }")
    page.click("#play")  # once more, from the start
    page.wait_for_selector("[data-step='8'][aria-current]")
    page.wait_for_selector("#play:text-is('Play')")
    assert page.evaluate("seen") == list(range(9))


def test_links_to_steps(visit):
    page = visit(product_and_sum(), "#step=7")
    assert at(page) == 7
    assert page.get_attribute("#link", "href") == "#step=7"
    page.click("#back")
    page.click("#link")
    assert page.url.endswith("#step=6")
    page.evaluate("location.hash = '#step=2'")
    page.wait_for_selector("[data-step='2'][aria-current]")
    for hash, expected in [("#step=99999", 8), ("#step=-1", 0), ("#step=x", 0)]:
        assert at(visit(product_and_sum(), hash)) == expected


def test_the_list_of_steps_leads_to_each(visit):
    page = visit(product_and_sum())
    page.click("#steps [data-step='6']")
    assert at(page) == 6
    rows = page.locator("#steps li").all_inner_texts()
    assert len(rows) == 9
    assert "= 1 + (-3) = -2" in rows[6]
    assert rows[7].split() == ["7", "gradient", "of", "b,", "from", "v1"]


def test_the_address_follows_the_link_and_brings_other_inputs_along(visit):
    page = visit(product_and_sum())
    page.fill("#input-0", "7")
    page.keyboard.press("Tab")
    page.evaluate("go(3)")
    page.click("#link")
    assert page.evaluate("location.hash") == "#step=3&inputs=0:7"
    other = visit(product_and_sum(), "#step=3&inputs=0:7")
    assert other.input_value("#input-0") == "7"
    assert on_node(other, "a")[0] == "7"
    for garbage in ("#step=99999999999", "#step=-1", "#open=g7", "#step=2&inputs=9:1,1:x", "#inputs=", "#&&=%"):
        other.evaluate(f"location.hash = '{garbage}'")
        other.wait_for_timeout(50)
        assert on_node(other, "a")[0] == "2"


def test_other_inputs_that_are_no_numbers_say_so(visit):
    page = visit(product_and_sum())
    page.fill("#input-0", "")
    assert "finite number" in page.inner_text("#edited")
    assert on_node(page, "a")[0] == "2"


def test_the_rule_is_tried_with_numbers(visit):
    page = visit(product_and_sum(), "#step=6")
    assert "Try: a + 0.01 makes -6.03 of -6" in card(page)


def test_the_line_below_the_graph_follows_the_steps(visit):
    page = visit(product_and_sum())
    page.hover("#graph g.node >> nth=0")
    page.keyboard.press("End")
    assert "gradient -2" in page.inner_text("#details")
    page.mouse.move(0, 0)
    page.evaluate("go(5)")
    assert "Dashed: where the gradient comes from" in page.inner_text("#details")
    page.evaluate("go(1)")
    assert "Dashed: what it is computed from" in page.inner_text("#details")


def test_in_practice_a_derivation_says_what_is_still_to_come(visit):
    page = visit(product_and_sum(), "#step=5")
    page.get_by_label("Practice").check()
    page.fill("#answer", "1")
    page.click("#question button.main")
    page.locator("#graph g.node").first.click()
    assert "a is used twice, and 1 of its shares is still to come" in page.inner_text("#derivation")
    page.click("#derivation .close")
    assert not page.locator("#derivation").is_visible()


def test_constants_keep_the_digits_that_count(visit):
    (a,) = leaves(a=2)
    page = visit(a * 1.0001, "#step=1")
    assert "a × 1.0001 = 2 × 1.0001 = 2" in card(page)


# -- Where a gradient comes from ---------------------------------------------------------------------------------------


def test_a_chosen_node_shows_its_sum(visit):
    page = visit(product_and_sum())
    page.evaluate(
        "elements[NODES.findIndex((node) => node.label === 'a')].dispatchEvent(new Event('click', {bubbles: true}))"
    )
    text = page.inner_text("#derivation")
    assert "gradient of a = 1 × 1 + (-3) × 1 = -2" in text
    assert "used twice" in text
    assert "d(a × b)/d a = b = -3" in text
    page.click("#derivation .link >> nth=1")
    assert "gradient of v1 = 1 × 1 = 1" in page.inner_text("#derivation")


def test_details_on_hover_and_focus(visit):
    page = visit(product_and_sum(), "#step=6")
    page.locator("#graph .output").hover()
    assert page.inner_text("#details") == "v2 = v1 + a · value -4 · the output, gradient 1"
    page.mouse.move(5, 5)
    page.locator("#graph [tabindex='0']").focus()
    assert page.inner_text("#details").startswith("v2 = v1 + a")
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#details").startswith("v1 = a × b · value -6 · gradient 1 · used by v2")
    page.keyboard.press("Enter")
    assert "Where the gradient of v1 comes from" in page.inner_text("#derivation")


# -- Practice ----------------------------------------------------------------------------------------------------------


def answered(page, text):
    page.fill("#answer", text)
    page.keyboard.press("Enter")
    return page.inner_text("#verdict")


def test_practice_hides_asks_and_tells_what_was_forgotten(visit):
    page = visit(product_and_sum(), "#step=6")
    page.check("#practice")
    assert on_node(page, "a")[-1] == "1"  # not -2
    assert "-2" not in page.inner_text("main").replace("v2", "")
    assert page.inner_text("#ask") == "What is the gradient of a after this step?"
    assert "You forgot the other use: -3 is the share of this use alone" in answered(page, "-3")
    assert "You forgot a sign" in answered(page, "2")
    assert "You forgot this use" in answered(page, "1")
    assert "You forgot a sign: this use's share" in answered(page, "4")
    assert "Type a number" in answered(page, "two")
    assert "Not yet" in answered(page, "17")
    page.click("#hint")
    assert page.inner_text("#verdict") == "The rule: d(a × b)/d a = b"
    assert at(page) == 6
    assert answered(page, "−2") == "Right: -2."
    assert on_node(page, "a")[-1] == "−2"
    assert "gradient of a = 1 + (-3) = -2" in card(page)
    page.click("#next")
    page.click("#show")
    assert "It is 2" in page.inner_text("#verdict")


def test_practice_knows_a_forgotten_incoming_factor(visit):
    page = visit(neuron(), "#step=8")  # a gets from v1 = a × b; b = -3, incoming 0.7864
    page.check("#practice")
    assert "gradient of v1 = 0.7864" in card(page)
    assert "You forgot the incoming factor: -3 is the local derivative" in answered(page, "-3")
    assert "You forgot the local derivative: 0.7864 came in" in answered(page, "0.786")
    assert "and a sign" in answered(page, "3")
    assert "You forgot a sign: the size is right" in answered(page, "2,36")
    assert "do not add them" in answered(page, str(-3 + 0.7864))
    assert "That is the share of b" in answered(page, "0.3932")
    assert answered(page, "-2.36") == "Right: -2.359."


def test_practice_does_not_ask_for_arrays(visit):
    page = visit(loss())
    page.check("#practice")
    asked = page.evaluate("STEPS.map((_, k) => (go(k), isHidden()))")
    kinds = page.evaluate("STEPS.map((step) => step.kind === 'backward' && run.factor[step.share] !== null)")
    assert asked == kinds
    assert not all(asked)


# -- Other inputs ------------------------------------------------------------------------------------------------------


def everything(a, b, c):
    v = tanh(a * b + c) / (1 + square(b)) - (a * a + 1) ** 1.5 * sin(c)
    return v.maximum(-b).sigmoid() + (a + 3).log() * abs(b).sqrt() + clip(c, -1, 1) + leaky_relu(b, 0.2)


def test_other_inputs_give_the_engines_gradients(visit):
    page = visit(everything(*leaves(a=2, b=-3, c=0.5)), "#step=3")
    rng = np.random.default_rng(0)
    for _ in range(5):
        numbers = dict(zip("abc", map(float, rng.normal(size=3)), strict=True))
        for name, x in numbers.items():
            page.get_by_label(f"{name} =", exact=True).fill(repr(x))
        a, b, c = inputs = leaves(**numbers)
        y = everything(*inputs)
        y.backward()
        got = page.evaluate("NODES.map((node, i) => [node.label, run.value[i], run.gradient[i]])")
        assert got[-1][1] == pytest.approx([y.item()], rel=1e-13)
        for label, value, gradient in got:
            if label in numbers:
                assert value == [numbers[label]]
                assert gradient == pytest.approx([{"a": a, "b": b, "c": c}[label].grad], rel=1e-12)
    assert page.inner_text("#edited") == "Computed in this page, by the rules' formulas."
    page.click("#reset")
    assert page.evaluate("run.value") == page.evaluate("recorded().value")
    assert page.get_by_label("a =", exact=True).input_value() == "2"


def test_what_gets_no_gradient_passes_none_on(visit):
    a, b = leaves(a=4, b=1)
    page = visit(a.sqrt() * b)
    for name in "ab":
        page.get_by_label(f"{name} =", exact=True).fill("0")
    a, b = leaves(a=0, b=0)
    (a.sqrt() * b).backward()
    assert a.grad == 0.0  # not 0 · inf
    assert page.evaluate("run.gradient[NODES.findIndex((node) => node.label === 'a')]") == [0]


def test_edited_numbers_reach_text_and_graph(visit):
    page = visit(product_and_sum(), "#step=6")
    page.get_by_label("b =", exact=True).fill("10")
    assert "d(a × b)/d a = b = 10" in card(page)
    assert "gradient of a = 1 + 10 = 11" in card(page)
    assert on_node(page, "a")[-1] == "11"
    page.get_by_label("b =", exact=True).fill("")
    assert page.get_by_label("b =", exact=True).get_attribute("aria-invalid") == "true"
    assert "= 11" in card(page)


def test_what_cannot_be_changed_says_so(visit):
    page = visit(loss())
    assert page.locator("#inputs input").count() == 0
    assert page.inner_text("#inputs").startswith("The inputs of this page cannot be changed: an input is an array")


# -- The formulas of the page against the engine -----------------------------------------------------------------------

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -2.5, 30.0, -800.0, 800.0, math.inf, -math.inf, math.nan]
PARAMETERS = [
    *[(name, {}) for name, function in registry.items() if function.op.elementwise and not function.op.derived],
    ("leaky_relu", {"negative_slope": 0.2}),
    ("elu", {"alpha": 0.5}),
    ("hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("round", {"decimals": 1}),
    ("round", {"decimals": -1}),
    ("nan_to_num", {"nan": 1.5, "posinf": 9.0, "neginf": -9.0}),
]
UNSPECIAL = {"remainder", "floor_divide", "logaddexp", "logaddexp2", "sinc", "logit"}  # equal away from inf only


def cases(op):
    """Inputs of an operation: random ones in its domain, and for most all pairs of the special numbers."""
    rng = np.random.default_rng(len(op.name))
    domains = [op.domain[min(i, len(op.domain) - 1)] for i in range(len(op.arrays))]
    low = [max(domain.low, -3.0) for domain in domains]
    high = [min(domain.high, 3.0) if domain.high > domain.low + 3 else domain.high for domain in domains]
    drawn = rng.uniform(low, high, size=(40, len(domains))).tolist()
    if op.name in UNSPECIAL or len(domains) > 2:
        return drawn
    return drawn + ([[x] for x in SPECIAL] if len(domains) == 1 else [[a, b] for a in SPECIAL for b in SPECIAL])


@pytest.fixture(scope="module")
def calculator(browser):
    page = browser.new_page()
    page.add_script_tag(content=bundle("stepping/functions.js"))
    yield page
    page.close()


@pytest.mark.parametrize(("name", "params"), PARAMETERS)
def test_javascript_is_the_engines(name, params, calculator):
    op = registry[name].op
    defaults = {key: x for key, x in parameters_of(op.forward).defaults.items() if key not in op.arrays}
    rows = cases(op)
    sent = [[repr(x).replace("inf", "Infinity").replace("nan", "NaN") for x in row] for row in rows]
    answers = calculator.evaluate(
        f"""(rows) => rows.map((row) => {{
            const x = row.map(Number), {{forward, derivatives}} = {formula(op, defaults | params)};
            const y = forward(...x);
            return [y, ...derivatives.map((each) => each(y, ...x))].map(Number).map(String);
        }})""",
        sent,
    )
    for row, answer in zip(rows, answers, strict=True):
        inputs = [Value(x) for x in row]
        with np.errstate(all="ignore"):
            y = registry[name](*inputs, **params)
        if y.requires_grad:
            y.backward()
        got = [float(x.replace("Infinity", "inf")) for x in answer]
        expected = [y.item(), *(0.0 if x.grad is None else x.grad for x in inputs)]
        assert got == pytest.approx(expected, rel=1e-12, abs=1e-300, nan_ok=True), (name, row)


@pytest.mark.usefixtures("temporary")
def test_a_users_own_op_steps_edits_and_practises_from_its_definition(visit):
    @elementwise(rules=(lambda g, y, x, slope: where(x > 0, g, slope * g * np.exp(-x * x)),))
    def bent(x, /, slope=0.5):
        """A bent line."""
        return np.where(x > 0, x, slope * x)

    a, b = Value(-1.5, name="a"), Value(2.0, name="b")
    page = visit(bent(a * b, slope=0.25) + a)
    assert page.evaluate("TRACE.fixed") == ""
    moved = page.evaluate("""() => { const inputs = new Map(NODES.map((_, k) => k).filter(isInput).map((k) => [k, NODES[k].value[0]]));
        const i = NODES.findIndex((node) => node.label === "a"); inputs.set(i, 1.25);
        const run = computed(inputs); return [run.value[OUTPUT][0], run.gradient[i][0]]; }""")
    x = Value(1.25)
    y = bent(x * 2.0, slope=0.25) + x
    y.backward()
    assert moved == pytest.approx([y.item(), x.grad])


def test_numbers_are_written_as_in_python(visit):
    page = visit(neuron())
    rng = np.random.default_rng(0)
    numbers = [*(rng.normal(size=300) * 10.0 ** rng.integers(-12, 12, size=300)), *SPECIAL, 1000.5, 1001.5, -2000.5]
    numbers += [0.00012345, 0.00001, 9999.5, 99995.0, 123456.0, 1e-320, 1.7e308, 12345.0, 0.25]
    sent = [repr(float(x)).replace("inf", "Infinity").replace("nan", "NaN") for x in numbers]
    got = page.evaluate("(numbers) => numbers.map((x) => format(Number(x)))", sent)
    assert got == [digits(float(x)) for x in numbers]


# -- For every reader --------------------------------------------------------------------------------------------------


def test_controls_have_names_and_the_keyboard_is_enough(visit):
    page = visit(product_and_sum(), reduced_motion="reduce")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a, [role=button]')].filter((each) =>
            !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length)).map((each) => each.outerHTML)"""
    )
    assert unnamed == []
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.dataset.at || document.activeElement.dataset.step"
            )
        )
        outline = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e.ownerSVGElement ? e.querySelector('path, polygon') : e);"
            " return e === document.body || s.outlineStyle !== 'none' || s.strokeWidth === '4px'; })()"
        )
        assert outline, reached[-1]
    assert {"next", "last", "play", "speed", "practice", "link", "scrubber", "input-1", "0", "8"} <= set(
        filter(None, reached)
    )
    page.focus("#next")
    page.keyboard.press("Enter")
    assert at(page) == 1
    page.focus("#practice")
    page.keyboard.press("Space")
    assert page.is_checked("#practice")
    assert page.get_attribute("#step", "aria-live") == "polite"


OVERLAPS = """() => {
  const found = [], boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest('script, style, svg, option, noscript, .unseen') || !parent.getClientRects().length) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.left < -0.5 || box.right > innerWidth + 0.5) found.push(`outside: ${node.textContent}`);
      for (let e = parent; e !== document.body; e = e.parentElement) {
        const style = getComputedStyle(e), frame = e.getBoundingClientRect();
        if (style.overflow !== 'visible' && (box.right > frame.right + 1 || box.bottom > frame.bottom + 1)) found.push(`clipped: ${node.textContent}`);
      }
      boxes.push([box, node.textContent, Boolean(parent.closest('#controls'))]);  // these stay while the page scrolls under them
    }
  }
  for (const [a, one, above] of boxes) for (const [b, other, too] of boxes)
    if (a !== b && above === too && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
      found.push(`overlap: ${one} | ${other}`);
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
  for (const element of elements) {
    const texts = [...element.querySelectorAll('text')].filter((text) => text.textContent).map((text) => [text.getBBox(), text.textContent]);
    const frame = element.querySelector('path, polygon, rect, ellipse').getBBox();
    for (const [a, one] of texts) {
      if (a.x < frame.x || a.x + a.width > frame.x + frame.width || a.y + a.height > frame.y + frame.height + 1) found.push(`off its node: ${one}`);
      for (const [b, other] of texts)
        if (a !== b && Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 0.5 && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 4)
          found.push(`overlap on a node: ${one} | ${other}`);
    }
  }
  return [...new Set(found)];
}"""


def tiny():
    a, b = leaves(a=-1.234567e-5, b=2)
    return tanh(a * a * b) * a


def hostile():
    a, b = Value(2.0, name="<b>bold</b>" * 1000), Value(3.0, name="名" * 100)
    return tanh(a * b) * Value(0.5, name="\u202ex\n") + a


def long():
    (a,) = leaves(a=0.5)
    v = a
    for k in range(320):
        v = sin(v) if k % 3 else v * a
    return v


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("make", [product_and_sum, neuron, loss, tiny, hostile, long])
def test_no_text_overlaps_or_is_clipped(make, viewport, visit):
    page = visit(make(), viewport=viewport)
    page.evaluate("choose(0)")
    steps = page.evaluate("STEPS.length")
    for k in range(steps) if steps < 40 else (0, 1, 2, steps // 2, steps - 2, steps - 1):
        page.evaluate(f"go({k})")
        assert page.evaluate(OVERLAPS) == [], f"step {k}"
    if page.evaluate("STEPS.some((_, k) => canAsk(k))"):
        page.check("#practice")
        page.evaluate("go(STEPS.findIndex((_, k) => canAsk(k)))")
        page.click("#hint")
        assert page.evaluate(OVERLAPS) == []


def test_names_are_text_on_the_page(visit):
    page = visit(hostile(), "#step=1")
    assert page.locator("b b, #step b").count() == 0
    assert "<b>bold</b>" in card(page)
    assert "\\u202ex\\n" in page.inner_text("#inputs")


def test_dark_print_and_less_motion(visit):
    page = visit(neuron(), color_scheme="dark", reduced_motion="reduce")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, dark[4:-1].split(","))) < 150
    assert page.evaluate("getComputedStyle(document.querySelector('#graph .node polygon')).transitionDuration") == "0s"
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.is_visible("#controls")
    assert "= -0.4621" in page.inner_text("#steps")  # all steps with their results, though at step 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert "= -0.4621" not in page.inner_text("#steps")


# -- Size --------------------------------------------------------------------------------------------------------------


def test_five_thousand_nodes(visit):
    a, b = leaves(a=0.5, b=0.3)
    v = a
    for _ in range(1250):
        v = sin(v) * b + a * 0.9
    page = visit(v)
    assert page.evaluate("NODES.length") > 5000
    page.evaluate("go(SEED + 3000)")
    assert at(page) == page.evaluate("SEED + 3000")
    page.click("#last")
    v.backward()
    assert f"gradient of b = {digits(b.grad)}" in page.inner_text("#step")
