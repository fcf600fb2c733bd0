"""Images a second of Hugging Face's LLaVA with random weights: one argument, the sizes as JSON; a line of JSON for each batch and length.

Attention is torch's scaled_dot_product_attention, the type bfloat16, decoding greedy and to the last token. Times end with a synchronization.
"""
import json
import statistics
import sys
import time

import torch
import transformers
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

FIRST_WORD = 3


def main():
    sizes = json.loads(sys.argv[1])
    began = time.monotonic()
    device = torch.device(sizes["device"])
    config = config_of(sizes)
    torch.set_default_dtype(torch.bfloat16)
    with device:
        model = LlavaForConditionalGeneration(config).eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0

    for tokens in sizes["tokens"]:
        for batch in sizes["batches"]:
            if time.monotonic() - began > sizes["seconds"]:
                return
            try:
                measure(model, device, sizes, config.image_token_id, tokens, batch)
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                print(f"batch {batch} with {tokens} tokens does not fit", file=sys.stderr)
                break


def config_of(sizes):
    """The model of a size, with one token behind the words for images."""
    image_token = sizes["vocabulary"]
    text = LlamaConfig(
        hidden_size=sizes["hidden"], num_hidden_layers=sizes["layers"], num_attention_heads=sizes["heads"], num_key_value_heads=sizes["kv_heads"],
        intermediate_size=sizes["intermediate"], vocab_size=image_token + 1, max_position_embeddings=4096)
    vision = CLIPVisionConfig(
        hidden_size=sizes["vision_hidden"], intermediate_size=sizes["vision_intermediate"], num_hidden_layers=sizes["vision_layers"],
        num_attention_heads=sizes["vision_heads"], image_size=sizes["image"], patch_size=sizes["patch"])
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_id=image_token, image_token_index=image_token, vision_feature_layer=-2, vision_feature_select_strategy="default")
    config._attn_implementation = "sdpa"
    return config


def features_of(sizes):
    """Positions of an image."""
    return (sizes["image"] // sizes["patch"]) ** 2


def measure(model, device, sizes, image_token, tokens, batch):
    words = torch.randint(FIRST_WORD, sizes["vocabulary"], (batch, sizes["words"]), device=device)
    ids = torch.cat([torch.full((batch, features_of(sizes)), image_token, device=device), words], dim=1)
    pixels = torch.randn(batch, 3, sizes["image"], sizes["image"], device=device, dtype=torch.bfloat16)
    times = []
    for attempt in range(1 + sizes["rounds"]):
        synchronize(device)
        start = time.perf_counter()
        with torch.inference_mode():
            model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
        synchronize(device)
        if attempt > 0:
            times.append(time.perf_counter() - start)

    print(json.dumps({
        "transformers": transformers.__version__, "torch": torch.__version__, "batch": batch, "answer_tokens": tokens, "prompt_positions": ids.shape[1],
        "images_per_second": batch / statistics.median(times),
        "gigabytes_used": torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else 0,
    }), flush=True)


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
