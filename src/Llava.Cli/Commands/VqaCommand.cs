using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Cli.Output;

namespace Llava.Cli.Commands;

/// <summary><c>llava vqa</c>: LLaVA's question file in, its answer file out.</summary>
internal static class VqaCommand
{
    public static Command Create()
    {
        var arguments = new VqaArguments();
        var options = new JobOptions();
        var command = new Command("vqa", "Answer LLaVA's question file; the answers come as LLaVA's answer file. Killed or stopped, the same command continues.");
        arguments.AddTo(command);
        options.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() =>
            new JobRun(options).RunAsync(typed, options.Request(typed, arguments.Source(typed)), OutputFormat.Answers, cancellationToken)));
        return command;
    }
}
