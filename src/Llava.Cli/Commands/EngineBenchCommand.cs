using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Bench;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Quantization;

namespace Llava.Cli.Commands;

/// <summary><c>llava bench engine</c>: the language model alone, on random weights, beside the reference runner.</summary>
internal static class EngineBenchCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var shape = new Option<string>("--shape") { Description = $"Sizes of the model: {string.Join(", ", BenchmarkShape.All.Keys)}.", DefaultValueFactory = _ => "s160" };
        shape.AcceptOnlyFromAmong([.. BenchmarkShape.All.Keys]);
        var schemes = new Option<QuantizationScheme[]>("--quantize") { Description = "Schemes to measure. Default: all.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [.. QuantizationSchemes.OnCpu] };
        var batches = new Option<int[]>("--batch") { Description = "Sequences that decode together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 8, 32] };
        var prefill = new Option<int>("--prefill") { Description = "Prompt tokens of the prefill; 0 leaves it out.", DefaultValueFactory = _ => 512 };
        var context = new Option<int>("--context") { Description = "Positions that each decoding sequence has behind it.", DefaultValueFactory = _ => 600 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds of which the median counts.", DefaultValueFactory = _ => 20 };
        rounds.Validators.Add(BenchCommand.AtLeastOne);
        var threads = new Option<int>("--threads") { Description = "Threads; 0 for all cores." };
        var kernel = new Option<KernelKind>("--kernel") { Description = "The kernel of quantized products." };
        var alone = new Option<bool>("--no-reference") { Description = "Leave the torch runner out: it needs four bytes per weight." };
        var command = new Command("engine", "Measure prefill and decode of the language model on random weights, beside the reference runner.") { shape, schemes, batches, prefill, context, rounds, threads, kernel, alone };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() =>
        {
            EngineBenchmark bench = new(new()
            {
                Shape = typed.GetValue(shape)!,
                Schemes = typed.GetValue(schemes)!,
                Batches = typed.GetValue(batches)!,
                PrefillTokens = typed.GetValue(prefill),
                Context = typed.GetValue(context),
                Rounds = typed.GetValue(rounds),
                Threads = typed.GetValue(threads),
                Kernel = typed.GetValue(kernel),
                HasReference = !typed.GetValue(alone),
            });
            foreach (var figures in bench.Run())
            {
                cancellationToken.ThrowIfCancellationRequested();
                Console.WriteLine(JsonSerializer.Serialize(new { Benchmark = "engine", Date = DateTime.UtcNow.ToString("yyyy-MM-dd", null), Processor = ThisMachine.Processor(), Load = ThisMachine.Load(), Figures = figures }, Json));
            }

            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }
}
