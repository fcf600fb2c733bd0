"""Optimizer steps of Hugging Face's LLaVA: one argument, the sizes as JSON; a line of JSON for each form of training, or one with the losses of a folder's model.

Attention is torch's scaled_dot_product_attention, products are bfloat16 by autocast, layers are recomputed (gradient checkpointing), and AdamW is torch's fused one. What learns is float32,
what stands frozen bfloat16. Times end with a synchronization.
"""
import json
import statistics
import sys
import time

import torch
import transformers
from transformers import LlavaForConditionalGeneration

from baseline import FIRST_WORD, config_of, features_of, synchronize

IGNORED = -100
RATE_OF_NO_CHANGE = 1e-12


class Adapted(torch.nn.Module):
    """A frozen linear layer with a low-rank adapter beside it."""

    def __init__(self, linear, rank, alpha):
        super().__init__()
        self.linear = linear
        self.scaling = alpha / rank
        device = linear.weight.device
        self.a = torch.nn.Parameter(torch.randn(rank, linear.in_features, device=device, dtype=torch.float32) / linear.in_features ** 0.5)
        self.b = torch.nn.Parameter(torch.zeros(linear.out_features, rank, device=device, dtype=torch.float32))

    def forward(self, x):
        learned = torch.nn.functional.linear(torch.nn.functional.linear(x, self.a), self.b)
        return self.linear(x) + learned * self.scaling


def main():
    sizes = json.loads(sys.argv[1])
    began = time.monotonic()
    device = torch.device(sizes["device"])
    if "folder" in sizes:
        print(json.dumps({"losses": curve(sizes, device)}), flush=True)
        return

    for form in sizes["forms"]:
        if time.monotonic() - began > sizes["seconds"]:
            return
        try:
            measure(sizes, device, form)
        except torch.OutOfMemoryError:
            print(f"the form {form} does not fit", file=sys.stderr)
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def measure(sizes, device, form):
    torch.set_default_dtype(torch.float32 if form == "full" else torch.bfloat16)
    config = config_of(sizes)
    with device:
        model = LlavaForConditionalGeneration(config)
    optimizer = prepare(model, form, sizes, device, RATE_OF_NO_CHANGE)
    words = torch.randint(FIRST_WORD, sizes["vocabulary"], (sizes["samples"], sizes["words"]), device=device)
    labels = words.clone()
    labels[:, : sizes["words"] // 2] = IGNORED
    pixels = torch.randn(sizes["samples"], 3, sizes["image"], sizes["image"], device=device, dtype=torch.float32)
    times = []
    for attempt in range(1 + sizes["rounds"]):
        synchronize(device)
        start = time.perf_counter()
        loss = step(model, optimizer, device, words, labels, pixels, config.image_token_id, features_of(sizes))
        synchronize(device)
        if attempt > 0:
            times.append(time.perf_counter() - start)

    print(json.dumps({
        "transformers": transformers.__version__, "torch": torch.__version__, "form": form, "samples": sizes["samples"], "positions": features_of(sizes) + sizes["words"],
        "samples_per_second": sizes["samples"] / statistics.median(times), "loss": loss,
        "gigabytes_used": torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else 0,
    }), flush=True)


def prepare(model, form, sizes, device, rate):
    """Freezes what the form does not train, recomputes layers, and makes the optimizer of the rest."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("vision_tower" not in name and (form == "full" or "multi_modal_projector" in name))
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if form == "lora":
        for parent_name, parent in list(model.named_modules()):
            if "language_model" in parent_name:
                for name, child in list(parent.named_children()):
                    if isinstance(child, torch.nn.Linear) and name != "lm_head":
                        setattr(parent, name, Adapted(child, sizes["rank"], sizes["alpha"]))
    model.train()
    if sizes["recompute"]:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return torch.optim.AdamW([parameter for parameter in model.parameters() if parameter.requires_grad], lr=rate, weight_decay=0.0, fused=True)


def step(model, optimizer, device, words, labels, pixels, image_token, features):
    """One optimizer step on samples that begin with their image; what it cost before."""
    samples = words.shape[0]
    ids = torch.cat([torch.full((samples, features), image_token, device=device), words], dim=1)
    targets = torch.cat([torch.full((samples, features), IGNORED, device=device), labels], dim=1)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels, labels=targets, use_cache=False).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def curve(sizes, device):
    """Losses of a folder's model over steps on given samples: words and labels from the sizes, pixels from a file of float32."""
    model = LlavaForConditionalGeneration.from_pretrained(sizes["folder"], dtype=torch.float32, attn_implementation="sdpa").to(device)
    optimizer = prepare(model, "full", sizes, device, sizes["rate"])
    words = torch.tensor(sizes["ids"], device=device)
    labels = torch.tensor(sizes["labels"], device=device)
    with open(sizes["pixels"], "rb") as file:
        pixels = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).view(*words.shape[:2], 3, sizes["image"], sizes["image"]).to(device)
    return [
        step(model, optimizer, device, words[i], labels[i], pixels[i], model.config.image_token_id, features_of(sizes))
        for i in range(words.shape[0])
    ]


if __name__ == "__main__":
    main()
