"""ComfyUI's graphs: the texts that conditioned the sampler, wherever links lead."""

from __future__ import annotations

import json
import time

import pytest
from comfyui_kit import graph, node, read, texts
from generated_files import GRAPH, commented, png, saved
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from interrogator.metadata import read_parameters
from interrogator.metadata.values import MAX_PROMPT

BOAT = ("a paper boat on a pond", "text, watermark")


def test_the_default_workflow() -> None:
    found = read(GRAPH)
    assert (found.prompt, found.negative) == BOAT
    assert dict(found.settings) == {
        "Steps": "20",
        "Sampler": "euler",
        "Scheduler": "normal",
        "CFG scale": "7",
        "Seed": "42",
        "Denoise": "1",
        "Model": "dreamshaper_8.safetensors",
        "Size": "512x768",
    }


def test_the_graph_may_hold_what_is_no_json_number() -> None:
    text = json.dumps(graph(n6={**node("CLIPTextEncode", text="a boat"), "is_changed": [float("nan")]}))
    assert "NaN" in text
    found = read_parameters(png({"prompt": text}))
    assert found is not None
    assert found.prompt == "a boat"


def test_in_webp_the_graph_is_in_the_camera_s_fields() -> None:
    block = Image.Exif()
    block[0x010F], block[0x0110] = "workflow:{}", f"prompt:{json.dumps(GRAPH)}"
    found = read_parameters(saved("WEBP", exif=block.tobytes()))
    assert found is not None
    assert (found.prompt, found.negative) == BOAT


def test_in_jpeg_the_graph_may_be_the_comment() -> None:
    found = read_parameters(commented("JPEG", b"ASCII\0\0\0" + json.dumps({"prompt": GRAPH}).encode()))
    assert found is not None
    assert (found.prompt, found.negative) == BOAT


def test_a_text_that_comes_from_another_node() -> None:
    assert (
        texts(graph(n6=node("CLIPTextEncode", text=["20", 0]), n20=node("PrimitiveStringMultiline", value="x")))[0]
        == "x"
    )
    shown = node("ShowText|pysssss", text=["21", 0], text_0="a heron")
    wrote = node("SomeLanguageModel", model="m", seed=1)
    assert texts(graph(n6=node("CLIPTextEncode", text=["20", 0]), n20=shown, n21=wrote))[0] == "a heron"


def test_texts_put_together() -> None:
    added = {
        "n6": node("CLIPTextEncode", text=["20", 0]),
        "n20": node("StringConcatenate", string_b=["22", 0], string_a=["21", 0], delimiter=", "),
        "n21": node("PrimitiveString", value="a boat"),
        "n22": node("Text Concatenate", text_a="red", text_b="small", delimiter=" and "),
    }
    assert texts(graph(**added))[0] == "a boat, red and small"


def test_conditionings_put_together_and_passed_through_reroutes() -> None:
    added = {
        "n3": {
            "class_type": "KSamplerAdvanced",
            "inputs": {"positive": ["20", 0], "negative": ["23", 0], "noise_seed": 8},
        },
        "n20": node("ConditioningCombine", conditioning_1=["6", 0], conditioning_2=["21", 0]),
        "n21": node("ConditioningSetArea", conditioning=["22", 0], width=64),
        "n22": node("CLIPTextEncode", text="a duck"),
        "n23": {"class_type": "Reroute", "inputs": {"": ["7", 0]}},
    }
    assert texts(graph(**added)) == ("a paper boat on a pond\na duck", "text, watermark")
    assert dict(read(graph(**added)).settings)["Seed"] == "8"


