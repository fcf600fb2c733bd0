using System.CommandLine;
using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>What <c>annotate</c> is told about its source and what to ask, at once or again and again.</summary>
internal sealed class AnnotateArguments
{
    private const string DefaultPrompt = "Describe this image.";

    private readonly Argument<string> _source = new("source") { Description = "A folder, a glob in quotes, an image, a .txt list of paths, or a .jsonl, .csv, .tsv, .parquet, .tar (WebDataset), COCO or LLaVA .json or OpenAI batch file." };

    private readonly Option<SourceKind?> _inputFormat = new("--input-format")
    {
        Description = $"{string.Join(", ", SourceArgument.Kinds.Keys.Order(StringComparer.Ordinal))}, when the name and the first bytes of the source do not say it (docs/formats.md).",
        HelpName = "kind",
        CustomParser = JobOptions.Named(SourceArgument.Kinds),
    };

    private readonly Option<DirectoryInfo?> _images = new("--images") { Description = "Folder that image names in a source file start from. Default: the file's own." };

    private readonly Option<string[]> _prompt = new("--prompt", "-p") { Description = $"What to ask about each image; {{column}} stands for a field of its row. Given several times, each is asked of each image. Default: {DefaultPrompt}" };

    private readonly Option<FileInfo?> _prompts = new("--prompts") { Description = "A text file with a prompt per line, each asked of each image." };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_source);
        command.Options.Add(_inputFormat);
        command.Options.Add(_images);
        command.Options.Add(_prompt);
        command.Options.Add(_prompts);
    }

    /// <summary>Where the items come from, with whole paths.</summary>
    public SourceDescription Source(ParseResult typed) =>
        SourceArgument.Parse(typed.GetValue(_source)!, typed.GetValue(_inputFormat)) with { ImageFolder = typed.GetValue(_images)?.FullName };

    /// <summary>What each is asked.</summary>
    public IReadOnlyList<string> Prompts(ParseResult typed)
    {
        var file = typed.GetValue(_prompts);
        if (file is { Exists: false })
        {
            throw new UsageException($"'{file}' does not exist. Give a text file with a prompt per line.");
        }

        string[] prompts = [.. typed.GetValue(_prompt) ?? [], .. file is null ? [] : File.ReadLines(file.FullName).Where(line => !string.IsNullOrWhiteSpace(line))];
        return prompts.Length > 0 ? prompts : [DefaultPrompt];
    }
}
