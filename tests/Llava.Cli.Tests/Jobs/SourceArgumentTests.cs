using Llava.Cli.Jobs;
using Llava.Contracts.Requests;

namespace Llava.Cli.Tests.Jobs;

public sealed class SourceArgumentTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-source-");

    public SourceArgumentTests() => File.WriteAllText(In("items.jsonl"), "");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_folder_is_read_with_those_below_it()
    {
        var source = SourceArgument.Parse(_folder.FullName);

        Assert.Equal((SourceKind.Folder, _folder.FullName, true, null), (source.Kind, source.Path, source.Recursive, source.Pattern));
    }

    [Theory]
    [InlineData("*.jpg", false)]
    [InlineData("**/*.jpg", true)]
    public void A_glob_is_a_folder_and_a_pattern(string glob, bool isRecursive)
    {
        var source = SourceArgument.Parse(In(glob));

        Assert.Equal((SourceKind.Folder, _folder.FullName, isRecursive, "*.jpg"), (source.Kind, source.Path, source.Recursive, source.Pattern));
    }

    [Fact]
    public void A_jsonl_file_is_a_manifest() => Assert.Equal(SourceKind.Manifest, SourceArgument.Parse(In("items.jsonl")).Kind);

    [Theory]
    [InlineData("missing")]
    [InlineData("missing/*.jpg")]
    [InlineData("a*/b/*.jpg")]
    public void What_is_not_there_or_not_understood_is_named(string argument) =>
        Assert.Contains(argument.Split('/')[0], Assert.Throws<UsageException>(() => SourceArgument.Parse(In(argument))).Message, StringComparison.Ordinal);

    private string In(string name) => Path.Combine(_folder.FullName, name);
}
