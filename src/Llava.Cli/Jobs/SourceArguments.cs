using System.CommandLine;
using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>Where items come from, as it is typed.</summary>
internal sealed class SourceArguments
{
    private readonly Argument<string> _source = new("source") { Description = "A folder, a glob in quotes, an image, a .txt list of paths, or a .jsonl, .csv, .tsv, .parquet, .tar (WebDataset), COCO or LLaVA .json or OpenAI batch file." };

    private readonly Option<SourceKind?> _inputFormat = new("--input-format")
    {
        Description = $"{string.Join(", ", SourceArgument.Kinds.Keys.Order(StringComparer.Ordinal))}, when the name and the first bytes of the source do not say it (docs/formats.md).",
        HelpName = "kind",
        CustomParser = JobOptions.Named(SourceArgument.Kinds),
    };

    private readonly Option<string?> _images = new("--images") { Description = "Folder that image names in a source file start from. Default: the file's own." };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_source);
        command.Options.Add(_inputFormat);
        command.Options.Add(_images);
    }

    /// <summary>The source as typed: on this machine, or as a server sees it.</summary>
    /// <exception cref="UsageException">There is no such source, or its kind cannot be told.</exception>
    public SourceDescription Source(ParseResult typed, bool isRemote)
    {
        var (argument, kind, images) = (typed.GetValue(_source)!, typed.GetValue(_inputFormat), typed.GetValue(_images));
        return isRemote
            ? ServerSource.Parse(argument, kind) with { ImageFolder = images is null ? null : ServerSource.RequireRooted(images) }
            : SourceArgument.Parse(argument, kind) with { ImageFolder = images is null ? null : Path.GetFullPath(images) };
    }
}
