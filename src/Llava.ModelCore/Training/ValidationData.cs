namespace Llava.ModelCore.Training;

/// <summary>Data that is measured with and never learned from, in the order of its file.</summary>
internal sealed class ValidationData
{
    private readonly BatchLoader _loader;
    private readonly List<int[]> _microBatches;

    private ValidationData(BatchLoader loader, List<int[]> microBatches) => (_loader, _microBatches) = (loader, microBatches);

    /// <summary>Reads and checks the data a recipe names.</summary>
    /// <exception cref="TrainingValidationException">Samples are wrong and the recipe does not skip them.</exception>
    /// <exception cref="TrainingException">No sample can be measured with.</exception>
    public static ValidationData Open(TrainingRecipe recipe, TrainingBase start)
    {
        var path = recipe.ValidationData!;
        var data = InstructionDataset.Load(path);
        var (processor, images) = (SampleProcessor.For(recipe, start), SampleImages.For(recipe, start));
        List<SampleFinding> findings = [.. data.Findings, .. SampleRules.For(recipe, start.Model.Config, processor, images).Check(data.Samples.Values).Findings];
        if (findings.Count > 0 && !recipe.SkipBadSamples)
        {
            throw new TrainingValidationException(path, [.. findings.Select(data.Describe)]);
        }

        var used = data.Samples.Keys.Except(findings.Select(finding => finding.Index)).Order().ToList();
        return used.Count > 0
            ? new(new BatchLoader(data.Samples, processor, images), [.. used.Chunk(recipe.MicroBatch)])
            : throw new TrainingException($"'{path}' has no sample that can be measured with, of {data.Samples.Count + data.Findings.Count}.");
    }

    /// <summary>All of it, micro-batches that are loaded when they are asked for.</summary>
    public IReadOnlyList<Func<TrainingBatch>> MicroBatches => [.. _microBatches.Select(samples => (Func<TrainingBatch>)(() => _loader.Load(samples)))];
}
