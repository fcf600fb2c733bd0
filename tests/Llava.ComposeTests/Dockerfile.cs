using System.Text.Json;
using System.Text.RegularExpressions;
using Llava.Testing;

namespace Llava.ComposeTests;

/// <summary>The instructions of <c>compose/Dockerfile</c>, lines that go on joined and comments gone.</summary>
internal sealed partial class Dockerfile
{
    private Dockerfile(IReadOnlyList<Instruction> instructions) => Instructions = instructions;

    public IReadOnlyList<Instruction> Instructions { get; }

    /// <summary>The image that is run: what follows the last <c>FROM</c>.</summary>
    public IEnumerable<Instruction> Final => Instructions.Skip(Instructions.ToList().FindLastIndex(one => one.Word == "FROM"));

    public static Dockerfile Load()
    {
        var lines = File.ReadAllLines(Repository.Path("compose", "Dockerfile")).Where(line => !line.TrimStart().StartsWith('#'));
        var text = Continued().Replace(string.Join('\n', lines), " ");
        return new([.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => new Instruction(line.Split(' ')[0], line[line.IndexOf(' ', StringComparison.Ordinal)..].Trim()))]);
    }

    /// <summary>The only instruction of its kind in the final image.</summary>
    public string Only(string word) => Assert.Single(Final, one => one.Word == word).Arguments;

    /// <summary>A command in JSON, which needs no shell in the image.</summary>
    public static string[] Command(string arguments) => JsonSerializer.Deserialize<string[]>(arguments[arguments.IndexOf('[', StringComparison.Ordinal)..])!;

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    internal sealed record Instruction(string Word, string Arguments);
}
