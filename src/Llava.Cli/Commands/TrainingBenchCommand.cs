using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Bench;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Speed;

namespace Llava.Cli.Commands;

/// <summary><c>llava bench train</c>: optimizer steps on random weights, layer by layer beside a plain autograd loop.</summary>
internal static class TrainingBenchCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var shape = new Option<string>("--shape") { Description = $"Sizes of the model: {string.Join(", ", BenchmarkShape.All.Keys)}.", DefaultValueFactory = _ => "s160" };
        shape.AcceptOnlyFromAmong([.. BenchmarkShape.All.Keys]);
        var samples = new Option<int>("--samples") { Description = "Samples of a step.", DefaultValueFactory = _ => 4 };
        samples.Validators.Add(BenchCommand.AtLeastOne);
        var length = new Option<int>("--length") { Description = "Tokens of a sample.", DefaultValueFactory = _ => 512 };
        length.Validators.Add(BenchCommand.AtLeastOne);
        var rounds = new Option<int>("--rounds") { Description = "Steps of which the median counts.", DefaultValueFactory = _ => 5 };
        rounds.Validators.Add(BenchCommand.AtLeastOne);
        var precision = new Option<TrainingPrecision>("--precision") { Description = "Type of the products.", DefaultValueFactory = _ => TrainingPrecision.Bf16 };
        var command = new Command("train", "Measure optimizer steps of a language model, layer by layer beside a plain autograd loop: speed, share of the matrix product's, peak memory.") { shape, samples, length, rounds, precision };
        command.SetAction((typed, _) => Failures.ReportAsync(() =>
        {
            TrainingBenchmark bench = new(new()
            {
                Model = BenchmarkShape.All[typed.GetValue(shape)!],
                Tokens = typed.GetValue(samples) * typed.GetValue(length),
                Length = typed.GetValue(length),
                Rounds = typed.GetValue(rounds),
                Precision = typed.GetValue(precision),
            });
            var figures = bench.Run();
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    Benchmark = "train",
                    Date = DateTime.UtcNow.ToString("yyyy-MM-dd", null),
                    Processor = ThisMachine.Processor(),
                    Load = ThisMachine.Load(),
                    Shape = typed.GetValue(shape),
                    Precision = typed.GetValue(precision).ToString().ToLowerInvariant(),
                    Figures = figures,
                },
                Json));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }
}
