using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Llava.Cli.Bench;

namespace Llava.Cli.Commands;

/// <summary><c>llava bench</c>: figures of this machine, each with its baseline from the same run, as one line of JSON.</summary>
internal static class BenchCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create() => new("bench", "Measure this machine.") { Queue(), EngineBenchCommand.Create(), TrainingBenchCommand.Create() };

    private static Command Queue()
    {
        var items = new Option<int>("--items") { Description = "Items of the job.", DefaultValueFactory = _ => 100_000 };
        items.Validators.Add(AtLeastOne);
        var chunk = new Option<int>("--chunk") { Description = "Items per chunk.", DefaultValueFactory = _ => 32 };
        chunk.Validators.Add(AtLeastOne);
        var rounds = new Option<int>("--rounds") { Description = "Rounds of which the median counts.", DefaultValueFactory = _ => 3 };
        rounds.Validators.Add(AtLeastOne);
        var command = new Command("queue", "Measure the pipeline with a model that does nothing, on the configured transport and ledger.") { items, chunk, rounds };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using QueueBench bench = new(typed.GetValue(items), typed.GetValue(chunk));
            Console.WriteLine(JsonSerializer.Serialize(await bench.RunAsync(typed.GetValue(rounds), cancellationToken), Json));
            return ExitCodes.Ok;
        }));
        return command;
    }

    internal static void AtLeastOne(OptionResult option)
    {
        if (option.GetValueOrDefault<int>() < 1)
        {
            option.AddError($"{option.Option.Name} is {option.GetValueOrDefault<int>()}; give 1 or more.");
        }
    }
}
