using System.CommandLine;
using Llava.Cli;
using Llava.Cli.Commands;
using Llava.Ledger.Audit;

var root = new RootCommand("Bulk image captioning, visual question answering and finetuning with LLaVA, as durable jobs.")
{
    AnnotateCommand.Create(),
    VqaCommand.Create(),
    SubmitCommand.Create(),
    EstimateCommand.Create(),
    AppendCommand.Create(),
    StatusCommand.Create(),
    ResultsCommand.Create(),
    ScheduleCommand.Create(),
    RetryCommand.Create(),
    KeysCommand.Create(),
    AuditCommand.Create(),
    UpCommand.Create(),
    ServeCommand.Create(),
    TrainCommand.Create(),
    ModelsCommand.Create(),
    ScenesCommand.Create(),
    BenchCommand.Create(),
    DoctorCommand.Create(),
};

ControlCommands.Create().ToList().ForEach(root.Subcommands.Add);

var parsed = root.Parse(args);

// What commands change in a ledger is done by whoever typed them.
new Actor($"terminal:{Environment.UserName}").Act();

// Commands end by themselves when told to: how long running chunks may go on is a setting (TransportOptions.Drain, an hour at most), not two seconds.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = TimeSpan.FromHours(1.1) };
return parsed.Errors.Count > 0 ? Usage(parsed) : await parsed.InvokeAsync(invocation).ConfigureAwait(false);

static int Usage(ParseResult parsed)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    Console.Error.WriteLine("Run 'llava --help' for what is possible.");
    return ExitCodes.Usage;
}
