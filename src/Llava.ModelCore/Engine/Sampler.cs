using System.Numerics;
using System.Runtime.InteropServices;
using Llava.ModelCore.Grammars;

namespace Llava.ModelCore.Engine;

/// <summary>
/// Chooses a token from one row of logits: adjustments and constraint (<see cref="LogitAdjustments"/>) → repetition penalty → temperature → min-p → top-k → top-p →
/// multinomial, or the best token.
/// Plain C# on the host, so every runner shares it; buffers are kept between calls, so one thread at a time.
/// </summary>
internal sealed class Sampler
{
    private readonly PriorityQueue<float, float> _best = new();
    private float[] _scores = [];
    private float[] _probabilities = [];
    private float[] _sorted = [];
    private int[] _candidates = [];
    private int[] _penalizedIn = [];
    private int _penaltyRound;

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">(vocabulary), as the model gave them; not changed.</param>
    /// <param name="history">Prompt and generated ids; negative ones (images) are skipped.</param>
    /// <param name="settings">This row's settings.</param>
    /// <param name="seed">This row's seed.</param>
    /// <param name="step">Tokens generated before this one: the counter of the draw, so that neighbours cannot shift it.</param>
    /// <param name="constraint">What the answer is held to; null for nothing.</param>
    /// <exception cref="SequenceFailedException">The logits hold a NaN or an infinity.</exception>
    public SampledToken Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, SamplingSettings settings, long seed, int step, TokenConstraint? constraint = null)
    {
        logits = Known(logits, settings);
        var logNormalizer = Normalize(logits);
        var scores = _scores.AsSpan(0, logits.Length);
        var probabilities = _probabilities.AsSpan(0, logits.Length);
        LogitAdjustments.Apply(scores, history[Math.Max(0, history.Length - step)..], settings);
        if (constraint is not null)
        {
            LogitAdjustments.KeepAllowed(scores, constraint, settings.StopTokens);
        }

        int token;
        if (settings.IsGreedy)
        {
            Penalize(scores, history, settings.RepetitionPenalty);
            token = ArgMax(scores);
        }
        else
        {
            Warp(scores, history, settings);
            Softmax(scores, probabilities);
            token = Draw(probabilities, CounterRandom.UnitInterval(seed, step));
        }

        return new SampledToken(token, (float)(logits[token] - logNormalizer), LikelyTokens.Of(logits, logNormalizer, settings.TopLogProbabilities));
    }

    /// <summary>A token that is taken whatever the model would choose.</summary>
    /// <exception cref="SequenceFailedException">The logits hold a NaN or an infinity.</exception>
    public SampledToken Score(ReadOnlySpan<float> logits, int token, SamplingSettings settings)
    {
        logits = Known(logits, settings);
        var logNormalizer = Normalize(logits);
        return new SampledToken(token, (float)(logits[token] - logNormalizer), LikelyTokens.Of(logits, logNormalizer, settings.TopLogProbabilities));
    }

    /// <summary>What becomes of a sequence whose logits hold a NaN or an infinity.</summary>
    internal static SequenceFailedException NotFinite() =>
        new("A token cannot be chosen: the model's logits are not finite numbers. Check the weights and the compute type.", isRetryable: false);

    /// <summary>Applies the processors in place; a removed token's score becomes −∞.</summary>
    internal void Warp(Span<float> scores, ReadOnlySpan<int> history, SamplingSettings settings)
    {
        Reserve(scores.Length);
        Penalize(scores, history, settings.RepetitionPenalty);
        if (settings.Temperature != 1)
        {
            Divide(scores, (float)settings.Temperature);
        }

        if (settings.MinP > 0)
        {
            LogitAdjustments.KeepMinP(scores, settings.MinP);
        }

        if (settings.TopK > 0 && settings.TopK < scores.Length)
        {
            KeepTopK(scores, settings.TopK);
        }

        if (settings.TopP < 1)
        {
            KeepTopP(scores, settings.TopP);
        }
    }

    /// <summary>exp(score − max)/Σ into <paramref name="probabilities"/>; returns log Σ exp(score), which is NaN when a score is NaN or ∞.</summary>
    internal static double Softmax(ReadOnlySpan<float> scores, Span<float> probabilities)
    {
        var max = Max(scores);
        var shift = new Vector<float>(max);
        var from = MemoryMarshal.Cast<float, Vector<float>>(scores);
        var to = MemoryMarshal.Cast<float, Vector<float>>(probabilities);
        var sums = Vector<double>.Zero;
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = Vector.Exp(from[i] - shift);
            Vector.Widen(to[i], out var low, out var high);
            sums += low + high;
        }

        var sum = Vector.Sum(sums);
        for (var i = from.Length * Vector<float>.Count; i < scores.Length; i++)
        {
            probabilities[i] = Vector.Exp(new Vector<float>(scores[i] - max))[0];
            sum += probabilities[i];
        }

        Divide(probabilities, (float)sum);
        return max + Math.Log(sum);
    }

    /// <summary>The highest score; any number when there is a NaN, which the sum of the exponentials then shows.</summary>
    private static float Max(ReadOnlySpan<float> values)
    {
        var highest = new Vector<float>(float.NegativeInfinity);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (var vector in vectors)
        {
            highest = Vector.MaxNative(highest, vector);
        }

        var max = float.NegativeInfinity;
        for (var i = 0; i < Vector<float>.Count; i++)
        {
            max = Math.Max(max, highest[i]);
        }

        foreach (var value in values[(vectors.Length * Vector<float>.Count)..])
        {
            max = Math.Max(max, value);
        }

        return max;
    }

    /// <summary>The first of the highest scores.</summary>
    private static int ArgMax(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
            {
                best = i;
            }
        }

        return best;
    }

    /// <summary>Inverse transform sampling in index order.</summary>
    private static int Draw(ReadOnlySpan<float> probabilities, double uniform)
    {
        var sum = 0.0;
        foreach (var p in probabilities)
        {
            sum += p;
        }

        var remaining = uniform * sum;
        var last = 0;
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (probabilities[i] > 0)
            {
                remaining -= probabilities[i];
                last = i;
                if (remaining < 0)
                {
                    break;
                }
            }
        }

        return last;
    }

    private static void Divide(Span<float> values, float divisor)
    {
        var divisors = new Vector<float>(divisor);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (ref var vector in vectors)
        {
            vector /= divisors;
        }

        foreach (ref var value in values[(vectors.Length * Vector<float>.Count)..])
        {
            value /= divisor;
        }
    }

    private void Penalize(Span<float> scores, ReadOnlySpan<int> history, double penalty)
    {
        if (penalty == 1)
        {
            return;
        }

        // A token is penalized once however often it occurs; the round's number stands for clearing the marks.
        _penaltyRound++;
        var factor = (float)penalty;
        foreach (var id in history)
        {
            if ((uint)id < (uint)scores.Length && _penalizedIn[id] != _penaltyRound)
            {
                _penalizedIn[id] = _penaltyRound;
                scores[id] = scores[id] < 0 ? scores[id] * factor : scores[id] / factor;
            }
        }
    }

    private void KeepTopK(Span<float> scores, int k)
    {
        _best.Clear();
        foreach (var score in scores)
        {
            if (_best.Count < k)
            {
                _best.Enqueue(score, score);
            }
            else if (score > _best.Peek())
            {
                _best.DequeueEnqueue(score, score);
            }
        }

        var lowestKept = _best.Peek();
        foreach (ref var score in scores)
        {
            score = score < lowestKept ? float.NegativeInfinity : score;
        }
    }

    private void KeepTopP(Span<float> scores, double topP)
    {
        var probabilities = _probabilities.AsSpan(0, scores.Length);
        Softmax(scores, probabilities);
        var threshold = (float)(1 - topP);
        // Tokens below threshold/vocabulary together stay under the threshold: they are removed without sorting them.
        var negligible = threshold / scores.Length;
        var (count, cumulative) = (0, 0.0);
        for (var i = 0; i < scores.Length; i++)
        {
            if (probabilities[i] < negligible)
            {
                cumulative += probabilities[i];
                scores[i] = float.NegativeInfinity;
            }
            else
            {
                (_sorted[count], _candidates[count]) = (probabilities[i], i);
                count++;
            }
        }

        _sorted.AsSpan(0, count).Sort(_candidates.AsSpan(0, count));
        for (var i = 0; i < count - 1; i++)
        {
            cumulative += _sorted[i];
            if ((float)cumulative > threshold)
            {
                break;
            }

            scores[_candidates[i]] = float.NegativeInfinity;
        }
    }

    private static ReadOnlySpan<float> Known(ReadOnlySpan<float> logits, SamplingSettings settings) => logits[..Math.Min(logits.Length, settings.VocabularyLimit ?? logits.Length)];

    /// <summary>Copies the logits to the scores and gives log Σ exp(logit).</summary>
    private double Normalize(ReadOnlySpan<float> logits)
    {
        Reserve(logits.Length);
        var scores = _scores.AsSpan(0, logits.Length);
        logits.CopyTo(scores);
        var logNormalizer = Softmax(scores, _probabilities.AsSpan(0, logits.Length));
        return double.IsFinite(logNormalizer)
            ? logNormalizer
            : throw NotFinite();
    }

    private void Reserve(int vocabulary)
    {
        if (_scores.Length < vocabulary)
        {
            _scores = new float[vocabulary];
            _probabilities = new float[vocabulary];
            _sorted = new float[vocabulary];
            _candidates = new int[vocabulary];
            _penalizedIn = new int[vocabulary];
            _penaltyRound = 0;
        }
    }
}
