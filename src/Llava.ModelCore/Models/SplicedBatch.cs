using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Side on which short rows of a batch are filled up.</summary>
public enum PaddingSide
{
    /// <summary>Padding follows the sequence; what training uses.</summary>
    Right,

    /// <summary>Padding precedes the sequence, so that all rows end together; what generation of a batch uses.</summary>
    Left,
}

/// <summary>Sequences of different lengths as one padded batch (spec 1.8).</summary>
/// <param name="Embeddings">(rows, length, hidden), zero at padding.</param>
/// <param name="IsToken">bool (rows, length): false at padding.</param>
/// <param name="Positions">int64 (rows, length): 0, 1, … over each sequence, 0 at padding.</param>
/// <param name="Labels">int64 (rows, length), ignored at padding; null outside training.</param>
public sealed record SplicedBatch(Tensor Embeddings, Tensor IsToken, Tensor Positions, Tensor? Labels)
{
    /// <summary>Pads sequences to the longest.</summary>
    public static SplicedBatch Pad(IReadOnlyList<SplicedSequence> sequences, PaddingSide side)
    {
        var length = sequences.Max(s => s.Length);
        var device = sequences[0].Embeddings.device;
        Tensor Stacked(Func<SplicedSequence, long, long, Tensor> row) => stack(sequences.Select(s =>
            side == PaddingSide.Left ? row(s, length - s.Length, 0) : row(s, 0, length - s.Length)), 0);
        long[] Row(IEnumerable<long> values, long before, long after, long padding) =>
            [.. Enumerable.Repeat(padding, (int)before), .. values, .. Enumerable.Repeat(padding, (int)after)];
        return new SplicedBatch(
            Stacked((s, before, after) => nn.functional.pad(s.Embeddings, [0, 0, before, after])),
            Stacked((s, before, after) => tensor(Row(Enumerable.Repeat(1L, s.Length), before, after, 0), device: device)).to(ScalarType.Bool),
            Stacked((s, before, after) => tensor(Row(Enumerable.Range(0, s.Length).Select(i => (long)i), before, after, 0), device: device)),
            sequences.All(s => s.Labels is not null)
                ? Stacked((s, before, after) => tensor(Row(s.Labels!, before, after, PromptEmbedder.IgnoredLabel), device: device))
                : null);
    }

    /// <summary>Final hidden states of the batch: (rows, length, hidden); those at padding mean nothing.</summary>
    public Tensor Run(LanguageModel language)
    {
        var (rows, length) = (Embeddings.shape[0], Embeddings.shape[1]);
        var attention = PaddedAttention.Causal(language.Config, IsToken);
        return language.Forward(Embeddings.flatten(0, 1), Positions.flatten(), length, attention).view(rows, length, -1);
    }
}
