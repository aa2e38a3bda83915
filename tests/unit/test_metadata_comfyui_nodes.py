"""ComfyUI: nodes of widespread extensions that hold, choose, pass on or mix the texts in ways of their own."""

from __future__ import annotations

import json

import pytest
from comfyui_kit import graph, node, read, texts
from generated_files import GRAPH, saved
from PIL import Image

from interrogator.metadata import read_parameters

NEGATIVE = "text, watermark"


def efficient_loader(positive: object, negative: object) -> dict[str, object]:
    """Its outputs are the model, the two conditionings, the latent image and more."""
    return node(
        "Efficient Loader", ckpt_name="x.safetensors", positive=positive, negative=negative, empty_latent_width=512
    )


def test_a_loader_whose_texts_are_both_linked_keeps_them_apart() -> None:
    made = graph(
        n3=node("KSampler (Efficient)", positive=["20", 1], negative=["20", 2], model=["20", 0], seed=1),
        n20=efficient_loader(["21", 0], ["22", 0]),
        n21=node("PrimitiveStringMultiline", value="a boat"),
        n22=node("PrimitiveStringMultiline", value="fog"),
    )
    assert texts(made) == ("a boat", "fog")


def test_a_second_sampler_behind_one_that_passes_the_conditionings_on() -> None:
    made = graph(
        n8=node("VAEDecode", samples=["30", 3]),
        n30=node("KSampler (Efficient)", positive=["31", 1], negative=["31", 2], latent_image=["31", 3], seed=2),
        n31=node("KSampler (Efficient)", positive=["20", 1], negative=["20", 2], seed=1),
        n20=efficient_loader("a boat", "fog"),
    )
    assert texts(made) == ("a boat", "fog")
    assert dict(read(made).settings)["Seed"] == "2"


@pytest.mark.parametrize("linked", [True, False])
def test_texts_that_go_through_a_pipe(linked: bool) -> None:
    positive, negative = (["21", 0], ["22", 0]) if linked else ("a boat", "fog")
    made = graph(
        n3=node("easy kSampler", pipe=["23", 0], image_output="Save"),
        n23=node("easy preSampling", pipe=["20", 0], steps=12, seed=5, sampler_name="euler"),
        n20=node("easy fullLoader", ckpt_name="x.safetensors", positive=positive, negative=negative),
        n21=node("easy positive", positive="a boat"),
        n22=node("easy negative", negative="fog"),
        n8=node("SaveImage", images=["3", 1]),
    )
    assert texts(made) == ("a boat", "fog")
    assert dict(read(made).settings)["Steps"] == "12"


def test_a_pipe_that_is_taken_apart_again() -> None:
    made = graph(
        n3=node("KSampler", positive=["24", 3], negative=["24", 4], seed=1),
        n24=node("FromBasicPipe", basic_pipe=["23", 0]),
        n23=node("ToBasicPipe", model=["4", 0], positive=["6", 0], negative=["7", 0]),
    )
    assert texts(made) == ("a paper boat on a pond", NEGATIVE)


def test_of_a_text_with_wildcards_what_they_became_counts() -> None:
    processor = node("ImpactWildcardProcessor", wildcard_text="a {red|blue} car", populated_text="a blue car", seed=1)
    assert texts(graph(n6=node("CLIPTextEncode", text=["20", 0]), n20=processor))[0] == "a blue car"
    encoder = node("ImpactWildcardEncode", wildcard_text="a __colour__ car", populated_text="a blue car", clip=["4", 1])
    assert texts(graph(n6=encoder))[0] == "a blue car"


@pytest.mark.parametrize(
    "display",
    [
        node("ShowText|pysssss", text=["21", 0], text_0="the picture before"),
        node("easy showAnything", anything=["21", 0], text="the picture before"),
    ],
    ids=lambda display: display["class_type"],
)
def test_what_a_display_holds_of_the_picture_before_does_not_count(display: dict[str, object]) -> None:
    made = graph(n6=node("CLIPTextEncode", text=["20", 0]), n20=display, n21=node("Text Multiline", text="a boat"))
    assert texts(made)[0] == "a boat"


def test_a_node_between_may_name_the_sides_in_its_own_way() -> None:
    control = node("CR Multi-ControlNet Stack", base_positive=["6", 0], base_negative=["7", 0], switch="On")
    made = graph(n3=node("KSampler", positive=["20", 0], negative=["20", 1], seed=1), n20=control)
    assert texts(made) == ("a paper boat on a pond", NEGATIVE)


@pytest.mark.parametrize(
    "switch",
    [
        node("ImpactSwitch", select=2, sel_mode=False, input1=["21", 0], input2=["22", 0], input10=["21", 0]),
        node("easy anythingIndexSwitch", index=1, value0=["21", 0], value1=["22", 0]),
        node("CR Text Input Switch", Input=2, text1=["21", 0], text2=["22", 0]),
    ],
    ids=lambda switch: switch["class_type"],
)
def test_of_a_switch_the_chosen_side_counts(switch: dict[str, object]) -> None:
    made = graph(
        n6=node("CLIPTextEncode", text=["20", 0]),
        n20=switch,
        n21=node("Text Multiline", text="a draft"),
        n22=node("Text Multiline", text="a boat"),
    )
    assert texts(made)[0] == "a boat"