def test_a_node_between_with_both_sides_keeps_them_apart() -> None:
    sampler = node("KSampler", positive=["20", 0], negative=["20", 1], seed=1)
    control = node("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0], strength=1.0)
    assert texts(graph(n3=sampler, n20=control)) == BOAT


def test_models_with_two_encoders() -> None:
    sdxl = node("CLIPTextEncodeSDXL", text_g="a boat", text_l="a boat", width=1024)
    assert texts(graph(n6=sdxl))[0] == "a boat"
    flux = node("CLIPTextEncodeFlux", clip_l="boat", t5xxl="a boat on a pond", guidance=3.5)
    assert texts(graph(n6=flux))[0] == "boat\na boat on a pond"


def test_loaders_that_hold_both_texts() -> None:
    loader = node("Efficient Loader", positive="a boat", negative="fog", ckpt_name="x.safetensors")
    sampler = node("KSampler (Efficient)", positive=["20", 1], negative=["20", 2], seed=1)
    assert texts(graph(n3=sampler, n20=loader)) == ("a boat", "fog")


def flux(**guider: object) -> dict[str, object]:
    return {
        "5": node("EmptySD3LatentImage", width=1024, height=1024, batch_size=1),
        "6": node("CLIPTextEncode", text="a glass bird", clip=["11", 0]),
        "7": node("CLIPTextEncode", text="cracks", clip=["11", 0]),
        "8": node("VAEDecode", samples=["13", 0], vae=["10", 0]),
        "9": node("SaveImage", filename_prefix="f", images=["8", 0]),
        "12": node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default"),
        "13": node(
            "SamplerCustomAdvanced",
            noise=["25", 0],
            guider=["22", 0],
            sampler=["16", 0],
            sigmas=["17", 0],
            latent_image=["5", 0],
        ),
        "16": node("KSamplerSelect", sampler_name="euler"),
        "17": node("BasicScheduler", scheduler="simple", steps=["30", 0], denoise=1.0, model=["12", 0]),
        "22": guider,
        "25": node("RandomNoise", noise_seed=219670278747233),
        "26": node("FluxGuidance", guidance=3.5, conditioning=["6", 0]),
        "30": node("PrimitiveInt", value=24),
    }


def test_flux_with_a_basic_guider() -> None:
    found = read(flux(**node("BasicGuider", model=["12", 0], conditioning=["26", 0])))
    assert (found.prompt, found.negative) == ("a glass bird", "")
    assert dict(found.settings) == {
        "Steps": "24",
        "Sampler": "euler",
        "Scheduler": "simple",
        "Guidance": "3.5",
        "Seed": "219670278747233",
        "Denoise": "1",
        "Model": "flux1-dev.safetensors",
        "Size": "1024x1024",
    }


def test_flux_with_a_guider_of_two_sides() -> None:
    assert texts(flux(**node("CFGGuider", cfg=4.0, positive=["26", 0], negative=["7", 0]))) == (
        "a glass bird",
        "cracks",
    )


def test_a_negative_that_was_zeroed_out_is_none() -> None:
    sampler = node("KSampler", positive=["6", 0], negative=["20", 0])
    assert texts(graph(n3=sampler, n20=node("ConditioningZeroOut", conditioning=["6", 0]))) == (BOAT[0], "")


def test_of_several_samplers_the_last_before_the_picture_counts() -> None:
    first = node("KSampler", positive=["31", 0], negative=["7", 0], seed=1)
    last = node("KSampler", positive=["6", 0], negative=["7", 0], latent_image=["1", 0], seed=2)
    found = read({"1": first, "31": node("CLIPTextEncode", text="a draft"), **graph(n3=last)})
    assert (found.prompt, dict(found.settings)["Seed"]) == (BOAT[0], "2")


def workflow() -> dict[str, object]:
    """The editor's form, as its `workflow` text."""

    def part(key: int, kind: str, widgets: object, **links: int) -> dict[str, object]:
        inputs = [{"name": name, "type": "*", "link": link} for name, link in links.items()]
        return {"id": key, "type": kind, "mode": 0, "inputs": inputs, "outputs": [], "widgets_values": widgets}

    return {
        "last_node_id": 9,
        "nodes": [
            part(3, "KSampler", [42, "randomize", 20, 7, "euler", "normal", 1], positive=4, negative=6, model=1),
            part(4, "CheckpointLoaderSimple", ["dreamshaper_8.safetensors"]),
            part(6, "CLIPTextEncode", ["the text before it was linked"], clip=3, text=10),
            part(7, "CLIPTextEncode", ["text, watermark"], clip=5),
            part(8, "VAEDecode", [], samples=7, vae=8),
            part(9, "SaveImage", ["ComfyUI"], images=9),
            part(11, "PrimitiveNode", ["a paper boat on a pond", "fixed"]),
        ],
        "links": [
            [1, 4, 0, 3, 0, "MODEL"],
            [3, 4, 1, 6, 0, "CLIP"],
            [4, 6, 0, 3, 1, "CONDITIONING"],
            [5, 4, 1, 7, 0, "CLIP"],
            [6, 7, 0, 3, 2, "CONDITIONING"],
            [7, 3, 0, 8, 0, "LATENT"],
            [8, 4, 2, 8, 1, "VAE"],
            [9, 8, 0, 9, 0, "IMAGE"],
            [10, 11, 0, 6, 1, "STRING"],
        ],
        "version": 0.4,
    }


def test_the_editor_s_form_where_there_is_no_other() -> None:
    found = read(workflow(), "workflow")
    assert (found.prompt, found.negative) == BOAT
    assert (dict(found.settings)["Seed"], dict(found.settings)["Sampler"]) == ("42", "euler")


@pytest.mark.parametrize("text", ["6", "20"])
def test_cycles_end(text: str) -> None:
    looped = graph(
        n6=node("CLIPTextEncode", text=[text, 0]),
        n20=node("StringConcatenate", string_a=["20", 0], string_b=["6", 0], delimiter=""),
        n7=node("ConditioningCombine", conditioning_1=["7", 0], conditioning_2=["7", 0]),
    )
    assert read_parameters(png({"prompt": json.dumps(looped)})) is None


def test_a_graph_made_to_grow_is_left_in_time() -> None:
    def level(number: int) -> dict[str, object]:
        return node("Text", **{f"text_{place:02}": [str(number + 1), 0] for place in range(90)})

    levels = {str(number): level(number) for number in range(100, 120)}
    made = graph(n6=node("CLIPTextEncode", text=["100", 0]), **levels, n120=node("Text", text="x" * 30_000))
    started = time.perf_counter()
    found = read_parameters(png({"prompt": json.dumps(made)}))
    assert time.perf_counter() - started < 5
    assert found is not None
    assert len(found.prompt) == MAX_PROMPT


LINK = st.lists(st.sampled_from(["3", "6", "7", "8", "20"]) | st.integers(0, 2), min_size=2, max_size=2)
INPUTS = st.dictionaries(
    st.sampled_from(["text", "positive", "negative", "conditioning", "guider", "delimiter", "string_a", "", "seed"]),
    LINK | st.text(max_size=5) | st.none() | st.integers(),
    max_size=5,
)
NODES = st.builds(
    node, st.sampled_from(["KSampler", "CLIPTextEncode", "SaveImage", "Reroute", "StringConcatenate"])
).flatmap(lambda one: INPUTS.map(lambda inputs: {**one, "inputs": inputs}))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["3", "6", "7", "8", "20"]), NODES))
def test_any_graph_ends(made: dict[str, object]) -> None:
    found = read_parameters(png({"prompt": json.dumps(made)}))
    assert found is None or found.generator == "ComfyUI"
