using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation.Schemes;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Quantization;

namespace Llava.Cli.Commands;

/// <summary><c>llava models quantize</c>: writes a checkpoint packed for our kernels, or says what each scheme would cost it in accuracy.</summary>
internal static class QuantizeCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A checkpoint's folder, or the name of a model in the models folder." };
        var output = new Argument<DirectoryInfo?>("out") { Description = "Folder of the new checkpoint; must hold no weights. May be left out with --report.", Arity = ArgumentArity.ZeroOrOne };
        var scheme = new Option<QuantizationScheme?>("--scheme") { Description = "int8, int4, nf4 or llmint8 (docs/quantization.md). Default: int8 to write, all of them to report." };
        // By what was written: whether that is a scheme at all is not known yet.
        scheme.Validators.Add(typed =>
        {
            if (typed.Tokens.Any(token => string.Equals(token.Value, nameof(QuantizationScheme.None), StringComparison.OrdinalIgnoreCase)))
            {
                typed.AddError("--scheme none is the checkpoint as it is; give int8, int4, nf4 or llmint8.");
            }

            if (typed.Tokens.Any(token => string.Equals(token.Value, nameof(QuantizationScheme.Fp8), StringComparison.OrdinalIgnoreCase)))
            {
                typed.AddError("--scheme fp8 is made while a model is loaded on a CUDA device (--quantize fp8); give int8, int4, nf4 or llmint8.");
            }
        });
        var report = new Option<bool>("--report") { Description = "Compare each scheme with the weights as they are: logits, greedy choices, answers about held-out scenes." };
        var json = new Option<bool>("--json") { Description = "Report as lines of JSON." };
        var scenes = new Option<int>("--scenes") { Description = "Held-out scenes of the report.", DefaultValueFactory = _ => new SchemeComparisonSettings().Scenes };
        scenes.Validators.Add(BenchCommand.AtLeastOne);
        var command = new Command("quantize", "Write a checkpoint with its language model packed in 8 or 4 bits, which opens at once; or report what each scheme costs in accuracy.") { model, output, scheme, report, json, scenes };
        command.Validators.Add(typed =>
        {
            if (typed.GetValue(output) is null && !typed.GetValue(report))
            {
                typed.AddError("Give the folder of the new checkpoint, or --report.");
            }
        });
        command.SetAction((typed, cancellation) => Failures.ReportAsync(async () =>
        {
            var folder = ModelFolders.Resolve(typed.GetValue(model)!);
            if (typed.GetValue(report))
            {
                SchemeComparisonSettings settings = new() { Scenes = typed.GetValue(scenes) };
                await ReportAsync(folder, typed.GetValue(scheme) is { } only ? settings with { Schemes = [only] } : settings, typed.GetValue(json), cancellation);
            }

            if (typed.GetValue(output) is { } target)
            {
                using var checkpoint = CheckpointFolder.Open(folder);
                PackedCheckpointWriter.Write(checkpoint, target.FullName, typed.GetValue(scheme) ?? QuantizationScheme.Int8);
                await Console.Error.WriteLineAsync($"Written: {target.FullName}");
            }

            return ExitCodes.Ok;
        }));
        return command;
    }

    private static async Task ReportAsync(string folder, SchemeComparisonSettings settings, bool isJson, CancellationToken cancellation)
    {
        if (!isJson)
        {
            Console.WriteLine("scheme   weights, MB   logits off by   divergence, nats   same choice   right answers       objects named");
        }

        await foreach (var figures in SchemeComparison.RunAsync(scheme => ModelLoading.Load(folder, new EngineOptions { Quantize = scheme }), settings, cancellationToken: cancellation))
        {
            Console.WriteLine(isJson ? JsonSerializer.Serialize(figures, Json) : Row(figures));
        }
    }

    private static string Row(SchemeFigures figures) => string.Create(
        CultureInfo.InvariantCulture,
        $"{figures.Scheme.Word(),-7} {figures.WeightBytes / 1e6,12:N1} {100 * figures.LogitError,13:0.00} % {figures.Divergence,18:0.000000} {100 * figures.GreedyAgreement,11:0.00} % {100 * figures.Accuracy,7:0.00} % of {figures.Asked,-7} {100 * figures.ObjectsNamed,10:0.00} %");
}
