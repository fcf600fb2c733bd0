using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.Requests;

namespace Llava.Cli.Commands;

/// <summary><c>llava annotate</c>: a caption, or any answer, for every image of a source.</summary>
internal static class AnnotateCommand
{
    private const string DefaultPrompt = "Describe this image.";

    public static Command Create()
    {
        var source = new Argument<string>("source") { Description = "A folder, a glob in quotes, an image, a .txt list of paths, or a .jsonl, .csv, .tsv, .parquet, .tar (WebDataset), COCO or LLaVA .json or OpenAI batch file." };
        var inputFormat = new Option<SourceKind?>("--input-format")
        {
            Description = $"{string.Join(", ", SourceArgument.Kinds.Keys.Order(StringComparer.Ordinal))}, when the name and the first bytes of the source do not say it (docs/formats.md).",
            HelpName = "kind",
            CustomParser = JobOptions.Named(SourceArgument.Kinds),
        };
        var images = new Option<DirectoryInfo?>("--images") { Description = "Folder that image names in a source file start from. Default: the file's own." };
        var prompt = new Option<string[]>("--prompt", "-p") { Description = $"What to ask about each image; {{column}} stands for a field of its row. Given several times, each is asked of each image. Default: {DefaultPrompt}" };
        var prompts = new Option<FileInfo?>("--prompts") { Description = "A text file with a prompt per line, each asked of each image." };
        var options = new JobOptions();
        var command = new Command("annotate", "Caption every image of a folder, glob, list or data set. Killed or stopped, the same command continues.") { source, inputFormat, images, prompt, prompts };
        options.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() => new JobRun(options).RunAsync(
            typed,
            options.Request(
                typed,
                SourceArgument.Parse(typed.GetValue(source)!, typed.GetValue(inputFormat)) with { ImageFolder = typed.GetValue(images)?.FullName },
                Prompts(typed.GetValue(prompt) ?? [], typed.GetValue(prompts))),
            OutputFormat.Jsonl,
            cancellationToken)));
        return command;
    }

    private static string[] Prompts(string[] typed, FileInfo? file)
    {
        if (file is { Exists: false })
        {
            throw new UsageException($"'{file}' does not exist. Give a text file with a prompt per line.");
        }

        string[] prompts = [.. typed, .. file is null ? [] : File.ReadLines(file.FullName).Where(line => !string.IsNullOrWhiteSpace(line))];
        return prompts.Length > 0 ? prompts : [DefaultPrompt];
    }
}
