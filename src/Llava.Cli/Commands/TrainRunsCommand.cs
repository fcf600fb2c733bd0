using System.CommandLine;
using System.Globalization;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Cli.Training;
using Llava.Contracts.States;
using Llava.Ledger.Training;
using Spectre.Console;

namespace Llava.Cli.Commands;

/// <summary><c>llava train submit</c>, <c>status</c>, <c>events</c>, <c>promotions</c>, <c>pause</c>, <c>resume</c> and <c>cancel</c>: training runs of the ledger at hand, which <c>llava up</c> or a consumer trains.</summary>
internal static class TrainRunsCommand
{
    private const int Newest = 50;
    private const string Tenant = "default";

    public static IEnumerable<Command> Create() =>
    [
        Submit(),
        Status(),
        Events(),
        Promotions(),
        Control("pause", "Put a run down at its next step; what it has learned is kept.", (runs, id, token) => runs.PauseAsync(id, null, token)),
        Control("resume", "Go on with a paused run from its last checkpoint.", (runs, id, token) => runs.ResumeAsync(id, null, token)),
        Control("cancel", "End a run at its next step, without a model.", (runs, id, token) => runs.CancelAsync(id, null, token)),
    ];

    private static Command Submit()
    {
        var rows = new Argument<FileInfo>("rows") { Description = "Rows to learn from: OpenAI chats as JSONL, or LLaVA conversations." };
        var arguments = new TrainingArguments();
        var data = JobOptions.DataOption();
        var command = new Command("submit", "Queue a training run; 'llava up' trains it.") { rows };
        arguments.AddTo(command);
        command.Options.Add(data);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var folder = DataFolder.Resolve(typed.GetValue(data));
            await using var ledger = await EmbeddedLedger.OpenAsync(folder, cancellationToken);
            var file = await ledger.Files.KeepAsync(typed.GetValue(rows)!, cancellationToken);
            var validation = typed.GetValue(arguments.Validation) is { } measured ? await ledger.Files.KeepAsync(measured, cancellationToken) : null;
            var model = arguments.IsLeftToAnother(typed) ? "" : await ModelAsync(ledger, typed.GetValue(arguments.Model)!, arguments.IsBase(typed), folder, cancellationToken);
            var run = await ledger.Training.CreateAsync(arguments.Request(typed, model, file, validation), cancellationToken);
            Console.WriteLine(run.Id);
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static async Task<string> ModelAsync(EmbeddedLedger ledger, string named, bool isBase, string folder, CancellationToken cancellationToken)
    {
        if (!isBase)
        {
            return await ledger.Promotions.TargetAsync(Tenant, named, cancellationToken) ?? ModelFolders.NameForJobs(named, folder);
        }

        // Whether there is such a base only the consumers know; where none lives, the first that does says.
        var live = await ledger.Workers.LiveAsync(cancellationToken);
        var bases = live.SelectMany(worker => worker.Bases).Distinct().Order(StringComparer.Ordinal).ToList();
        return live.Count == 0 || bases.Contains(named)
            ? named
            : throw new UsageException($"No live consumer has the base '{named}', and alignment starts from one. Those there are: {(bases.Count > 0 ? string.Join(", ", bases) : "none; Llava__Training__Bases__NAME__Folder and __VisionTower of a consumer make one")}.");
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
                    new Text(found.Request.After ?? ModelFolders.NameOf(found.Request.Model)),
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

    private static Command Promotions()
    {
        var data = JobOptions.DataOption();
        var command = new Command("promotions", "Show names that were to stand for trained models, and what became of it, the newest first.") { data };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var ledger = await EmbeddedLedger.OpenAsync(DataFolder.Resolve(typed.GetValue(data)), cancellationToken);
            foreach (var one in await ledger.Promotions.ListAsync(null, Newest, cancellationToken))
            {
                Console.WriteLine($"{one.Name}  {one.Holds switch { true => "promoted", false => "refused", _ => "waiting" },-8}  {one.Model}  {one.Reason}");
            }

            return ExitCodes.Ok;
        }));
        return command;
    }

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
}
