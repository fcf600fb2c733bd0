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
    [InlineData("a.csv", "image\n", SourceKind.Table)]
    [InlineData("a.TSV", "image\n", SourceKind.Table)]
    [InlineData("a.parquet", "PAR1", SourceKind.Parquet)]
    [InlineData("data", "PAR1...", SourceKind.Parquet)]
    [InlineData("a.tar", "", SourceKind.WebDataset)]
    [InlineData("a.json", "\uFEFF [{}]", SourceKind.Conversations)]
    [InlineData("a.json", "{\"images\":[]}", SourceKind.Coco)]
    [InlineData("a.jsonl", "{\"image\":\"a.png\",\"custom_id\":\"1\"}\n", SourceKind.Manifest)]
    [InlineData("a.jsonl", "\n{\"custom_id\": \"1\", \"method\": \"POST\", \"url\": \"/v1\", \"body\": {}}\n", SourceKind.OpenAiBatch)]
    [InlineData("a.txt", "a.png\n", SourceKind.List)]
    public void A_file_is_recognised_by_its_name_and_its_first_bytes(string name, string text, SourceKind kind)
    {
        File.WriteAllText(In(name), text);

        Assert.Equal(kind, SourceArgument.Parse(In(name)).Kind);
        Assert.Equal(SourceKind.Questions, SourceArgument.Parse(In(name), SourceKind.Questions).Kind);
    }

    [Fact]
    public void An_archive_without_a_suffix_is_recognised()
    {
        var members = Directory.CreateDirectory(In("members")).FullName;
        File.WriteAllText(Path.Combine(members, "1.jpg"), "");
        System.Formats.Tar.TarFile.CreateFromDirectory(members, In("shard"), includeBaseDirectory: false);

        Assert.Equal(SourceKind.WebDataset, SourceArgument.Parse(In("shard")).Kind);
    }

    [Fact]
    public void Every_kind_can_be_typed() => Assert.Equal(Enum.GetValues<SourceKind>(), SourceArgument.Kinds.Values.Order());

    [Theory]
    [InlineData("missing")]
    [InlineData("missing/*.jpg")]
    [InlineData("a*/b/*.jpg")]
    public void What_is_not_there_or_not_understood_is_named(string argument) =>
        Assert.Contains(argument.Split('/')[0], Assert.Throws<UsageException>(() => SourceArgument.Parse(In(argument))).Message, StringComparison.Ordinal);

    private string In(string name) => Path.Combine(_folder.FullName, name);
}
