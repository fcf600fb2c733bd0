using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Llava.ModelCore.Training;

/// <summary>The samples of a run, checked in full, with their order.</summary>
internal sealed class TrainingData
{
    private TrainingData(IDataOrder order, BatchLoader loader, IReadOnlyList<SampleFinding> leftOut, string fingerprint) =>
        (Order, Loader, LeftOut, Fingerprint) = (order, loader, leftOut, fingerprint);

    /// <summary>Order of the samples used.</summary>
    public IDataOrder Order { get; }

    /// <summary>Makes micro-batches.</summary>
    public BatchLoader Loader { get; }

    /// <summary>Samples that are not used.</summary>
    public IReadOnlyList<SampleFinding> LeftOut { get; }

    /// <summary>Changes when the data file or the choice of samples changes.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads, checks and orders the data a recipe names.</summary>
    /// <exception cref="TrainingValidationException">Samples are wrong and the recipe does not skip them.</exception>
    public static TrainingData Open(TrainingRecipe recipe, TrainingBase start)
    {
        var data = InstructionDataset.Load(recipe.Data);
        var explicitOrder = recipe.DataOrder is { } path ? ReadOrder(path) : null;
        var (processor, images) = (SampleProcessor.For(recipe, start), SampleImages.For(recipe, start));
        List<int> used = [.. explicitOrder?.Indices ?? data.Samples.Keys.Concat(data.Findings.Select(finding => finding.Index)).Distinct().Order()];
        List<SampleFinding> findings =
        [
            .. used.Where(index => !data.Samples.ContainsKey(index) && data.Findings.All(finding => finding.Index != index))
                .Select(index => new SampleFinding(index, $"sample {index} is in the data order, but not in the data.")),
            .. data.Findings.Where(finding => used.Contains(finding.Index)),
            .. new SampleRules(processor, images, recipe.VerifyImages).Check(used.Where(data.Samples.ContainsKey).Select(index => data.Samples[index])),
        ];
        var bad = findings.Select(finding => finding.Index).ToHashSet();
        used.RemoveAll(bad.Contains);
        // Samples cannot be left out of an order that was given.
        if (findings.Count > 0 && (!recipe.SkipBadSamples || explicitOrder is not null))
        {
            throw new TrainingValidationException(recipe.Data, [.. findings.Select(finding => finding.Message)]);
        }

        if (used.Count == 0)
        {
            throw new TrainingException($"'{recipe.Data}' has no sample that can be trained with, of {data.Samples.Count + data.Findings.Count}.");
        }

        return new TrainingData(
            explicitOrder ?? Drawn(recipe, used, data), new BatchLoader(data.Samples, processor, images), findings, FingerprintOf(data.Path, used));
    }

    private static IDataOrder Drawn(TrainingRecipe recipe, List<int> used, InstructionDataset data) => recipe.GroupByModalityLength
        ? new ModalityLengthSampler([.. used.Select(index => data.Samples[index].Length)], recipe.MicroBatch, recipe.GradientAccumulation, recipe.Seed)
        : new ShuffledOrder(used, recipe.Seed);

    private static ExplicitOrder ReadOrder(string path)
    {
        try
        {
            return new ExplicitOrder(JsonSerializer.Deserialize<int[][]>(File.ReadAllBytes(path)) ?? []);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The data order '{path}' cannot be read; it must be a JSON list with one list of sample indices per epoch. {e.Message}", e);
        }
    }

    private static string FingerprintOf(string path, List<int> used)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var stream = File.OpenRead(path))
        {
            hash.AppendData(SHA256.HashData(stream));
        }

        hash.AppendData(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(used)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
