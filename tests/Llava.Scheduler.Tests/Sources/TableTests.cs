using System.Text;
using Llava.Contracts.Requests;

namespace Llava.Scheduler.Tests.Sources;

public sealed class TableTests : SourceFolder
{
    [Theory]
    [InlineData("t.csv", ',')]
    [InlineData("t.csv", ';')]
    [InlineData("t.csv", '\t')]
    [InlineData("t.tsv", '\t')]
    public async Task Rows_are_items_with_the_manifests_fields_and_others_for_the_prompt(string name, char delimiter)
    {
        WriteImages("a.png", "b.png", "c.png");
        var source = Table(name, string.Join('\n', new[]
        {
            "id,image,images,prompt,Title",
            "one,a.png,,What?,The house",
            "",
            "two,,\"b.png;c.png\",\"A long,\n\"\"quoted\"\" question\",",
            ",a.png,,,",
        }.Select(line => line.Replace(',', delimiter))));

        var items = await ReadAsync(source);

        Assert.All(items, item => Assert.Null(item.Item.Rejection));
        Assert.Equal(["one", "two", "line-6"], items.Select(item => item.Item.Spec.CustomId));
        Assert.Equal(["What?", $"A long{delimiter}\n\"quoted\" question", null], items.Select(item => item.Item.Spec.Prompt));
        Assert.Equal([Path.Combine(Root, "b.png"), Path.Combine(Root, "c.png")], items[1].Item.Spec.Images);
        Assert.Equal(["The house", "", ""], items.Select(item => item.Fields["title"]));
        Assert.Equal([2, 4, 6], items.Select(item => item.Place!.Value.Number));
        await AssertResumableAsync(source);
    }

    [Theory]
    [InlineData("a.png,extra,x", "3 values, and the header names 2")]
    [InlineData("a.png", "1 values, and the header names 2")]
    [InlineData("\"a\"x.png,why", "quote")]
    [InlineData(",", "neither an 'image'")]
    public async Task A_broken_row_hurts_no_other_and_says_its_line(string row, string reason)
    {
        WriteImages("a.png", "b.png");

        var items = await ReadAsync(Table("t.csv", $"image,prompt\na.png,1\n{row}\nb.png,2\n"));

        Assert.Equal([null, "invalid_line", null], items.Select(item => item.Item.Rejection?.Code));
        Assert.Contains("Line 3", items[1].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.Contains(reason, items[1].Item.Rejection!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_takes_the_rest_with_it_and_is_named()
    {
        WriteImages("a.png");

        var items = await ReadAsync(Table("t.csv", "image,prompt\na.png,1\na.png,\"open\na.png,3\n"));

        Assert.Equal([null, "invalid_line"], items.Select(item => item.Item.Rejection?.Code));
        Assert.Contains("Line 3", items[1].Item.Rejection!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_column_of_a_wrong_name_is_named_with_those_there_are()
    {
        var item = Assert.Single(await ReadAsync(Table("t.csv", "picture,caption\na.png,x\n")));

        Assert.Equal("invalid_line", item.Item.Rejection!.Code);
        Assert.Contains("'picture', 'caption'", item.Item.Rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_are_no_utf8_fail_their_row_alone_and_utf16_the_whole_table()
    {
        WriteImages("a.png");
        var path = Path.Combine(Root, "t.csv");
        await File.WriteAllBytesAsync(path, [.. "image,prompt\na.png,caf"u8, 0xE9, .. "\na.png,café\n"u8]);

        Assert.Equal(["invalid_line", null], (await ReadAsync(new() { Kind = SourceKind.Table, Path = path })).Select(item => item.Item.Rejection?.Code));

        await File.WriteAllTextAsync(path, "image,prompt\na.png,x\n", Encoding.Unicode);
        Assert.Equal("wrong_encoding", await CodeOfAsync(new() { Kind = SourceKind.Table, Path = path }));
    }

    [Fact]
    public async Task A_missing_image_and_one_outside_are_per_item_with_the_line()
    {
        var items = await ReadAsync(Table("t.csv", "image\nnone.png\n../root-evil/x.png\nftp://host/x.png\n"));

        Assert.Equal(["image_not_found", "path_not_allowed", "path_not_allowed"], items.Select(item => item.Item.Rejection?.Code));
        Assert.All(items.Zip([2, 3, 4]), pair => Assert.StartsWith($"Line {pair.Second} ", pair.First.Item.Rejection!.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "empty_source")]
    [InlineData("image,Image\na,b\n", "invalid_header")]
    public async Task A_table_without_a_usable_header_is_refused_as_a_whole(string text, string code) =>
        Assert.Equal(code, await CodeOfAsync(Table("t.csv", text)));

    private SourceDescription Table(string name, string text)
    {
        var path = Path.Combine(Root, name);
        File.WriteAllText(path, text);
        return new() { Kind = SourceKind.Table, Path = path };
    }
}
