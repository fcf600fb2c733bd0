using Llava.Cli.Jobs;
using Llava.Contracts.Requests;

namespace Llava.Cli.Tests.Jobs;

public sealed class ServerSourceTests
{
    [Theory]
    [InlineData("/data/photos", SourceKind.Folder)]
    [InlineData("/data/list.TXT", SourceKind.List)]
    [InlineData("/data/one.jpg", SourceKind.List)]
    [InlineData("/data/rows.tsv", SourceKind.Table)]
    [InlineData("/data/rows.jsonl", SourceKind.Manifest)]
    [InlineData("/data/rows.parquet", SourceKind.Parquet)]
    [InlineData("/data/shard.tar", SourceKind.WebDataset)]
    public void A_name_says_how_a_file_of_the_servers_is_read(string path, SourceKind kind) =>
        Assert.Equal(new SourceDescription { Kind = kind, Path = path }, ServerSource.Parse(path, null));

    [Fact]
    public void What_the_name_does_not_say_must_be_said() =>
        Assert.Contains("--input-format", Assert.Throws<UsageException>(() => ServerSource.Parse("/data/set.json", null)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_said_goes_before_the_name() =>
        Assert.Equal(SourceKind.Coco, ServerSource.Parse("/data/set.json", SourceKind.Coco).Kind);

    [Fact]
    public void A_glob_is_a_folder_of_the_servers() =>
        Assert.Equal(new SourceDescription { Kind = SourceKind.Folder, Path = "/data", Pattern = "*.jpg", Recursive = true }, ServerSource.Parse("/data/**/*.jpg", null));

    [Theory]
    [InlineData("photos")]
    [InlineData("./photos")]
    [InlineData("../*.jpg")]
    public void A_path_of_this_machine_is_refused(string path) => Assert.Throws<UsageException>(() => ServerSource.Parse(path, null));
}
