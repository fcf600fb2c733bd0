using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>One sequence with its images in place.</summary>
/// <param name="Embeddings">(positions, hidden).</param>
/// <param name="Labels">Target of each position, <see cref="PromptEmbedder.IgnoredLabel"/> for none; null outside training.</param>
/// <param name="Images">Where each image lies, in order.</param>
public sealed record SplicedSequence(Tensor Embeddings, IReadOnlyList<long>? Labels, IReadOnlyList<ImageSpan> Images)
{
    /// <summary>Positions.</summary>
    public int Length => (int)Embeddings.shape[0];

    /// <summary>The first positions; images behind the cut are dropped, one across it is shortened.</summary>
    internal SplicedSequence CutTo(int positions) => Length <= positions ? this : new SplicedSequence(
        Embeddings.narrow(0, 0, positions),
        Labels is null ? null : [.. Labels.Take(positions)],
        [.. Images.Where(span => span.Start < positions).Select(span => span with { Length = Math.Min(span.Length, positions - span.Start) })]);
}

/// <summary>Positions of one image in a sequence.</summary>
/// <param name="Start">First position.</param>
/// <param name="Length">Positions.</param>
public sealed record ImageSpan(int Start, int Length);
