using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Cli.Schedules;
using Llava.Cli.Training;
using Llava.Contracts.Requests;
using Llava.Ledger.Schedules;

namespace Llava.Cli.Commands;

/// <summary><c>llava schedule add</c>: a name, when, and then the command as it would be typed once.</summary>
internal sealed class ScheduleAddCommand
{
    private readonly Argument<string> _name = new("name") { Description = "What to call it: letters, digits, '-', '_' and '.'." };

    private readonly Option<string> _cron = new("--cron") { Description = "When: minute, hour, day of month, month, day of week, such as \"0 2 * * *\" for every night at two.", Required = true };

    private readonly Option<string> _zone = new("--time-zone") { Description = "IANA time zone that --cron is read in. Default: this machine's.", DefaultValueFactory = _ => LocalZone(), Recursive = true };

    private readonly Option<bool> _onlyNew = new("--only-new") { Description = "Leave out what an earlier job of this schedule has answered, or a file that an earlier run of it has learned from.", Recursive = true };

    private readonly Option<ScheduleOverlap?> _overlap = new("--overlap")
    {
        Description = "When the job or run before is not over: leave this one out (skip, the default) or submit it all the same (queue).",
        HelpName = "skip|queue",
        CustomParser = JobOptions.Named(new Dictionary<string, ScheduleOverlap> { ["skip"] = ScheduleOverlap.Skip, ["queue"] = ScheduleOverlap.Queue }),
        Recursive = true,
    };

    private readonly Option<bool> _replace = new("--replace") { Description = "Take the place of the schedule with this name. What it has answered stays answered.", Recursive = true };

    private readonly Option<bool> _json = ScheduleCommand.JsonOption();

    private ScheduleAddCommand()
    {
        _cron.Recursive = true;
        _json.Recursive = true;
    }

    public static Command Create() => new ScheduleAddCommand().Build();

    private Command Build()
    {
        var annotate = new JobArguments();
        var vqa = new VqaArguments();
        return new("add", "Make a schedule: llava schedule add nightly --cron \"0 2 * * *\" annotate photos --only-new")
        {
            _name, _cron, _zone, _onlyNew, _overlap, _replace, _json,
            Job("annotate", "Caption every image of a folder, glob, list or data set.", ScheduleKind.Annotate, annotate.AddTo, (options, typed, model) =>
            {
                var source = annotate.Source(typed, isRemote: false);
                return options.Request(typed, model, source, annotate.Prompts(typed, source));
            }),
            Job("vqa", "Answer LLaVA's question file.", ScheduleKind.Vqa, vqa.AddTo, (options, typed, model) => options.Request(typed, model, vqa.Source(typed), [])),
            Evaluation(),
            Finetuning(),
        };
    }

    private Command Evaluation()
    {
        var source = new SourceArguments();
        return Job("evaluate", "Answer a file of questions that holds their right answers too, and score the answers by them (--expected, default answer).", ScheduleKind.Evaluate, source.AddTo, (options, typed, model) =>
        {
            var request = options.Request(typed, model, source.Source(typed, isRemote: false), []);
            return request with { Expected = request.Expected ?? "answer" };
        });
    }

    private Command Finetuning()
    {
        var rows = new Argument<FileInfo?>("rows") { Description = "Rows to learn from, kept as they are now. Default: the newest file to learn from at each run, such as the last made of reviewed answers.", Arity = ArgumentArity.ZeroOrOne };
        var arguments = new TrainingArguments();
        var data = JobOptions.DataOption();
        var command = new Command("finetune", "Train a model, as 'llava train submit' does. With --only-new a file is learned from once.") { rows, data };
        arguments.AddTo(command);
        command.SetAction((typed, cancellationToken) => ScheduleCommand.WithClientAsync(typed.GetValue(data), async client =>
        {
            var file = typed.GetValue(rows) is { } named ? await client.KeepRowsAsync(named, cancellationToken) : ScheduleDefinition.NewestFile;
            var validation = typed.GetValue(arguments.Validation) is { } measured ? await client.KeepRowsAsync(measured, cancellationToken) : null;
            var from = typed.GetValue(arguments.Model)!;
            var model = arguments.IsBase(typed) ? from : await client.ModelAsync(from, cancellationToken);
            return await KeepAsync(client, typed, Definition(typed, ScheduleKind.Finetune) with { Training = arguments.Request(typed, model, file, validation) }, cancellationToken);
        }, cancellationToken));
        return command;
    }

    private async Task<int> KeepAsync(IScheduleClient client, ParseResult typed, ScheduleDefinition definition, CancellationToken cancellationToken) =>
        ScheduleCommand.Report(
            await (typed.GetValue(_replace) ? client.ReplaceAsync(definition, cancellationToken) : client.AddAsync(definition, cancellationToken)), typed.GetValue(_json));

    private Command Job(string verb, string description, ScheduleKind kind, Action<Command> addArguments, Func<JobOptions, ParseResult, string, JobRequest> request)
    {
        var options = new JobOptions();
        var command = new Command(verb, description);
        addArguments(command);
        options.AddRequestTo(command);
        command.Options.Add(options.Data);
        command.SetAction((typed, cancellationToken) => ScheduleCommand.WithClientAsync(typed.GetValue(options.Data), async client =>
        {
            var model = await client.ModelAsync(typed.GetValue(options.Model)!, cancellationToken);
            return await KeepAsync(client, typed, Definition(typed, kind) with { Request = request(options, typed, model) }, cancellationToken);
        }, cancellationToken));
        return command;
    }

    private ScheduleDefinition Definition(ParseResult typed, ScheduleKind kind) => new()
    {
        Name = typed.GetValue(_name)!,
        Kind = kind,
        Cron = typed.GetValue(_cron)!,
        TimeZone = typed.GetValue(_zone)!,
        OnlyNew = typed.GetValue(_onlyNew),
        Overlap = typed.GetValue(_overlap) ?? ScheduleOverlap.Skip,
    };

    private static string LocalZone() => TimeZoneInfo.Local is { HasIanaId: true, Id: { } id } ? id : "UTC";
}
