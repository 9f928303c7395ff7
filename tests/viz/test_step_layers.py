"""Stepping through a network by layer: which operations belong to which, and the page in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
from samples import TROUBLE

import nn
from nn.functional import cross_entropy
from tinygrad_edu import DTypeError, GraphError, ShapeError, Value
from viz import Kind, step
from viz.stepping.calls import trace_of_model
from viz.text import entitled, listed, number

X = np.random.default_rng(0).standard_normal((5, 4))
LABELS = np.array([0, 1, 2, 0, 1])


def network():
    return nn.Sequential(
        nn.Linear(4, 8, rng=0), nn.LayerNorm(8), nn.ReLU(), nn.Residual(nn.Linear(8, 8, rng=1)), nn.Linear(8, 3, rng=2)
    )


def loss(scores):
    return cross_entropy(scores, LABELS)


def layers_of(story):
    """For each frame its title, what it holds, and the title of the frame around it."""
    labels = {node.id: step.label for node, step in zip(story.drawing.nodes, story.nodes, strict=True)}
    titles = {group.id: group.title for group in story.drawing.groups}
    return {g.title: ({labels[id] for id in g.nodes}, titles.get(g.parent, "")) for g in story.drawing.groups}


# -- Which operations belong to which layer ----------------------------------------------------------------------------


def test_each_layer_holds_its_operations_and_parameters():
    story = trace_of_model(network(), (X,), loss)
    assert layers_of(story) == {
        "0: Linear(4, 8)": ({"0.weight", "0.bias", "v1"}, ""),
        "1: LayerNorm(8, eps=1e-05)": ({"1.weight", "1.bias", "v2", "v3", "v4", "v5"}, ""),
        "2: ReLU()": ({"v6"}, ""),
        "3: Residual()": ({"v8"}, ""),
        "3.body: Linear(8, 8)": ({"3.body.weight", "3.body.bias", "v7"}, "3: Residual()"),
        "4: Linear(8, 3)": ({"4.weight", "4.bias", "v9"}, ""),
    }  # x and the loss stand by themselves
    assert all(group.closed for group in story.drawing.groups)
    assert story.drawing.title == "Sequential, step by step"


def test_a_layer_that_wraps_all_others_starts_open():
    class Wrapped(nn.Module):
        def __init__(self):
            self.net = network()

        def forward(self, x):
            return self.net(x)

    story = trace_of_model(Wrapped(), (X,), loss)
    assert [group.title for group in story.drawing.groups if not group.closed] == ["net: Sequential()"]


def test_what_two_layers_share_stands_outside_of_both():
    class Tied(nn.Module):
        def __init__(self):
            self.one, self.two = nn.Linear(4, 4, rng=0), nn.Linear(4, 4, rng=1)
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.two(self.one(x).tanh())

    held = layers_of(trace_of_model(Tied(), (X,), lambda y: y.sum()))
    assert held == {"one: Linear(4, 4)": ({"one.bias", "v1"}, ""), "two: Linear(4, 4)": ({"two.bias", "v3"}, "")}


def test_a_module_called_twice_is_two_layers():
    class Twice(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(4, 4, rng=0)

        def forward(self, x):
            return self.layer(self.layer(x))

    story = trace_of_model(nn.Sequential(nn.Dropout(0.5, rng=0), Twice()), (X,), lambda y: y.sum())
    assert layers_of(story) == {
        "0: Dropout(p=0.5)": ({"v1", "c1"}, ""),
        "1: Twice()": ({"1.layer.weight", "1.layer.bias"}, ""),
        "1.layer: Linear(4, 4)": ({"v2"}, "1: Twice()"),
        "1.layer: Linear(4, 4), call 2": ({"v3"}, "1: Twice()"),
    }
    labels = ["x", "c1", "v1", "1.layer.weight", "1.layer.bias", "v2", "v3", "loss"]
    assert [step.label for step in story.nodes] == labels  # x is the input, not what dropout made of it


def test_a_layer_that_raised_an_error_that_the_model_caught_holds_nothing_else():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError

    class Careful(nn.Module):
        def __init__(self):
            self.bad, self.good = Fails(), nn.Linear(4, 2, rng=0)

        def forward(self, x):
            try:
                x = self.bad(x)
            except ValueError:
                x = x * 1
            return self.good(x)

    held = layers_of(trace_of_model(nn.Sequential(Careful(), nn.Linear(2, 2, rng=0)), (Value(X),), lambda y: y.sum()))
    assert {title: around for title, (_, around) in held.items()} == {
        "0: Careful()": "",
        "0.good: Linear(4, 2)": "0: Careful()",
        "1: Linear(2, 2)": "",
    }
    assert "v1" in held["0: Careful()"][0]


def test_a_loss_that_is_a_module_is_a_layer_of_its_own():
    story = trace_of_model(network(), (X,), lambda y: nn.MSELoss()(y, np.ones((5, 3))))
    title = next(t for t in layers_of(story) if "MSELoss" in t)
    assert story.nodes[-1].label in layers_of(story)[title][0]


def test_a_loss_of_several_operations_is_a_layer():
    story = trace_of_model(network(), (X,), lambda y: ((y - 1) ** 2).mean())
    assert layers_of(story)["loss"][0] >= {"v10", "loss"}
    assert next(group for group in story.drawing.groups if group.title == "loss").closed


def test_long_paths_keep_their_last_parts():
    class Deep(nn.Module):
        def __init__(self):
            self.a_rather_long_name = nn.Sequential(nn.Sequential(nn.Linear(4, 1, rng=0)))

        def forward(self, x):
            return self.a_rather_long_name(x)

    labels = {step.label for step in trace_of_model(Deep(), (X,), lambda y: y.sum()).nodes}
    assert {"….0.0.weight", "….0.0.bias"} <= labels


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(4, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=3))
    state, values = model.state_dict(), [p.grad for p in model.parameters()]
    first = trace_of_model(model, (X,), lambda y: y.sum())
    second = trace_of_model(model, (X,), lambda y: y.sum())
    assert first == second  # the same mask, the same running mean
    assert all(np.array_equal(a, model.state_dict()[k]) for k, a in state.items())
    assert [p.grad for p in model.parameters()] == values == [None] * 4


def test_gradients_are_those_of_the_engine():
    model = network()
    story = trace_of_model(model, (X,), loss)
    loss(model(X)).backward()
    told = {step.label: step.gradient for step in story.nodes}
    for path, p in model.named_parameters():
        assert told[path] == pytest.approx((p.grad.mean(), p.grad.min(), p.grad.max()))


@pytest.mark.parametrize("frozen", [0, 4])
def test_a_frozen_layer_has_no_gradient_and_the_others_have_theirs(frozen):
    model = network()
    model[frozen].freeze()
    story = trace_of_model(model, (X,), loss)
    assert [p.requires_grad for p in model[frozen].parameters()] == [False, False]
    loss(model(X)).backward()
    told = {step.label: step for step in story.nodes}
    for path, p in model.named_parameters():
        assert told[path].kind is Kind.PARAMETER
        expected = None if p.grad is None else pytest.approx((p.grad.mean(), p.grad.min(), p.grad.max()))
        assert told[path].gradient == expected
        assert (p.grad is None) == path.startswith(f"{frozen}.")
    label = [step.label for step in story.nodes]
    assert not [s for s in story.backward if label[s.source].startswith(f"{frozen}.")]
    title = f"{frozen}: Linear({'4, 8' if frozen == 0 else '8, 3'})"
    assert {f"{frozen}.weight", f"{frozen}.bias"} < layers_of(story)[title][0]  # drawn with its layer all the same


def test_a_frozen_model_has_nothing_to_show():
    with pytest.raises(GraphError, match="all parameters of Sequential are frozen, so no gradient flows"):
        trace_of_model(network().freeze(), (X,), loss)
    with pytest.raises(GraphError, match="step: Sequential has no parameters, so no gradient flows"):
        trace_of_model(nn.Sequential(nn.ReLU()), (X,), loss)


def test_long_titles_keep_their_end():
    class Deep(nn.Module):
        def __init__(self):
            self.translation_model = nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(4, 1, rng=0), nn.Tanh())))

        def forward(self, x):
            return self.translation_model(x)

    titles = set(layers_of(trace_of_model(Deep(), (X,), lambda y: y.sum())))
    assert titles == {
        "translation_model: Sequential()",
        "translation_model.0: Sequential()",
        "translation_model.0.0: Sequential()",
        "translation_model.0.0.0: Linear(4, 1)",
        "translation_model.0.0.1: Tanh()",
    }
    assert (
        entitled("translation_model.encoder.layers.0.norm1", "LayerNorm(8)") == "….encoder.layers.0.norm1: LayerNorm(8)"
    )
    assert entitled("a" * 60, "Tanh()") == "a" * 60 + ": Tanh()"


@pytest.mark.parametrize(
    ("what", "inputs", "options", "error", "says"),
    [
        (3, (), {}, DTypeError, "got int, expected a Value, or a Module"),
        (network(), (), {}, DTypeError, r"no inputs; pass an example, as in step\(model, x\)"),
        (
            network(),
            (X,),
            {},
            ShapeError,
            r"the model returned shape \(5, 3\), expected a single number; give a loss=",
        ),
        (network(), (X,), {"loss": 3}, DTypeError, "a loss of type int, expected a function"),
        (network(), (X,), {"loss": lambda y: 1.0}, DTypeError, "loss returned float, expected a Value"),
        (network(), (X,), {"loss": lambda y: y * 2}, ShapeError, r"loss returned shape \(5, 3\)"),
        (network(), (np.ones((5, 3)),), {"loss": loss}, ShapeError, "linear: got an input of shape"),
        (network(), (X,), {"loss": loss, "names": 3}, DTypeError, "names of type int"),
        (Value(2.0) * 3, (X,), {}, DTypeError, "got ndarray after a Value, .* only a Module takes inputs"),
        (network(), (X,), {"names": X}, DTypeError, "step: got names of type ndarray"),
        (Value(2.0) * 3, (), {"names": "title"}, DTypeError, "step: got names of type str"),
        (Value(np.ones(3)) * 2, (), {}, ShapeError, r"step: got a Value of shape \(3,\), expected a single number"),
    ],
)
def test_bad_input_is_named(what, inputs, options, error, says):
    with pytest.raises(error, match=says):
        step(what, *inputs, **options)


# -- The page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def visit(open_page, tmp_path):
    """A function that writes the page of a network and opens it."""

    def visit(hash="", model=None, loss=loss):
        path = step(model or network(), X, loss=loss).save(tmp_path / "page.html")
        return open_page(path, hash, inside=True, viewport={"width": 1280, "height": 900})

    return visit


def titles(page):
    return page.evaluate("STEPS.map((step) => TITLES[step.kind](step))")


def layer(page, name):
    """The box or frame of a layer."""
    return page.locator(f'g.cluster[aria-label^="{name}"]')


def box(page, name):
    """The lines that a layer's box shows."""
    texts = layer(page, name).locator("text")
    return [text.text_content() for text in texts.all() if text.is_visible()]


