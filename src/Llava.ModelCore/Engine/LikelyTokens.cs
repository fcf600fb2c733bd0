namespace Llava.ModelCore.Engine;

/// <summary>Finds the likeliest tokens of a row, for those who ask to see them.</summary>
internal static class LikelyTokens
{
    /// <summary>The best tokens, best first, of equal ones the lower id first; null when none are asked for.</summary>
    /// <param name="logits">(vocabulary), as the model gave them.</param>
    /// <param name="logNormalizer">log Σ exp(logit) of the row.</param>
    /// <param name="count">How many.</param>
    public static IReadOnlyList<TokenProbability>? Of(ReadOnlySpan<float> logits, double logNormalizer, int count)
    {
        if (count == 0)
        {
            return null;
        }

        // The worst of those kept is at the head; of equal ones the higher id goes first.
        PriorityQueue<int, (float Logit, int Order)> best = new(count + 1);
        for (var id = 0; id < logits.Length; id++)
        {
            if (best.Count < count)
            {
                best.Enqueue(id, (logits[id], -id));
            }
            else
            {
                best.EnqueueDequeue(id, (logits[id], -id));
            }
        }

        var sorted = new TokenProbability[best.Count];
        for (var i = sorted.Length - 1; i >= 0; i--)
        {
            var id = best.Dequeue();
            sorted[i] = new(id, (float)(logits[id] - logNormalizer));
        }

        return sorted;
    }
}
