using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>Hugging Face's transformers on the same device: random weights of the same sizes, every batch tried, end tokens off.</summary>
internal sealed class BaselinePart : BenchPart
{
    public override string Name => "baseline";

    public override int Budget => 170;

    // Before its time is over, the script begins no further batch.
    private const double LastBatch = 10;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        foreach (var (index, model) in settings.Sizes.Models.Index())
        {
            // What one leaves of its share the next has too.
            PartTime share = new(time.Left / (settings.Sizes.Models.Count - index));
            Measure(settings, lines, model, [.. settings.Sizes.AnswerTokens.Order()], settings.Sizes.BaselineBatches, Name, share);
        }
    }

    /// <summary>Runs the script, whose lines become ours.</summary>
    public static void Measure(BenchSettings settings, BenchLines lines, BenchModel model, IReadOnlyList<int> tokens, IReadOnlyList<int> batches, string benchmark, PartTime time)
    {
        time.Require();
        if (settings.Python is null)
        {
            return;
        }

        var (language, vision) = (model.Config.LanguageModel, model.Config.Vision!);
        JsonObject sizes = new()
        {
            ["device"] = settings.Device.type == TorchSharp.DeviceType.CUDA ? settings.Device.ToString() : "cpu",
            ["hidden"] = language.HiddenSize, ["layers"] = language.Layers, ["heads"] = language.Heads, ["kv_heads"] = language.KeyValueHeads,
            ["intermediate"] = language.IntermediateSize, ["vocabulary"] = language.VocabularySize,
            ["vision_hidden"] = vision.HiddenSize, ["vision_intermediate"] = vision.IntermediateSize, ["vision_layers"] = vision.Layers, ["vision_heads"] = vision.Heads,
            ["image"] = vision.ImageSize, ["patch"] = vision.PatchSize,
            ["words"] = settings.Sizes.Words, ["rounds"] = 3, ["seconds"] = Math.Max(1, Math.Floor(time.Left - LastBatch)),
            ["tokens"] = new JsonArray([.. tokens.Select(count => JsonValue.Create(count))]), ["batches"] = new JsonArray([.. batches.Select(count => JsonValue.Create(count))]),
        };
        using var script = Process.Start(new ProcessStartInfo(settings.Python, [Path.Combine(AppContext.BaseDirectory, "baseline.py"), sizes.ToJsonString()]) { RedirectStandardOutput = true })!;
        using Timer end = new(_ => script.Kill(entireProcessTree: true), null, TimeSpan.FromSeconds(time.Left), Timeout.InfiniteTimeSpan);
        while (script.StandardOutput.ReadLine() is { } line)
        {
            var figures = JsonNode.Parse(line)!.AsObject();
            figures["model"] = model.Name;
            lines.Write(benchmark, figures);
        }

        script.WaitForExit();
        time.Require();
        if (script.ExitCode != 0)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The baseline ended with exit code {script.ExitCode}; what it said is on standard error."));
        }
    }
}