def test_a_closed_layer_is_one_step(visit):
    page = visit()
    assert titles(page) == [
        "The inputs, and the question",
        "Forward: 0: Linear(4, 8)",
        "Forward: 1: LayerNorm(8, eps=1e-05)",
        "Forward: 2: ReLU()",
        "Forward: 3: Residual()",
        "Forward: 4: Linear(8, 3)",
        "Forward: compute loss = CE(v9, labels=(5,) int64)",
        "Turn round: the gradient of loss is 1",
        "Backward: what v9 gets from loss = CE(v9, labels=(5,) int64)",
        "Backward through 4: Linear(8, 3)",
        "Backward through 3: Residual()",
        "Backward through 2: ReLU()",
        "Backward through 1: LayerNorm(8, eps=1e-05)",
        "Backward through 0: Linear(4, 8)",
        "Done: the gradient of each input",
    ]


def test_boxes_show_numbers_as_they_become_known(visit):
    model = network()
    hidden = model[0](X)
    loss(nn.Sequential(*list(model)[1:])(hidden)).backward()
    page = visit()
    assert box(page, "0: Linear")[1:] == ["v1 (5, 8) float64", "value mean ?", "largest gradient ?"]
    page.keyboard.press("ArrowRight")
    assert box(page, "0: Linear")[2] == f"value mean {number(hidden.data.mean())}"
    assert "computed from x; 1 operation in this layer\n" in page.inner_text("#step")
    page.evaluate("go(9)")
    says = page.inner_text("#step")
    for name in ("weight", "bias"):
        assert f"gradient of 4.{name}: {listed(getattr(model[4], name).grad)}" in says  # of 24 numbers, and of 3
    page.evaluate("go(12)")
    largest = np.abs(hidden.grad).max()
    assert box(page, "0: Linear")[3] == f"largest gradient {number(largest)}"


