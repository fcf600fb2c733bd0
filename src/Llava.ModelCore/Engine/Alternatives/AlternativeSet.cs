using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Alternatives;

/// <summary>
/// The only answers there are. Each is one sequence that is made to say it: they run side by side in the batch, share the prompt, and what the model thought of
/// their tokens on the way is what it thinks of the answer.
/// </summary>
internal sealed class AlternativeSet
{
    private const int Most = 256;
    private readonly IReadOnlyList<string> _texts;
    private readonly IReadOnlyList<IReadOnlyList<int>> _tokens;
    private readonly double _calibration;

    private AlternativeSet(IReadOnlyList<string> texts, IReadOnlyList<IReadOnlyList<int>> tokens, double calibration) => (_texts, _tokens, _calibration) = (texts, tokens, calibration);

    /// <summary>The alternatives in a model's tokens.</summary>
    /// <param name="texts">The answers.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="end">The token that ends an answer, so that an answer and a longer one that begins with it are told apart; null where the model uses a text for it.</param>
    /// <param name="calibration">The temperature at which the model's shares can be believed; 1 takes them as they are.</param>
    /// <exception cref="RequestRefusedException">They cannot be told apart, or are too many.</exception>
    public static AlternativeSet Of(IReadOnlyList<string> texts, ITokenizer tokenizer, int? end, double calibration = 1)
    {
        if (texts.Count > Most || texts.Any(text => text.Length == 0) || texts.Distinct(StringComparer.Ordinal).Count() < texts.Count)
        {
            throw new RequestRefusedException("invalid_choices", $"There are {texts.Count} choices; give at most {Most}, none of them empty and no two of them equal.");
        }

        return new(texts, [.. texts.Select(text => (IReadOnlyList<int>)[.. tokenizer.Encode(text, addBos: false), .. end is { } token ? (int[])[token] : []])], calibration);
    }

    /// <summary>The sequences that say them, in the order of the alternatives.</summary>
    public IEnumerable<SequenceRequest> Requests(SequenceRequest prompt) => _tokens.Select(tokens => prompt with
    {
        Forced = tokens,
        SharesWholePrompt = true,
        StopCondition = null,
        Constraint = null,
        Sampling = prompt.Sampling with { MaxNewTokens = tokens.Count, StopTokens = [] },
    });

    /// <summary>What the model thinks of each: the probabilities of its tokens, multiplied, and its share among all.</summary>
    public IReadOnlyList<Alternative> Scores(IReadOnlyList<SequenceResult> results)
    {
        var logs = results.Select(result => result.Confidence.MeanLogProbability * result.Tokens.Count).ToArray();
        var shares = Shares(logs, _calibration);
        return [.. _texts.Select((text, index) => new Alternative(text, logs[index], shares[index]))];
    }

    /// <summary>Which one is the answer: the likeliest, or one drawn by the probabilities that the temperature makes of theirs.</summary>
    public static int Choose(IReadOnlyList<Alternative> scores, SamplingSettings sampling, int draw = 0)
    {
        if (sampling.IsGreedy)
        {
            return scores.Select((alternative, index) => (alternative.LogProbability, Index: index)).MaxBy(one => one.LogProbability).Index;
        }

        var left = CounterRandom.UnitInterval((sampling.Seed ?? Random.Shared.NextInt64()) + draw, 0);
        var shares = Shares([.. scores.Select(alternative => Math.Log(alternative.Probability))], sampling.Temperature);
        var chosen = 0;
        while (chosen < shares.Length - 1 && (left -= shares[chosen]) >= 0)
        {
            chosen++;
        }

        return chosen;
    }

    private static double[] Shares(double[] logs, double temperature)
    {
        var most = logs.Max();
        var weights = Array.ConvertAll(logs, log => Math.Exp((log - most) / temperature));
        var sum = weights.Sum();
        return Array.ConvertAll(weights, weight => weight / sum);
    }
}
