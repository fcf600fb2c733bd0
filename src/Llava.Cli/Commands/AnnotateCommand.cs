using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Cli.Output;

namespace Llava.Cli.Commands;

/// <summary><c>llava annotate</c>: a caption, or any answer, for every image of a source.</summary>
internal static class AnnotateCommand
{
    private const string DefaultPrompt = "Describe this image.";

    public static Command Create()
    {
        var source = new Argument<string>("source") { Description = "A folder, a glob in quotes, an image, a .txt list of paths, or a .jsonl file with image and, optionally, prompt per line." };
        var prompt = new Option<string>("--prompt", "-p") { Description = "What to ask about each image.", DefaultValueFactory = _ => DefaultPrompt };
        var options = new JobOptions();
        var command = new Command("annotate", "Caption every image of a folder, glob or list. Killed or stopped, the same command continues.") { source, prompt };
        options.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() => new JobRun(options).RunAsync(
            typed, options.Request(typed, SourceArgument.Parse(typed.GetValue(source)!), typed.GetValue(prompt)), OutputFormat.Jsonl, cancellationToken)));
        return command;
    }
}