def test_opening_a_layer_steps_through_its_operations_and_closing_goes_back(visit):
    page = visit("#step=2")
    page.get_by_role("button", name="Step through its 4 operations").click()
    assert page.inner_text("#step h2") == "Step 2 of 22 Forward: compute v2 = center(v1, axis=(-1,))"
    assert page.locator('[id="n5"]').is_visible()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    for _ in range(4):
        page.get_by_role("button", name="Next").click()
    assert page.inner_text("#step h2").endswith("Forward: compute v4 = v3 × 1.weight")
    page.get_by_role("button", name="Close 1: LayerNorm").click()
    assert page.inner_text("#step h2") == "Step 2 of 14 Forward: 1: LayerNorm(8, eps=1e-05)"
    assert not page.locator('[id="n5"]').is_visible()


def test_no_words_overlap_however_layers_are_opened(visit):
    page = visit()
    for opened in range(6):
        for at in (0, 7, "STEPS.length - 1"):
            page.evaluate(f"go({at})")
            assert page.evaluate(TROUBLE, "#graph svg:not(.unseen)") == []
        page.evaluate(f"GROUPS[{opened}] && layers.set(GROUPS[{opened}], false)")


def test_every_layer_closes_and_opens_at_every_step(visit):
    page = visit()
    for id in ("g0", "g3", "g4", "g5"):
        for where in (0, 3, "STEPS.length - 2", "STEPS.length - 1"):
            page.evaluate(f"go({where})")
            for _ in range(2):
                page.evaluate(
                    f"(() => {{ const g = layers.groups.find(({{id}}) => id === '{id}'); layers.set(g, !g.closed); }})()"
                )
                assert page.inner_text("#step h2").startswith(
                    f"Step {at(page)} of {page.evaluate('STEPS.length - 1')} "
                )
                assert 0 <= at(page) < page.evaluate("STEPS.length")


