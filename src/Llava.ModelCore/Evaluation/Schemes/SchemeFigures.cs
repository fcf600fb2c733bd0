using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Evaluation.Schemes;

/// <summary>What one scheme costs a model in accuracy, beside the weights as they are.</summary>
public sealed record SchemeFigures
{
    /// <summary>How the language model's weights are kept.</summary>
    public required QuantizationScheme Scheme { get; init; }

    /// <summary>Bytes of all weights, vision tower and projector included.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Answer tokens at which logits were compared, the reference's own tokens behind each.</summary>
    public required long Tokens { get; init; }

    /// <summary>Root mean square of the logits' differences, by that of the reference's logits.</summary>
    public required double LogitError { get; init; }

    /// <summary>Mean Kullback–Leibler divergence of the next token's distribution from the reference's, in nats.</summary>
    public required double Divergence { get; init; }

    /// <summary>Share of the tokens at which the likeliest one is the reference's.</summary>
    public required double GreedyAgreement { get; init; }

    /// <summary>Right answers on held-out scenes, to the letter.</summary>
    public required int Right { get; init; }

    /// <summary>Questions that were asked of the scenes.</summary>
    public required int Asked { get; init; }

    /// <summary>Share of the objects that captions name with the right colour.</summary>
    public required double ObjectsNamed { get; init; }

    /// <summary><see cref="Right"/> of <see cref="Asked"/>.</summary>
    public double Accuracy => Asked == 0 ? 0 : (double)Right / Asked;
}
