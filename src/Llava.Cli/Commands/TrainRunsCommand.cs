using System.CommandLine;
using System.Globalization;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Files;
using Llava.Ledger.Training;
using Spectre.Console;

namespace Llava.Cli.Commands;

/// <summary><c>llava train submit</c>, <c>status</c>, <c>events</c>, <c>pause</c>, <c>resume</c> and <c>cancel</c>: training runs of the ledger at hand, which <c>llava up</c> or a consumer trains.</summary>
internal static class TrainRunsCommand
{
    private const string FineTune = "fine-tune";
    private const int Newest = 50;

    public static IEnumerable<Command> Create() =>
    [
        Submit(),
        Status(),
        Events(),
        Control("pause", "Put a run down at its next step; what it has learned is kept.", (runs, id, token) => runs.PauseAsync(id, null, token)),
        Control("resume", "Go on with a paused run from its last checkpoint.", (runs, id, token) => runs.ResumeAsync(id, null, token)),
        Control("cancel", "End a run at its next step, without a model.", (runs, id, token) => runs.CancelAsync(id, null, token)),
    ];

    private static Command Submit()
    {
        var rows = new Argument<FileInfo>("rows") { Description = "Rows to learn from: OpenAI chats as JSONL, or LLaVA conversations." };
        var model = new Option<string>("--model") { Description = "The model to start from.", DefaultValueFactory = _ => JobOptions.DefaultModel };
        var validation = new Option<FileInfo?>("--validation") { Description = "Rows to measure with." };
        var suffix = new Option<string?>("--suffix") { Description = "Part of the new model's name." };
        var mode = new Option<TrainingMode>("--mode") { Description = "What is trained.", DefaultValueFactory = _ => TrainingMode.Full };
        var rank = new Option<int?>("--lora-rank") { Description = "Rank of the adapter, with --mode lora or qlora. Default: 64." };
        var epochs = new Option<int?>("--epochs") { Description = "Passes over the rows. Default: chosen." };
        var batch = new Option<int?>("--batch-size") { Description = "Rows of a step. Default: chosen." };
        var rate = new Option<double?>("--learning-rate") { Description = "Highest learning rate. Default: by the mode." };
        var steps = new Option<int?>("--max-steps") { Description = "Steps, instead of passes over the rows." };
        var seed = new Option<int>("--seed") { Description = "Seed of the order of the rows.", DefaultValueFactory = _ => 42 };
        var data = JobOptions.DataOption();
        var command = new Command("submit", "Queue a training run; 'llava up' trains it.") { rows, model, validation, suffix, mode, rank, epochs, batch, rate, steps, seed, data };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var folder = DataFolder.Resolve(typed.GetValue(data));
            await using var ledger = await EmbeddedLedger.OpenAsync(folder, cancellationToken);
            var run = await ledger.Training.CreateAsync(new()
            {
                Model = ModelFolders.NameForJobs(typed.GetValue(model)!, folder),
                TrainingFile = await KeepAsync(ledger.Files, typed.GetValue(rows)!, cancellationToken),
                ValidationFile = typed.GetValue(validation) is { } file ? await KeepAsync(ledger.Files, file, cancellationToken) : null,
                Suffix = typed.GetValue(suffix),
                Seed = typed.GetValue(seed),
                Settings = new()
                {
                    Mode = typed.GetValue(mode),
                    Lora = typed.GetValue(rank) is { } width ? new AdapterSettings { Rank = width } : null,
                    Epochs = typed.GetValue(epochs),
                    BatchSize = typed.GetValue(batch),
                    LearningRate = typed.GetValue(rate),
                    MaxSteps = typed.GetValue(steps),
                },
            }, cancellationToken);
            Console.WriteLine(run.Id);
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static Command Status()
    {
        var id = new Argument<string?>("run") { Description = $"A run's id. Default: the newest {Newest} runs.", Arity = ArgumentArity.ZeroOrOne };
        return OnLedger("status", "Show training runs and how far they are.", id, async (ledger, run, cancellationToken) =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("run", "state", "from", "step", "loss", "model");
            foreach (var found in run is null ? await ledger.Training.ListAsync(null, null, Newest, cancellationToken) : [await ledger.Training.ReadAsync(run, null, cancellationToken)])
            {
                table.AddRow(
                    new Text(found.Id),
                    new Text(found.Failure is { } failure ? $"{found.State.WireName()}: {failure.Code}" : found.State.WireName()),
                    new Text(ModelFolders.NameOf(found.Request.Model)),
                    new Text(string.Create(CultureInfo.InvariantCulture, $"{found.Step}/{found.Steps}")),
                    new Text(found.Loss?.ToString("0.000", CultureInfo.InvariantCulture) ?? ""),
                    new Text(found.HasModel ? found.Model : ""));
            }

            AnsiConsole.Write(table);
        });
    }

    private static Command Events() => OnLedger("events", "Show what happened to a run, the oldest first.", RunArgument(), async (ledger, run, cancellationToken) =>
    {
        await ledger.Training.ReadAsync(run!, null, cancellationToken);
        foreach (var one in (await ledger.Training.EventsAsync(run!, null, int.MaxValue, cancellationToken)).AsEnumerable().Reverse())
        {
            Console.WriteLine($"{one.CreatedAt.LocalDateTime:yyyy-MM-dd HH:mm:ss}  {one.Level.ToString().ToLowerInvariant(),-5}  {one.Message}");
        }
    });

    private static Command Control(string verb, string description, Func<TrainingRuns, string, CancellationToken, Task<TrainingRunRecord>> act) =>
        OnLedger(verb, description, RunArgument(), async (ledger, run, cancellationToken) => Console.WriteLine($"{run} is {(await act(ledger.Training, run!, cancellationToken)).State.WireName()}."));

    private static Argument<string?> RunArgument() => new("run") { Description = "A run's id; 'llava train status' lists them." };

    private static Command OnLedger(string name, string description, Argument<string?> run, Func<EmbeddedLedger, string?, CancellationToken, Task> act)
    {
        var data = JobOptions.DataOption();
        var command = new Command(name, description) { run, data };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var ledger = await EmbeddedLedger.OpenAsync(DataFolder.Resolve(typed.GetValue(data)), cancellationToken);
            await act(ledger, typed.GetValue(run), cancellationToken);
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static async Task<string> KeepAsync(FileStore files, FileInfo file, CancellationToken cancellationToken)
    {
        await using var content = file.OpenRead();
        return (await files.CreateAsync("default", new(file.Name, FineTune), content, long.MaxValue, cancellationToken)).Id;
    }
}