def test_many_texts_are_put_together_in_their_order() -> None:
    parts = {f"text_{number}": f"part {number}" for number in (10, 2, 1)}
    made = graph(n6=node("CLIPTextEncode", text=["20", 0]), n20=node("Text Concatenate", delimiter=", ", **parts))
    assert texts(made)[0] == "part 1, part 2, part 10"


@pytest.mark.parametrize(
    ("kind", "inputs", "shown"),
    [
        ("CLIPTextEncodeLumina2", {"user_prompt": "a boat", "system_prompt": "superior"}, "a boat"),
        ("CLIPTextEncodeHunyuanDiT", {"bert": "a boat", "mt5xl": "a boat on a pond"}, "a boat\na boat on a pond"),
        ("CLIPTextEncodeHiDream", {"clip_l": "boat", "clip_g": "boat", "t5xxl": "a", "llama": "b"}, "boat\nb\na"),
        ("smZ CLIPTextEncode", {"text": "a boat", "parser": "A1111", "text_g": "", "text_l": ""}, "a boat"),
        ("BNK_CLIPTextEncodeAdvanced", {"text": "a boat", "token_normalization": "none"}, "a boat"),
        ("TextEncodeQwenImageEdit", {"prompt": "a boat", "image": ["4", 0]}, "a boat"),
        ("Two Texts", {"positive_prompt": "a boat", "negative_prompt": "fog"}, "a boat"),
    ],
)
def test_encoders_of_other_models(kind: str, inputs: dict[str, object], shown: str) -> None:
    assert texts(graph(n6=node(kind, **inputs))) == (shown, NEGATIVE)


def test_a_sampler_that_names_its_conditionings_otherwise() -> None:
    sampler = node("XlabsSampler", conditioning=["6", 0], neg_conditioning=["7", 0], noise_seed=3, steps=25)
    assert texts(graph(n3=sampler)) == ("a paper boat on a pond", NEGATIVE)


def test_what_only_repairs_a_picture_counts_where_nothing_else_made_one() -> None:
    repair = node("FaceDetailer", image=["8", 0], positive=["31", 0], negative=["7", 0], seed=9, steps=8)
    saving = node("SaveImage", images=["30", 0])
    face = node("CLIPTextEncode", text="a face")
    assert texts(graph(n9=saving, n30=repair, n31=face))[0] == "a paper boat on a pond"
    alone = {
        "9": saving,
        "30": {**repair, "inputs": {**repair["inputs"], "image": ["40", 0]}},
        "31": face,
        "7": GRAPH["7"],
    }
    assert texts({**alone, "40": node("LoadImage", image="x.png")}) == ("a face", NEGATIVE)


def test_the_model_is_not_the_one_that_enlarges() -> None:
    made = graph(
        n3=node("KSampler", positive=["6", 0], negative=["7", 0], latent_image=["30", 0], model=["33", 0], seed=1),
        n30=node("VAEEncode", pixels=["31", 0]),
        n31=node("ImageUpscaleWithModel", upscale_model=["32", 0]),
        n32=node("UpscaleModelLoader", model_name="4x-UltraSharp.pth"),
        n33=node("LoraLoader", lora_name="a", model=["34", 0]),
        n34=node("LoraLoader", lora_name="b", model=["35", 0]),
        n35=node("LoraLoader", lora_name="c", model=["4", 0]),
    )
    assert dict(read(made).settings)["Model"] == "dreamshaper_8.safetensors"


def test_a_model_that_a_loader_of_another_kind_names() -> None:
    made = graph(
        n3=node("KSampler", positive=["6", 0], negative=["7", 0], model=["31", 0], seed=1),
        n31=node("ModelSamplingAuraFlow", shift=3.0, model=["32", 0]),
        n32=node("NunchakuZImageDiTLoader", model_name="z_image_turbo_bf16.safetensors"),
    )
    made["4"] = node("CLIPLoader", clip_name="qwen_3_4b.safetensors", type="lumina2")
    assert dict(read(made).settings)["Model"] == "z_image_turbo_bf16.safetensors"


def test_an_encoder_of_both_sides_gives_each_its_own() -> None:
    encoder = node("TextEncodeMageFlowEdit", prompt="a boat", negative_prompt="fog", clip=["4", 1])
    sampler = node("KSampler", positive=["20", 0], negative=["20", 1], seed=1)
    assert texts(graph(n3=sampler, n20=encoder)) == ("a boat", "fog")


def test_a_node_may_be_called_prompt() -> None:
    made = {**graph(n3=node("KSampler", positive=["prompt", 0], negative=["7", 0])), "prompt": GRAPH["6"]}
    assert texts(made) == ("a paper boat on a pond", NEGATIVE)


@pytest.mark.parametrize("tag", [0x010E, 0x010F, 0x0110])
@pytest.mark.parametrize("name", ["prompt:", "Prompt: "])
def test_the_graph_may_be_in_any_of_the_camera_s_fields(tag: int, name: str) -> None:
    block = Image.Exif()
    block[tag] = f"{name}{json.dumps(GRAPH)}"
    found = read_parameters(saved("WEBP", exif=block.tobytes()))
    assert found is not None
    assert (found.generator, found.prompt) == ("ComfyUI", "a paper boat on a pond")
