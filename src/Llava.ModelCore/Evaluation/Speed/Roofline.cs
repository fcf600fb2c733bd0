using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>The least time that a machine's limits allow a pass of quantized weights: the longer of reading weights and cache once, and of the products.</summary>
/// <param name="config">The decoder.</param>
/// <param name="limits">The machine's limits.</param>
internal sealed class Roofline(LanguageModelConfig config, MachineLimits limits)
{
    private readonly double _layers = ModelParameters.OfLanguageModel(config)
        .Where(parameter => parameter.Name.Contains("proj", StringComparison.Ordinal)).Sum(parameter => parameter.Shape[0] * (double)parameter.Shape[1]);

    /// <summary>Seconds; null where the limit of the products is not known.</summary>
    /// <param name="weightBytes">Bytes of the weights that a pass reads.</param>
    /// <param name="cacheBytes">Bytes of keys and values that it reads.</param>
    /// <param name="tokens">Tokens that go through the layers.</param>
    /// <param name="logits">Tokens that go through the output head.</param>
    public double? Seconds(double weightBytes, double cacheBytes, int tokens, int logits)
    {
        var head = config.VocabularySize * (double)config.HiddenSize;
        return limits.ProductsPerSecond is { } products
            ? Math.Max((weightBytes + cacheBytes) / limits.BytesPerSecond, ((_layers * tokens) + (head * logits)) / products)
            : null;
    }
}
