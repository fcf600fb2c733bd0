using Llava.Contracts.Documents;
using Llava.Ledger.Sampling;

namespace Llava.Ledger.Estimates;

/// <summary>What the rest of a job will take by its sample.</summary>
internal static class SampleEstimate
{
    /// <param name="sample">The sample.</param>
    /// <param name="items">Items that are left.</param>
    /// <param name="capacity">What can work on them.</param>
    /// <param name="imageTokens">Tokens of an image; null where that is not known.</param>
    public static JobEstimate Of(SampleResult sample, long items, Capacity capacity, int? imageTokens)
    {
        var rate = sample.ItemsPerSecond * Math.Max(1, capacity.Workers);
        var best = BestRate(sample, capacity);
        var images = sample.Images.Mean * (imageTokens ?? 0);
        return new()
        {
            Basis = EstimateBasis.Sample,
            Explanation = Explain(sample, capacity, best),
            Items = items,
            ItemsPerSecond = rate > 0 ? rate : null,
            Seconds = rate > 0 ? items / rate : null,
            SecondsLeast = rate > 0 ? items / Math.Max(rate, best) : null,
            SecondsMost = rate > 0 ? items / rate : null,
            PromptTokens = Tokens(sample.PromptTokens, items, images, (imageTokens ?? 0) * sample.Images.Least, (imageTokens ?? 0) * sample.Images.Most),
            ImageTokens = imageTokens is null ? null : new(images, imageTokens.Value * sample.Images.Least, imageTokens.Value * sample.Images.Most, images * items),
            CompletionTokens = Tokens(sample.CompletionTokens, items),
            Failures = [.. sample.Causes.Select(cause => new SampleFailure(cause.Code, cause.Count))],
        };
    }

    /// <summary>The rate if every live slot were filled and an item stayed in its slot no longer than those of the sample did; 0 where that is not known.</summary>
    private static double BestRate(SampleResult sample, Capacity capacity) =>
        sample is { SlotSeconds: > 0, Succeeded: > 0 } ? capacity.Slots / (sample.SlotSeconds / sample.Succeeded) : 0;

    private static string Explain(SampleResult sample, Capacity capacity, double best)
    {
        if (sample.ItemsPerSecond <= 0)
        {
            return FormattableString.Invariant($"None of the {sample.Items} items of the sample was answered, so nothing is known of the rest; look at why they failed.");
        }

        var measured = FormattableString.Invariant($"Measured on the {sample.Items} items of this job's sample: {sample.Succeeded} were answered, {sample.ItemsPerSecond:0.##} a second by one worker.");
        var now = capacity.Workers == 0 ? " No live worker serves the model now; one is assumed." : $" Counted for {capacity.InWords}.";
        var full = best > sample.ItemsPerSecond * Math.Max(1, capacity.Workers)
            ? FormattableString.Invariant($" In the sample {sample.InSlots:0.#} items ran at once on a worker; seconds_least is for all slots filled, each item as fast as then.")
            : "";
        return measured + now + full;
    }

    /// <param name="spread">What was measured, images included.</param>
    /// <param name="items">Items that are left.</param>
    /// <param name="mean">Mean to take off for images.</param>
    /// <param name="least">The same of the item with the fewest.</param>
    /// <param name="most">The same of the item with the most.</param>
    private static TokenEstimate Tokens(Spread spread, long items, double mean = 0, int least = 0, int most = 0) =>
        new(Math.Max(0, spread.Mean - mean), Math.Max(0, spread.Least - least), Math.Max(0, spread.Most - most), Math.Max(0, spread.Mean - mean) * items);
}
