using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>Sizes of language models that speed is measured on; weights are random, as speed does not depend on them.</summary>
public static class BenchmarkShape
{
    /// <summary>By name.</summary>
    public static IReadOnlyDictionary<string, LanguageModelConfig> All { get; } = new Dictionary<string, LanguageModelConfig>
    {
        ["tiny"] = Of(hidden: 256, layers: 4, heads: 4, shared: 4, intermediate: 688, vocabulary: 768),
        ["s160"] = Of(hidden: 768, layers: 12, heads: 12, shared: 12, intermediate: 2048, vocabulary: 32_000),
        ["tinyllama"] = Of(hidden: 2048, layers: 22, heads: 32, shared: 4, intermediate: 5632, vocabulary: 32_000),
        ["7b"] = Of(hidden: 4096, layers: 32, heads: 32, shared: 32, intermediate: 11_008, vocabulary: 32_000),
    };

    private static LanguageModelConfig Of(int hidden, int layers, int heads, int shared, int intermediate, int vocabulary) => new()
    {
        HiddenSize = hidden,
        Layers = layers,
        Heads = heads,
        KeyValueHeads = shared,
        IntermediateSize = intermediate,
        VocabularySize = vocabulary,
        MaxPositions = 2048,
    };
}
