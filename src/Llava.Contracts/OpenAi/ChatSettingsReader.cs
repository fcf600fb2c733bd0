using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Interactive;

namespace Llava.Contracts.OpenAi;

/// <summary>Reads how answers are to be generated, within the ranges of OpenAI's API.</summary>
internal static class ChatSettingsReader
{
    private const int MaxTokens = 32_768;
    private const int MostStops = 4;
    private const int MostChoices = 128;
    private const int MostTop = 20;

    /// <param name="body">The request.</param>
    /// <param name="defaults">What holds where the request says nothing.</param>
    /// <exception cref="OpenAiException">A field is out of its range.</exception>
    public static ChatSettings Read(ChatBody body, ChatSettings defaults)
    {
        var logprobs = ReadLogprobs(body);
        return new()
        {
            MaxNewTokens = InRange(body.MaxCompletionTokens, "max_completion_tokens", 1, MaxTokens) ?? InRange(body.MaxTokens, "max_tokens", 1, MaxTokens) ?? defaults.MaxNewTokens,
            MinNewTokens = InRange(body.MinTokens, "min_tokens", 0, MaxTokens) ?? defaults.MinNewTokens,
            Temperature = InRange(body.Temperature, "temperature", 0, 2) ?? defaults.Temperature,
            TopP = InRange(body.TopP, "top_p", double.Epsilon, 1) ?? defaults.TopP,
            // vLLM's clients write -1 for all tokens.
            TopK = Math.Max(0, InRange(body.TopK, "top_k", -1, int.MaxValue) ?? defaults.TopK),
            MinP = InRange(body.MinP, "min_p", 0, 1) ?? defaults.MinP,
            RepetitionPenalty = InRange(body.RepetitionPenalty, "repetition_penalty", double.Epsilon, 10) ?? defaults.RepetitionPenalty,
            PresencePenalty = InRange(body.PresencePenalty, "presence_penalty", -2, 2) ?? defaults.PresencePenalty,
            FrequencyPenalty = InRange(body.FrequencyPenalty, "frequency_penalty", -2, 2) ?? defaults.FrequencyPenalty,
            LogitBias = body.LogitBias is { } bias ? ReadBias(bias) : defaults.LogitBias,
            Seed = body.Seed ?? defaults.Seed,
            StopStrings = ReadStops(body.Stop) ?? defaults.StopStrings,
            StopTokens = body.StopTokenIds ?? defaults.StopTokens,
            IgnoresEnd = body.IgnoreEos ?? defaults.IgnoresEnd,
            Choices = InRange(body.N, "n", 1, MostChoices) ?? 1,
            LogProbabilities = logprobs,
            TopLogProbabilities = ReadTop(body.TopLogprobs, logprobs),
        };
    }

    private static T? InRange<T>(T? value, string field, T least, T most)
        where T : struct, IComparable<T>, IFormattable => value is not { } given || (given.CompareTo(least) >= 0 && given.CompareTo(most) <= 0)
            ? value
            : throw Invalid(field, $"is {given.ToString(null, CultureInfo.InvariantCulture)}; give {Shown(least)} to {most.ToString(null, CultureInfo.InvariantCulture)}");

    private static string Shown<T>(T least)
        where T : IFormattable => least is double.Epsilon ? "more than 0" : least.ToString(null, CultureInfo.InvariantCulture);

    private static bool ReadLogprobs(ChatBody body) => body.Logprobs switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } => true,
        { } other => throw Invalid("logprobs", $"is {other.GetRawText()}; give true or false"),
    };

    private static int ReadTop(int? top, bool logprobs) => top is null || logprobs
        ? InRange(top, "top_logprobs", 0, MostTop) ?? 0
        : throw Invalid("top_logprobs", "needs 'logprobs' to be true");

    private static IReadOnlyList<string>? ReadStops(JsonElement? stop)
    {
        switch (stop)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return null;
            case { ValueKind: JsonValueKind.String } text:
                return text.GetString() is { Length: > 0 } one ? [one] : throw Invalid("stop", "is empty; give a text");
            case { ValueKind: JsonValueKind.Array } array when array.GetArrayLength() <= MostStops
                && array.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String && text.GetString()!.Length > 0):
                return [.. array.EnumerateArray().Select(text => text.GetString()!)];
            default:
                throw Invalid("stop", $"must be a text or a list of up to {MostStops} texts, none of them empty");
        }
    }

    private static Dictionary<int, double> ReadBias(IReadOnlyDictionary<string, double> bias)
    {
        Dictionary<int, double> read = [];
        foreach (var (token, value) in bias)
        {
            read[int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw Invalid("logit_bias", $"has the key '{token}'; give token ids")]
                = value is >= -100 and <= 100 ? value : throw Invalid("logit_bias", $"has {value.ToString(CultureInfo.InvariantCulture)} for token {token}; give -100 to 100");
        }

        return read;
    }

    private static OpenAiException Invalid(string field, string what) => OpenAiException.Invalid("invalid_value", $"'{field}' {what}.", field);
}
