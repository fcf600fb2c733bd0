using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Bench;
using Llava.Cli.Training;
using Llava.GpuConsumer.Training.Processes;
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
        var processes = new Option<int>("--processes") { Description = "Processes of one thread each that share out a step of as many micro-batches, beside one that makes it alone; 1 measures the forms of a step.", DefaultValueFactory = _ => 1 };
        processes.Validators.Add(BenchCommand.AtLeastOne);
        var zero = new Option<int>("--zero") { Description = "With --processes: what else they share out; 0 nothing, 1 what the optimizer remembers, 2 gradients too." };
        zero.AcceptOnlyFromAmong("0", "1", "2");
        var worker = new Option<bool>(TrainingProgram.WorkerOption) { Hidden = true };
        var command = new Command("train", "Measure optimizer steps of a language model, layer by layer beside a plain autograd loop, or by several processes beside one: speed, share of the matrix product's, peak memory.")
        {
            shape, samples, length, rounds, precision, processes, zero, worker,
        };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            TrainingBenchmarkSettings settings = new()
            {
                Model = BenchmarkShape.All[typed.GetValue(shape)!],
                Tokens = typed.GetValue(samples) * typed.GetValue(length),
                Length = typed.GetValue(length),
                Rounds = typed.GetValue(rounds),
                Precision = typed.GetValue(precision),
            };
            SharedTrainingBenchmark shared = new(settings, typed.GetValue(zero));
            if (typed.GetValue(worker))
            {
                using var ranks = await TrainingRank.JoinAsync(onCards: false, cancellationToken);
                await Task.Run(() => shared.Run(ranks), CancellationToken.None);
                return ExitCodes.Ok;
            }

            object figures = typed.GetValue(processes) is > 1 and var several
                ? await ShareAsync(shared, several, [.. Words(typed)], cancellationToken)
                : new TrainingBenchmark(settings).Run();
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
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static async Task<SharedTrainingFigures> ShareAsync(SharedTrainingBenchmark bench, int processes, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        await using var started = await TrainingProcesses.StartAsync(processes, onCards: false, TrainingRank.Program, [.. command, TrainingProgram.WorkerOption], cancellationToken);
        return await started.RunAsync(() => Task.Run(() => bench.Run(started.Ranks), CancellationToken.None));
    }

    /// <summary>The command as it was typed.</summary>
    private static IEnumerable<string> Words(ParseResult typed) => typed.Tokens.Select(token => token.Value);
}
