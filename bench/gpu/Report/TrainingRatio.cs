using System.Text.Json.Nodes;

namespace Llava.Benchmarks.Gpu.Report;

/// <summary>A form of our training beside transformers'.</summary>
/// <param name="Model">The model.</param>
/// <param name="Form">What learns.</param>
/// <param name="SamplesPerSecond">Ours.</param>
/// <param name="Baseline">Theirs; null where it was not measured.</param>
/// <param name="Share">Of the largest product's speed, what is computed twice not counted; null where that was not measured.</param>
/// <param name="Gigabytes">Of the device that were not free.</param>
/// <param name="BaselineGigabytes">Theirs, as PyTorch counts them.</param>
internal sealed record TrainingRatio(string Model, string Form, double SamplesPerSecond, double? Baseline, double? Share, double Gigabytes, double? BaselineGigabytes)
{
    /// <summary>How many times faster ours is.</summary>
    public double? Ratio => SamplesPerSecond / Baseline;

    /// <summary>Form by form.</summary>
    public static IEnumerable<TrainingRatio> Of(IReadOnlyList<JsonNode> lines)
    {
        var baselines = Figures(lines, "training baseline").ToList();
        foreach (var ours in Figures(lines, "training"))
        {
            var (model, form) = ((string)ours["model"]!, (string)ours["form"]!);
            var theirs = baselines.FirstOrDefault(figures => (string?)figures["model"] == model && (string?)figures["form"] == form);
            yield return new(model, form, (double)ours["samples_per_second"]!, (double?)theirs?["samples_per_second"], (double?)ours["share_of_square_product"], (double)ours["gigabytes_used"]!, (double?)theirs?["gigabytes_used"]);
        }
    }

    private static IEnumerable<JsonNode> Figures(IReadOnlyList<JsonNode> lines, string benchmark) => lines.Where(line => (string?)line["benchmark"] == benchmark).Select(line => line["figures"]!);
}
