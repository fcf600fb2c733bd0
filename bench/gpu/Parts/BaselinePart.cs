using System.Text.Json.Nodes;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>Hugging Face's transformers on the same device: random weights of the same sizes, every batch tried, end tokens off.</summary>
internal sealed class BaselinePart : BenchPart
{
    public override string Name => "baseline";

    public override int Budget => 130;

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
        var sizes = PythonScript.Sizes(settings, model.Config);
        sizes["seconds"] = Math.Max(1, Math.Floor(time.Left - LastBatch));
        sizes["tokens"] = new JsonArray([.. tokens.Select(count => JsonValue.Create(count))]);
        sizes["batches"] = new JsonArray([.. batches.Select(count => JsonValue.Create(count))]);
        PythonScript.Run(settings, PythonScript.Answers, sizes, time, figures =>
        {
            figures["model"] = model.Name;
            lines.Write(benchmark, figures);
        });
    }
}
