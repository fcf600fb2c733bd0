using System.Globalization;
using Llava.Contracts.Documents;

namespace Llava.Cli.Output;

/// <summary>An estimate as lines for a person.</summary>
internal static class EstimateText
{
    /// <summary>What stands where, a line each.</summary>
    public static IEnumerable<string> Lines(JobEstimate estimate)
    {
        if (estimate.Items is { } items)
        {
            yield return Line("items", FormattableString.Invariant($"{items}{(estimate.Rejected > 0 ? $", and {estimate.Rejected} that cannot be used" : "")}"));
        }

        if (estimate.Seconds is { } seconds)
        {
            yield return Line("time", estimate.SecondsLeast == estimate.SecondsMost ? Span(seconds) : $"{Span(seconds)}, {Span(estimate.SecondsLeast ?? seconds)} to {Span(estimate.SecondsMost ?? seconds)}");
        }

        if (estimate.ItemsPerSecond is { } rate)
        {
            yield return Line("rate", FormattableString.Invariant($"{rate:0.##} items/s"));
        }

        foreach (var (what, tokens) in (IEnumerable<(string, TokenEstimate?)>)[("prompt", estimate.PromptTokens), ("images", estimate.ImageTokens), ("answers", estimate.CompletionTokens)])
        {
            if (tokens is not null)
            {
                yield return Line(what, FormattableString.Invariant($"{(tokens.Total is { } total ? $"{total:0} tokens, " : "")}{tokens.Mean:0.#} an item, {tokens.Least:0.#} to {tokens.Most:0.#}"));
            }
        }

        foreach (var failure in estimate.Failures ?? [])
        {
            yield return Line("failed", FormattableString.Invariant($"{failure.Count} with {failure.Code}"));
        }

        yield return estimate.Explanation;
    }

    private static string Line(string what, string text) => $"{what,-8} {text}";

    private static string Span(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.MaxValue.TotalSeconds / 2)) switch
    {
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s"),
        { TotalHours: < 1 } span => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} min {span.Seconds} s"),
        var span => string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalHours} h {span.Minutes} min"),
    };
}
