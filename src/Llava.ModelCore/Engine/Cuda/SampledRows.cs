using Llava.ModelCore.Kernels.Cuda;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>The rows of a pass that sample: first those whose token the device can choose, ordered by how much of the vocabulary they may use, then those that the host has to look at.</summary>
internal sealed class SampledRows
{
    private readonly List<(StepWork Work, int Row)> _rows = [];

    /// <param name="pass">The pass, complete.</param>
    /// <param name="vocabulary">Ids of the model.</param>
    /// <param name="onDevice">Whether the device chooses at all.</param>
    public SampledRows(DevicePass pass, int vocabulary, bool onDevice)
    {
        var row = -1;
        foreach (var work in pass.Works)
        {
            row += work.Count;
            if (work.Samples)
            {
                _rows.Add((work, row));
            }
        }

        OnDevice = onDevice && vocabulary <= MostVocabulary ? _rows.Count(sampled => IsPlain(sampled.Work)) : 0;
        if (OnDevice > 0)
        {
            _rows = [.. _rows.OrderBy(sampled => IsPlain(sampled.Work) ? Limit(sampled.Work, vocabulary) : int.MaxValue)];
        }

        Rows = pass.Block.Add<int>([.. _rows.Select(sampled => sampled.Row), .. new int[pass.Padding]]);
        var chosen = _rows.Take(OnDevice).Select(sampled => sampled.Work).ToArray();
        Temperatures = pass.Block.Add<float>([.. chosen.Select(work => (float)work.Sequence.Request.Sampling.Temperature)]);
        TopKs = pass.Block.Add<int>([.. chosen.Select(work => work.Sequence.Request.Sampling.TopK)]);
        TopPs = pass.Block.Add<float>([.. chosen.Select(work => (float)work.Sequence.Request.Sampling.TopP)]);
        Seeds = pass.Block.Add<long>([.. chosen.Select(work => work.Sequence.Seed)]);
        Steps = pass.Block.Add<int>([.. chosen.Select(work => work.Sequence.Chosen)]);
        Limits = [.. chosen.GroupBy(work => Limit(work, vocabulary)).Select(group => (group.Key, group.Count()))];
    }

    /// <summary>The largest vocabulary that the kernel takes.</summary>
    private const int MostVocabulary = 1 << 20;

    public int Count => _rows.Count;

    /// <summary>How many, from the first, the device chooses for.</summary>
    public int OnDevice { get; }

    /// <summary>Runs of rows, from the first, that may use the same number of ids.</summary>
    public IReadOnlyList<(int Vocabulary, int Rows)> Limits { get; }

    /// <summary>Their rows in the pass, int32, and one for each row that belongs to nobody.</summary>
    public BlockPart Rows { get; }

    public BlockPart Temperatures { get; }

    public BlockPart TopKs { get; }

    public BlockPart TopPs { get; }

    /// <summary>int64.</summary>
    public BlockPart Seeds { get; }

    public BlockPart Steps { get; }

    /// <summary>A row's work.</summary>
    public StepWork this[int index] => _rows[index].Work;

    /// <summary>Whether <see cref="RowSampler"/> does everything that a row asks for.</summary>
    private static bool IsPlain(StepWork work)
    {
        var (request, settings) = (work.Sequence.Request, work.Sequence.Request.Sampling);
        return request is { Forced: null, Constraint: null }
            && settings is { RepetitionPenalty: 1, MinP: 0, PresencePenalty: 0, FrequencyPenalty: 0, LogitBias.Count: 0, TopLogProbabilities: 0 }
            && (settings.StopTokens.Count == 0 || work.Sequence.Chosen >= settings.MinNewTokens);
    }

    private static int Limit(StepWork work, int vocabulary) => Math.Min(vocabulary, work.Sequence.Request.Sampling.VocabularyLimit ?? vocabulary);
}
