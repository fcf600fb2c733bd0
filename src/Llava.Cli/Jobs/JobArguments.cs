using System.CommandLine;
using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>What a job is about: its source and what is asked of each item.</summary>
internal sealed class JobArguments
{
    private const string DefaultPrompt = "Describe this image.";

    private readonly SourceArguments _source = new();

    private readonly Option<string[]> _prompt = new("--prompt", "-p") { Description = $"What to ask about each image; {{column}} stands for a field of its row. Given several times, each is asked of each image. Default: {DefaultPrompt}" };

    private readonly Option<FileInfo?> _prompts = new("--prompts") { Description = "A text file with a prompt per line, each asked of each image." };

    public void AddTo(Command command)
    {
        _source.AddTo(command);
        command.Options.Add(_prompt);
        command.Options.Add(_prompts);
    }

    /// <summary>The source as typed: on this machine, or as a server sees it.</summary>
    /// <exception cref="UsageException">There is no such source, or its kind cannot be told.</exception>
    public SourceDescription Source(ParseResult typed, bool isRemote) => _source.Source(typed, isRemote);

    /// <summary>The prompts as typed. A question file brings its own; anything else has a default.</summary>
    /// <exception cref="UsageException">The file with prompts is not there.</exception>
    public string[] Prompts(ParseResult typed, SourceDescription source)
    {
        var file = typed.GetValue(_prompts);
        if (file is { Exists: false })
        {
            throw new UsageException($"'{file}' does not exist. Give a text file with a prompt per line.");
        }

        string[] prompts = [.. typed.GetValue(_prompt) ?? [], .. file is null ? [] : File.ReadLines(file.FullName).Where(line => !string.IsNullOrWhiteSpace(line))];
        return prompts.Length > 0 ? prompts : source.Kind == SourceKind.Questions ? [] : [DefaultPrompt];
    }
}
