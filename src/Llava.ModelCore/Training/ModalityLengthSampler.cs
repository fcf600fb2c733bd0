namespace Llava.ModelCore.Training;

/// <summary>
/// Puts samples of one modality and similar length into one megabatch, so that little is padded and no micro-batch mixes
/// image and text samples (spec 7.7).
/// </summary>
public sealed class ModalityLengthSampler : IDataOrder
{
    private readonly IReadOnlyList<SampleLength> _samples;
    private readonly int _microBatch;
    private readonly int _accumulation;
    private readonly long _seed;

    /// <summary>Makes the sampler.</summary>
    /// <param name="samples">The samples to use.</param>
    /// <param name="microBatch">Samples of a forward pass.</param>
    /// <param name="accumulation">Micro-batches of an optimizer step; a megabatch is the product of both.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <exception cref="TrainingException">A sample has no words.</exception>
    public ModalityLengthSampler(IReadOnlyList<SampleLength> samples, int microBatch, int accumulation, long seed)
    {
        if (samples.FirstOrDefault(sample => sample.Words < 1) is { } empty)
        {
            throw new TrainingException($"Sample {empty.Index} has no words and cannot be grouped by length; remove it from the data.");
        }

        (_samples, _microBatch, _accumulation, _seed) = (samples, microBatch, accumulation, seed);
    }

    /// <inheritdoc/>
    public int SamplesPerEpoch => _samples.Count;

    /// <inheritdoc/>
    public IReadOnlyList<int> Epoch(int epoch)
    {
        var random = new SeededRandom(_seed, epoch);
        var modalities = _samples.GroupBy(sample => sample.HasImage).OrderByDescending(group => group.Key)
            .Select(group => Megabatches([.. group], random)).ToList();
        if (modalities.Count == 1)
        {
            return [.. modalities[0].SelectMany(megabatch => megabatch).Select(sample => sample.Index)];
        }

        // The last megabatch of each modality may be short; both come last, so that no other megabatch mixes modalities.
        var full = modalities.SelectMany(megabatches => megabatches.SkipLast(1)).ToList();
        var rest = modalities.SelectMany(megabatches => megabatches[^1]).OrderBy(sample => sample.Index);
        return [.. random.Permutation(full.Count).SelectMany(i => full[i]).Concat(rest).Select(sample => sample.Index)];
    }

    /// <summary>Random megabatches, each dealt into micro-batches of like total length, longest samples first.</summary>
    private List<List<SampleLength>> Megabatches(List<SampleLength> samples, SeededRandom random) => [.. random.Permutation(samples.Count)
        .Select(i => samples[i])
        .Chunk(_microBatch * _accumulation)
        .Select(megabatch => Deal([.. megabatch.OrderByDescending(sample => sample.Words)]))];

    private List<SampleLength> Deal(List<SampleLength> descending)
    {
        if (descending.Count % _accumulation != 0)
        {
            return [.. Enumerable.Range(0, _accumulation).SelectMany(first => descending.Where((_, i) => i % _accumulation == first))];
        }

        var chunks = Enumerable.Range(0, _accumulation).Select(_ => new List<SampleLength>()).ToList();
        foreach (var sample in descending)
        {
            chunks.Where(chunk => chunk.Count < descending.Count / _accumulation)
                .MinBy(chunk => chunk.Sum(member => (long)member.Words))!.Add(sample);
        }

        return [.. chunks.SelectMany(chunk => chunk)];
    }
}

/// <summary>What grouping by length needs to know of a sample.</summary>
/// <param name="Index">Index in the data set.</param>
/// <param name="Words">Words separated by white space, over all turns.</param>
/// <param name="HasImage">Whether the sample shows an image.</param>
public sealed record SampleLength(int Index, int Words, bool HasImage);
