using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Cli.Output;

namespace Llava.Cli.Commands;

/// <summary><c>llava annotate</c>: a caption, or any answer, for every image of a source.</summary>
internal static class AnnotateCommand
{
    public static Command Create()
    {
        var command = new Command("annotate", "Caption every image of a folder, glob, list or data set. Killed or stopped, the same command continues.");
        var arguments = new JobArguments();
        var options = new JobOptions();
        arguments.AddTo(command);
        options.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() =>
        {
            var source = arguments.Source(typed, isRemote: false);
            return new JobRun(options).RunAsync(typed, options.Request(typed, source, arguments.Prompts(typed, source)), OutputFormat.Jsonl, cancellationToken);
        }));
        return command;
    }
}
