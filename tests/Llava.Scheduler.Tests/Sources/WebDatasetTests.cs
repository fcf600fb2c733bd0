using System.Diagnostics;
using System.IO.Compression;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Tests.Sources;

/// <summary>Archives made by the system's own tar, in each of its formats.</summary>
public sealed class WebDatasetTests : SourceFolder
{
    private const string LongName = "a-folder-whose-name-is-so-long-that-the-classic-header-of-an-archive-has-no-room-for-it/and-a-second-one-below-it-that-is-long-too/sample";

    [Theory]
    [InlineData("ustar")]
    [InlineData("gnu")]
    [InlineData("pax")]
    public async Task Members_with_one_key_are_an_item_read_in_place(string format)
    {
        var source = Tar(
            format,
            ("0001.jpg", "first picture"),
            ("0001.json", """{"prompt":"What?","title":"One"}"""),
            ("0002.left.png", "left"),
            ("0002.right.PNG", new string('r', 1500)),
            ("0002.txt", "a caption"),
            ("0003.txt", "no picture"),
            ("0004.json", "{broken"),
            (format == "ustar" ? "deep/0005.webp" : $"{LongName}.webp", "long"),
            (".hidden.jpg", "no"),
            ("README", "no"));

        var items = await ReadAsync(source);

        Assert.Equal(["0001", "0002", "sample-3", "sample-4", format == "ustar" ? "deep/0005" : LongName], items.Select(item => item.Item.Spec.CustomId));
        Assert.Equal([null, null, "invalid_sample", "invalid_sample", null], items.Select(item => item.Item.Rejection?.Code));
        Assert.Contains("Sample 3 of", items[2].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.Equal(("What?", "One", "a caption"), (items[0].Item.Spec.Prompt, items[0].Fields["title"], items[1].Fields["txt"]));
        Assert.Equal(["first picture", "left", new string('r', 1500), "long"], await ContentsAsync(items.SelectMany(item => item.Item.Spec.Images)));
        await AssertResumableAsync(source);
    }

    [Fact]
    public async Task A_text_that_is_no_utf8_fails_its_sample_alone()
    {
        await File.WriteAllBytesAsync(Path.Combine(Root, "1.txt"), [0xE9]);

        var items = await ReadAsync(Tar("gnu", ("1.txt", null), ("1.jpg", "x"), ("2.jpg", "y")));

        Assert.Equal(["invalid_sample", null], items.Select(item => item.Item.Rejection?.Code));
    }

    [Fact]
    public async Task A_compressed_or_cut_off_archive_is_refused_as_a_whole()
    {
        var source = Tar("gnu", ("1.jpg", new string('x', 5000)), ("2.jpg", new string('y', 50_000)));
        var packed = source.Path + ".gz";
        await using (var from = File.OpenRead(source.Path))
        await using (GZipStream to = new(File.Create(packed), CompressionLevel.Fastest))
        {
            await from.CopyToAsync(to);
        }

        Assert.Equal("invalid_archive", await CodeOfAsync(source with { Path = packed }));
        await using (var file = File.OpenWrite(source.Path))
        {
            file.SetLength(20_000);
        }

        Assert.Equal("invalid_archive", await CodeOfAsync(source));
    }

    [Fact]
    public async Task A_place_in_an_archive_outside_is_refused_through_a_link_too()
    {
        await File.WriteAllTextAsync(Path.Combine(Outside, "secret.tar"), "secret");
        File.CreateSymbolicLink(Path.Combine(Root, "link.tar"), Path.Combine(Outside, "secret.tar"));

        var items = await ReadAsync(new() { Kind = SourceKind.Manifest, Path = Write("m.jsonl", """{"image":"link.tar#0+6"}""", """{"image":"../root-evil/secret.tar#0+6"}""") });

        Assert.Equal([PathNotAllowedException.Code, PathNotAllowedException.Code], items.Select(item => item.Item.Rejection?.Code));
    }

    private static async Task<List<string>> ContentsAsync(IEnumerable<string> images)
    {
        List<string> contents = [];
        foreach (var image in images)
        {
            contents.Add(System.Text.Encoding.UTF8.GetString(await ImageLocation.Parse(image).ReadAsync(default)));
        }

        return contents;
    }

    private SourceDescription Tar(string format, params (string Name, string? Text)[] members)
    {
        foreach (var (name, text) in members.Where(member => member.Text is not null))
        {
            Write(name);
            File.WriteAllText(Path.Combine(Root, name), text);
        }

        using var tar = Process.Start(new ProcessStartInfo("tar", ["-C", Root, $"--format={format}", "-cf", Path.Combine(Root, "shard.tar"), .. members.Select(member => member.Name)]))!;
        tar.WaitForExit();
        Assert.Equal(0, tar.ExitCode);
        return new() { Kind = SourceKind.WebDataset, Path = Path.Combine(Root, "shard.tar") };
    }
}
