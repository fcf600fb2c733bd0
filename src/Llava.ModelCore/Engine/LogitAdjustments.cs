using System.Numerics;
using Llava.ModelCore.Grammars;

namespace Llava.ModelCore.Engine;

/// <summary>What a request adds to a row's logits before anything else looks at them. Costs nothing where nothing is asked for.</summary>
internal static class LogitAdjustments
{
    /// <summary>Adds the bias, forbids stop tokens while the answer is too short, and subtracts the penalties of what the answer holds.</summary>
    /// <param name="scores">(vocabulary), changed in place.</param>
    /// <param name="generated">Ids of the answer so far.</param>
    /// <param name="settings">The row's settings.</param>
    public static void Apply(Span<float> scores, ReadOnlySpan<int> generated, SamplingSettings settings)
    {
        if (settings.LogitBias.Count > 0)
        {
            foreach (var (id, bias) in settings.LogitBias)
            {
                Add(scores, id, bias);
            }
        }

        if (generated.Length < settings.MinNewTokens)
        {
            foreach (var id in settings.StopTokens)
            {
                Add(scores, id, double.NegativeInfinity);
            }
        }

        if (settings.PresencePenalty != 0 || settings.FrequencyPenalty != 0)
        {
            Penalize(scores, generated, settings);
        }
    }

    /// <summary>Removes tokens whose probability is below this share of the best one's: the logits differ by its logarithm.</summary>
    public static void KeepMinP(Span<float> scores, double minP)
    {
        var best = float.NegativeInfinity;
        foreach (var score in scores)
        {
            best = Math.Max(best, score);
        }

        var lowestKept = best + (float)Math.Log(minP);
        foreach (ref var score in scores)
        {
            score = score < lowestKept ? float.NegativeInfinity : score;
        }
    }

    /// <summary>Removes tokens that the constraint does not allow; those that end the answer stay where it may end, and nowhere else.</summary>
    public static void KeepAllowed(Span<float> scores, TokenConstraint constraint, IReadOnlyList<int> stopTokens)
    {
        const int FewStops = 64;
        var ends = stopTokens.Count <= FewStops ? stackalloc float[FewStops] : new float[stopTokens.Count];
        for (var i = 0; i < stopTokens.Count; i++)
        {
            ends[i] = constraint.MayEnd && (uint)stopTokens[i] < (uint)scores.Length ? scores[stopTokens[i]] : float.NegativeInfinity;
        }

        KeepBits(scores, constraint.Allowed);
        for (var i = 0; i < stopTokens.Count; i++)
        {
            if ((uint)stopTokens[i] < (uint)scores.Length)
            {
                scores[stopTokens[i]] = ends[i];
            }
        }
    }

    /// <summary>Removes every score whose bit is not set, most often 64 at once.</summary>
    private static void KeepBits(Span<float> scores, ReadOnlySpan<ulong> bits)
    {
        for (var word = 0; word * 64 < scores.Length; word++)
        {
            var part = scores[(word * 64)..Math.Min(scores.Length, (word + 1) * 64)];
            var removed = word < bits.Length ? ~bits[word] : ulong.MaxValue;
            if (removed == ulong.MaxValue)
            {
                part.Fill(float.NegativeInfinity);
                continue;
            }

            for (; removed != 0 && BitOperations.TrailingZeroCount(removed) is var bit && bit < part.Length; removed &= removed - 1)
            {
                part[bit] = float.NegativeInfinity;
            }
        }
    }

    private static void Penalize(Span<float> scores, ReadOnlySpan<int> generated, SamplingSettings settings)
    {
        Dictionary<int, int> counts = [];
        foreach (var id in generated)
        {
            counts[id] = counts.GetValueOrDefault(id) + 1;
        }

        foreach (var (id, count) in counts)
        {
            Add(scores, id, -settings.PresencePenalty - (count * settings.FrequencyPenalty));
        }
    }

    private static void Add(Span<float> scores, int id, double value)
    {
        if ((uint)id < (uint)scores.Length)
        {
            scores[id] = (float)(scores[id] + value);
        }
    }
}