def at(page):
    return page.evaluate("current")


def test_titles_open_and_close_and_stay_in_sight(visit):
    page = visit("#step=14")
    frame = page.locator("#graph").bounding_box()
    for _ in range(2):
        title = layer(page, "1: LayerNorm").locator("text").first
        title.click()
        seen = title.bounding_box()
        assert frame["x"] <= seen["x"] <= frame["x"] + frame["width"] - seen["width"]
        assert frame["y"] <= seen["y"] <= frame["y"] + frame["height"]
    assert layer(page, "1: LayerNorm").get_attribute("aria-expanded") == "false"


def test_layers_inside_layers_open_one_by_one(visit):
    page = visit()
    outer, inner = layer(page, "3: Residual"), layer(page, "3.body: Linear")
    assert not inner.is_visible()
    outer.focus()
    page.keyboard.press("Enter")
    assert "Forward: 3.body: Linear(8, 8)" in titles(page)
    assert "Forward: compute v8 = v6 + v7" in titles(page)
    inner.focus()
    page.keyboard.press("Space")
    assert "Forward: compute v7 = linear(v6, 3.body.weight, 3.body.bias)" in titles(page)


def test_a_link_opens_at_a_step_with_the_same_layers_open(visit):
    page = visit()
    page.evaluate("layers.set(GROUPS[1], false)")
    page.evaluate("go(3)")
    link = page.get_attribute("#link", "href")
    assert link == "#step=3&open=g1"
    other = visit(link)
    assert other.inner_text("#step h2") == page.inner_text("#step h2")
    other.evaluate("location.hash = '#step=1'")
    other.wait_for_function("current === 1 && layers.groups.every((group) => group.closed)")


def test_a_step_marks_boxes_and_the_arrows_between_them(visit):
    page = visit("#step=2")
    assert layer(page, "1: LayerNorm").get_attribute("class") == "cluster closed now"
    assert layer(page, "0: Linear").get_attribute("class") == "cluster closed from"
    assert page.locator("g.edge.ahead").evaluate_all("all => all.filter((e) => e.getClientRects().length).length") == 1
    page.evaluate("go(10)")
    assert layer(page, "3: Residual").get_attribute("class") == "cluster closed from now"  # its parameters get theirs
    assert layer(page, "2: ReLU").get_attribute("class") == "cluster closed now"


