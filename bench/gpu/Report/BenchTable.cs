using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Llava.Benchmarks.Gpu.Report;

/// <summary>A run's lines as Markdown.</summary>
internal static class BenchTable
{
    /// <summary>Images a second of both sides, model by model and length by length, then training, the stages, the questions and the rooflines.</summary>
    public static string Of(IReadOnlyList<JsonNode> lines)
    {
        StringBuilder text = new();
        text.AppendLine("| model, tokens | transformers (batch) | ours | ratio | decoding step, prompts per image | memory |").AppendLine("| --- | --- | --- | --- | --- | --- |");
        foreach (var ours in BenchRatio.Of(lines))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {ours.Model}, {ours.Tokens} | {(ours.Baseline is { } baseline ? $"{baseline:0.0} ({ours.Batch})" : "none")} | {ours.ImagesPerSecond:0.0} | {(ours.Ratio is { } ratio ? $"{ratio:0.00}" : "none")} | {ours.DecodingStep:0.0} ms, {ours.Prompts:0.0} ms | {ours.Gigabytes:0.0} GB |");
        }

        Training(text, lines);
        Section(text, lines, "engine", "stage", "images a second", figures => ($"{figures["model"]}, {figures["answer_tokens"]} tokens: {figures["stage"]}", $"{Number(figures, "images_per_second"):0.0}"));
        Section(text, lines, "questions", "five questions on an image", "faster than on images of their own", figures => ($"{figures["model"]}", $"{Number(figures, "ratio"):0.00}×"));
        Section(text, lines, "interactive", "a token of each", "milliseconds", figures => ($"{figures["model"]}, {figures["sequences"]} at once, {((int)figures["graph_rows"]! > 0 ? "graphs" : "no graphs")}", $"{Number(figures, "milliseconds_per_token"):0.00} {figures["notice"]}"));
        Section(text, lines, "small cards", "small cards", "GB of the device, images a second", figures => ($"{figures["model"]}, {figures["stage"]}", $"{Number(figures, "gigabytes_used"):0.0}, {Number(figures, "images_per_second"):0.0}"));
        Section(text, lines, "photos", "JPEGs in, tokens out", "images a second, milliseconds of a core for each", figures => ($"{figures["model"]}, {figures["answer_tokens"]} tokens", $"{Number(figures, "images_per_second"):0.0}, {Number(figures, "milliseconds_of_a_core_per_image"):0.0}"));
        Section(text, lines, "product", "product", "TFLOP/s, TB/s", figures => ($"{figures["product"]}, {figures["rows"]} rows", $"{Number(figures, "teraflops_per_second"):0.0}, {Number(figures, "terabytes_per_second"):0.00}"));
        Section(text, lines, "fp8 product", "product in eight bits", "TFLOP/s, with rounding", figures => ($"{figures["product"]}, {figures["rows"]} rows", $"{Number(figures, "teraflops_per_second"):0.0}, {Number(figures, "teraflops_per_second_with_rounding"):0.0}"));
        Section(text, lines, "memory", "memory", "TB/s copied, read", figures => ("device", $"{Number(figures, "terabytes_per_second_copied"):0.00}, {Number(figures, "terabytes_per_second_read"):0.00}"));
        Section(text, lines, "attention of rows that decode", "attention of rows that decode", "TB/s", figures => ($"{figures["model"]}, {figures["sequences"]} sequences, {figures["keys_and_values"]}", $"{Number(figures, "terabytes_per_second"):0.00}"));
        Section(text, lines, "forms", "form", "worst relative error", figures => ($"{figures["form"]}", figures["worst_relative_error"] is null ? "" : $"{Number(figures, "worst_relative_error"):0.0000}"));
        Section(text, lines, "greedy", "form", "tokens as without", figures => ($"{figures["form"]}", $"{figures["equal"]} of {figures["tokens"]}, {figures["ties"]} answers part at a tie {figures["notice"]}"));
        Section(text, lines, "part", "part", "outcome", figures => ($"{figures["part"]}", $"{figures["outcome"]}, {Number(figures, "seconds"):0.0} s {figures["message"]}"));
        return text.ToString();
    }

    private static void Training(StringBuilder text, IReadOnlyList<JsonNode> lines)
    {
        TrainingRatio[] forms = [.. TrainingRatio.Of(lines)];
        if (forms.Length > 0)
        {
            text.AppendLine().AppendLine("| training | transformers, samples a second | ours | ratio | of the largest product's speed | memory, theirs, ours |").AppendLine("| --- | --- | --- | --- | --- | --- |");
        }

        foreach (var ours in forms)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {ours.Model}, {ours.Form} | {(ours.Baseline is { } baseline ? $"{baseline:0.00}" : "none")} | {ours.SamplesPerSecond:0.00} | {(ours.Ratio is { } ratio ? $"{ratio:0.00}" : "none")} | {(ours.Share is { } share ? $"{share:0 %}" : "not measured")} | {(ours.BaselineGigabytes is { } theirs ? $"{theirs:0.0}" : "none")}, {ours.Gigabytes:0.0} GB |");
        }

        Section(text, lines, "training losses", "losses of both sides on the same samples", "worst relative difference", figures => ($"{figures["ours"]!.AsArray().Count} steps", figures["worst_relative_difference"] is null ? "theirs not measured" : $"{Number(figures, "worst_relative_difference"):0.0000}"));
        Section(text, lines, "training that does not fit", "training that does not fit", "why", figures => ($"{figures["model"]}, {figures["form"]}", $"{figures["message"]}"));
    }

    private static void Section(StringBuilder text, IReadOnlyList<JsonNode> lines, string benchmark, string first, string second, Func<JsonNode, (string, string)> row)
    {
        var figures = lines.Where(line => (string?)line["benchmark"] == benchmark).Select(line => line["figures"]!).ToList();
        if (figures.Count == 0)
        {
            return;
        }

        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"| {first} | {second} |").AppendLine("| --- | --- |");
        foreach (var (name, value) in figures.Select(row))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {value} |");
        }
    }

    private static double Number(JsonNode figures, string name) => (double)figures[name]!;
}
