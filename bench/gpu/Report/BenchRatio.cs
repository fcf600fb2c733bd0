using System.Text.Json.Nodes;
using Llava.Benchmarks.Gpu.Parts;

namespace Llava.Benchmarks.Gpu.Report;

/// <summary>Our engine beside the baseline's best batch.</summary>
/// <param name="Model">The model.</param>
/// <param name="Tokens">Of an answer.</param>
/// <param name="ImagesPerSecond">Ours.</param>
/// <param name="Baseline">Theirs; null where it was not measured.</param>
/// <param name="Batch">Theirs that was best.</param>
/// <param name="DecodingStep">Milliseconds of a step of ours.</param>
/// <param name="Prompts">Milliseconds of ours for an image with its prompt.</param>
/// <param name="Gigabytes">Of the device that were not free.</param>
internal sealed record BenchRatio(string Model, int Tokens, double ImagesPerSecond, double? Baseline, int Batch, double DecodingStep, double Prompts, double Gigabytes)
{
    /// <summary>How many times faster ours is.</summary>
    public double? Ratio => ImagesPerSecond / Baseline;

    /// <summary>Model by model, length by length.</summary>
    public static IEnumerable<BenchRatio> Of(IReadOnlyList<JsonNode> lines)
    {
        var baselines = Figures(lines, "baseline").ToList();
        foreach (var ours in Figures(lines, "engine").Where(figures => (string?)figures["stage"] == EnginePart.Everything))
        {
            var (model, tokens) = ((string)ours["model"]!, (int)ours["answer_tokens"]!);
            var best = baselines.Where(figures => (string?)figures["model"] == model && (int)figures["answer_tokens"]! == tokens).MaxBy(figures => (double)figures["images_per_second"]!);
            yield return new(
                model, tokens, (double)ours["images_per_second"]!, (double?)best?["images_per_second"], (int?)best?["batch"] ?? 0,
                (double)ours["milliseconds_per_decoding_step"]!, (double)ours["milliseconds_of_prompts_per_image"]!, (double)ours["gigabytes_used"]!);
        }
    }

    private static IEnumerable<JsonNode> Figures(IReadOnlyList<JsonNode> lines, string benchmark) => lines.Where(line => (string?)line["benchmark"] == benchmark).Select(line => line["figures"]!);
}
