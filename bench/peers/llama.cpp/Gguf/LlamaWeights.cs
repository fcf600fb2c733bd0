using Llava.Benchmarks.LlamaCpp.Peer;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Evaluation.Speed;

namespace Llava.Benchmarks.LlamaCpp.Gguf;

/// <summary>A language model's random weights as a GGUF file of llama.cpp's architecture <c>llama</c>, without a vocabulary.</summary>
internal static class LlamaWeights
{
    private static readonly (string Ours, string Theirs)[] LayerNames =
    [
        ("input_layernorm", "attn_norm"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"), ("post_attention_layernorm", "ffn_norm"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
    ];

    /// <summary>Writes the file.</summary>
    /// <param name="random">The weights.</param>
    /// <param name="type">Of the matrices; norms are float32, and the head of a four-bit model has eight, as ours.</param>
    /// <param name="path">Where to.</param>
    public static void Save(RandomWeights random, GgmlType type, string path)
    {
        var config = random.Config.LanguageModel;
        GgufFile file = new();
        Describe(file, config);
        foreach (var parameter in ModelParameters.OfLanguageModel(config))
        {
            var name = NameOf(parameter.Name[ModelParameters.LanguageModel.Length..]);
            var heads = name.Contains("attn_q", StringComparison.Ordinal) ? config.Heads : name.Contains("attn_k", StringComparison.Ordinal) ? config.KeyValueHeads : 0;
            file.Add(new GgufTensor(name, TypeOf(name, parameter, type), parameter.Shape, () => Numbers(random, parameter, heads)));
        }

        file.Save(path);
    }

    private static void Describe(GgufFile file, LanguageModelConfig config)
    {
        file.Add("general.architecture", "llama");
        file.Add("llama.vocab_size", (uint)config.VocabularySize);
        file.Add("llama.context_length", (uint)config.MaxPositions);
        file.Add("llama.embedding_length", (uint)config.HiddenSize);
        file.Add("llama.block_count", (uint)config.Layers);
        file.Add("llama.feed_forward_length", (uint)config.IntermediateSize);
        file.Add("llama.attention.head_count", (uint)config.Heads);
        file.Add("llama.attention.head_count_kv", (uint)config.KeyValueHeads);
        file.Add("llama.attention.layer_norm_rms_epsilon", (float)config.NormEpsilon);
        file.Add("llama.rope.dimension_count", (uint)config.HeadSize);
        file.Add("llama.rope.freq_base", (float)config.RopeTheta);
        file.Add("tokenizer.ggml.model", "no_vocab");
    }

    private static string NameOf(string name)
    {
        switch (name)
        {
            case "embed_tokens.weight":
                return "token_embd.weight";
            case "norm.weight":
                return "output_norm.weight";
            case "lm_head.weight":
                return "output.weight";
        }

        var parts = name.Split('.', 3);
        var known = LayerNames.Single(pair => parts[2] == $"{pair.Ours}.weight");
        return $"blk.{parts[1]}.{known.Theirs}.weight";
    }

    private static GgmlType TypeOf(string name, ModelParameter parameter, GgmlType type) =>
        parameter.Shape.Count == 1 ? GgmlType.F32 : name == "output.weight" ? GgmlType.Q8_0 : type;

    private static float[] Numbers(RandomWeights random, ModelParameter parameter, int heads)
    {
        using var tensor = random.Read(parameter.Name);
        using var values = tensor.to(TorchSharp.torch.ScalarType.Float32);
        float[] numbers = [.. values.data<float>()];
        return heads == 0 ? numbers : Paired(numbers, heads, (int)(parameter.Shape[0] / heads), (int)parameter.Shape[1]);
    }

    /// <summary>llama.cpp rotates neighbours where LLaMA's checkpoints pair a head's halves: rows (2, size/2) become (size/2, 2).</summary>
    private static float[] Paired(float[] rows, int heads, int size, int columns)
    {
        var paired = new float[rows.Length];
        for (var row = 0; row < heads * size; row++)
        {
            var (head, line) = Math.DivRem(row, size);
            var target = (head * size) + (line % (size / 2) * 2) + (line / (size / 2));
            Array.Copy(rows, (long)row * columns, paired, (long)target * columns, columns);
        }

        return paired;
    }
}