def test_tab_reaches_every_layer_and_a_node_however_one_moves(visit):
    page = visit()
    stops = """[...document.querySelectorAll('#graph [tabindex="0"]')].filter(e => e.getClientRects().length).map(e => e.id)"""
    assert page.evaluate(stops) == ["g0", "g1", "g2", "g3", "g5", "n18"]
    page.locator('[id="n0"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(stops) == ["g0", "g1", "g2", "g3", "g5", "n0"]


def test_a_loss_of_several_operations_leaves_a_node_to_tab_to(visit):
    page = visit(loss=lambda y: ((y - 1) ** 2).mean())
    stops = (
        """[...document.querySelectorAll('#graph .node[tabindex="0"]')].filter(e => e.getClientRects().length).length"""
    )
    assert page.evaluate(stops) == 1


def test_up_and_down_skip_what_is_inside_closed_layers(visit):
    page = visit()
    page.locator('[id="n0"]').focus()
    seen = []
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        seen.append(page.evaluate("label(Number(document.activeElement.dataset.at))"))
    assert seen == ["loss", "x", "loss"]


def test_derivations_work_in_an_opened_layer_and_practice_says_why_not(visit):
    page = visit()
    page.evaluate("layers.set(GROUPS.at(-1), false)")
    page.locator("g.node", has_text="4.weight").click()
    assert "4.weight" in page.inner_text("#derivation h2")
    page.keyboard.press("Escape")
    assert not page.locator("#derivation").is_visible()
    assert page.get_by_label("Practice").is_disabled()  # arrays are no numbers to ask for
    assert "single number" in page.locator("label", has_text="Practice").get_attribute("title")


def test_large_networks_open_by_layer_too(visit):
    layers = [nn.TransformerEncoderLayer(4, 2, 8, rng=i) for i in range(10)]
    page = visit(model=nn.Sequential(Row(), *layers, Row()))
    assert page.evaluate("NODES.length") > 500
    assert page.evaluate("STEPS.length") < 40
    layer(page, "5: TransformerEncoderLayer").press("Enter")
    assert "Forward: 5.norm1: LayerNorm(4, eps=1e-05)" in titles(page)


def test_hostile_names_of_layers_are_text(visit):
    class Hostile(nn.Module):
        def __init__(self):
            names = ["</script><b>", 'quo"te\\', "new\nline\u202e", "中文", "&amp;'", "x" * 10_000]
            self.held = {name: nn.Linear(4, 4, rng=0) for name in names}

        def forward(self, x):
            for inner in self.held.values():
                x = inner(x)
            return x

    page = visit(model=nn.Sequential(Hostile(), nn.Linear(4, 3, rng=0)))
    assert "Forward: 0: Hostile()" in titles(page)
    page.evaluate("layers.setAll(() => false)")
    shown = page.locator("g.cluster text").all_text_contents()
    for says in (
        "</script><b>: Linear",
        r'quo"te\: Linear'.replace("\\\\", "\\"),
        r"new\nline\u202e",
        "中文: Linear",
        "&amp;'",
    ):
        assert any(says in text for text in shown)
    assert page.locator("b b").count() == 0


def test_recurrent_networks_step_by_layer_without_frames(visit):
    class Read(nn.Module):
        def __init__(self):
            self.gru, self.out = nn.GRU(4, 4, rng=0), nn.Linear(4, 3, rng=1)

        def forward(self, x):
            return self.out(self.gru(x)[0][-1])

    page = visit(model=nn.Sequential(Steps(), Read()))
    assert page.evaluate("NODES.length") > 300
    assert page.evaluate("svg.querySelector('g.graph')") is None
    assert "Forward: 1.gru: GRU(4, 4)" in titles(page)
    count = len(titles(page))
    page.evaluate("go(STEPS.findIndex((s) => s.layer && NAMES.get(s.layer).includes('GRU')))")
    page.get_by_role("button", name="Step through its").click()
    assert len(titles(page)) > count + 300
    page.get_by_role("button", name="Close 1.gru").click()
    assert len(titles(page)) == count
    page.keyboard.press("End")


class Steps(nn.Module):
    """Fifteen steps of the five examples."""

    def forward(self, x):
        return np.stack([x.data * k for k in range(15)])


class Row(nn.Module):
    """Examples as one sequence, and back."""

    def forward(self, x):
        return x.reshape(5, 1, 4) if x.ndim == 2 else x.reshape(5, 4)
