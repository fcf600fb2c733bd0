using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Llava.ModelCore.Training;

/// <summary>The samples of a run, checked in full, with their order.</summary>
internal sealed class TrainingData
{
    private const int ShownLines = 10;

    private readonly IReadOnlyList<SampleLength> _lengths;
    private readonly bool _isDrawn;

    private TrainingData(IDataOrder order, bool isDrawn, IReadOnlyList<SampleLength> lengths, BatchLoader loader, DatasetReport report, string fingerprint) =>
        (Order, _isDrawn, _lengths, Loader, Report, Fingerprint) = (order, isDrawn, lengths, loader, report, fingerprint);

    /// <summary>Order of the samples used.</summary>
    public IDataOrder Order { get; }

    /// <summary>What about the data is not as one would wish, one sentence each.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Makes micro-batches.</summary>
    public BatchLoader Loader { get; }

    /// <summary>What the data is like, and which samples are not used.</summary>
    public DatasetReport Report { get; }

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
        var rules = SampleRules.For(recipe, start.Model.Config, processor, images);
        var result = rules.Check(used.Where(data.Samples.ContainsKey).Select(index => data.Samples[index]));
        List<SampleFinding> findings =
        [
            .. used.Where(index => !data.Samples.ContainsKey(index) && data.Findings.All(finding => finding.Index != index))
                .Select(index => new SampleFinding(index, $"sample {index} is in the data order, but not in the data.")),
            .. data.Findings.Where(finding => used.Contains(finding.Index)),
            .. result.Findings,
        ];
        var bad = findings.Select(finding => finding.Index).ToHashSet();
        used.RemoveAll(bad.Contains);
        // Samples cannot be left out of an order that was given.
        if (findings.Count > 0 && (!recipe.SkipBadSamples || explicitOrder is not null))
        {
            throw new TrainingValidationException(recipe.Data, [.. findings.Select(data.Describe)]);
        }

        if (used.Count == 0)
        {
            throw new TrainingException($"'{recipe.Data}' has no sample that can be trained with, of {data.Samples.Count + data.Findings.Count}.");
        }

        var report = DatasetReport.Of(data, findings, result.Sizes, recipe.ValidationData is { } measured ? InstructionDataset.Load(measured) : null);
        List<SampleLength> lengths = [.. used.Select(index => data.Samples[index].Length)];
        return new TrainingData(explicitOrder ?? (IDataOrder)new ShuffledOrder(used, recipe.Seed), explicitOrder is null, lengths, new BatchLoader(data.Samples, processor, images), report, FingerprintOf(data.Path, used))
        {
            Warnings = [.. report.Warnings(data.LineOf, ShownLines)],
        };
    }

    /// <summary>The order of a recipe's micro-batches.</summary>
    public IDataOrder OrderFor(TrainingRecipe recipe) => _isDrawn && recipe.GroupByModalityLength
        ? new ModalityLengthSampler(_lengths, recipe.MicroBatch, recipe.GradientAccumulation, recipe.Seed)
        : Order;

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
