using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.Requests;

namespace Llava.Cli.Commands;

/// <summary><c>llava vqa</c>: LLaVA's question file in, its answer file out.</summary>
internal static class VqaCommand
{
    public static Command Create()
    {
        var questions = new Argument<FileInfo>("questions") { Description = "A question file: JSON Lines with question_id, image and text." };
        var images = new Option<DirectoryInfo?>("--images") { Description = "Folder that the images' names start from. Default: the question file's own." };
        var options = new JobOptions();
        var command = new Command("vqa", "Answer LLaVA's question file; the answers come as LLaVA's answer file. Killed or stopped, the same command continues.") { questions, images };
        options.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() =>
        {
            var file = typed.GetValue(questions)!;
            if (!file.Exists)
            {
                throw new UsageException($"'{file}' does not exist. Give a question file: JSON Lines with question_id, image and text.");
            }

            var source = new SourceDescription { Kind = SourceKind.Questions, Path = file.FullName, ImageFolder = typed.GetValue(images)?.FullName };
            return new JobRun(options).RunAsync(typed, options.Request(typed, source), OutputFormat.Answers, cancellationToken);
        }));
        return command;
    }
}
