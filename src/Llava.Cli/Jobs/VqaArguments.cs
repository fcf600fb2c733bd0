using System.CommandLine;
using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>What <c>vqa</c> is told about its questions, at once or again and again.</summary>
internal sealed class VqaArguments
{
    private readonly Argument<FileInfo> _questions = new("questions") { Description = "A question file: JSON Lines with question_id, image and text." };

    private readonly Option<DirectoryInfo?> _images = new("--images") { Description = "Folder that the images' names start from. Default: the question file's own." };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_questions);
        command.Options.Add(_images);
    }

    /// <summary>Where the items come from, with whole paths.</summary>
    public SourceDescription Source(ParseResult typed)
    {
        var file = typed.GetValue(_questions)!;
        return file.Exists
            ? new() { Kind = SourceKind.Questions, Path = file.FullName, ImageFolder = typed.GetValue(_images)?.FullName }
            : throw new UsageException($"'{file}' does not exist. Give a question file: JSON Lines with question_id, image and text.");
    }
}
