using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Tests;

public sealed class SourceTests : SourceFolder
{
    [Fact]
    public async Task A_folder_gives_its_images_by_name_through_all_folders()
    {
        foreach (var name in (string[])["b.png", "a/z.JPG", "a/b/c.webp", "a.jpg", "notes.txt", ".hidden/x.png", ".x.png"])
        {
            Write(name, "");
        }

        SourceDescription source = new() { Kind = SourceKind.Folder, Path = Root };

        var items = await ReadAsync(source);
        Assert.Equal(["a/b/c.webp", "a/z.JPG", "a.jpg", "b.png"], items.Select(item => item.Item.Spec.CustomId));
        Assert.Equal(Path.Combine(Root, "a", "b", "c.webp"), Assert.Single(items[0].Item.Spec.Images));
        Assert.Equal(["a.jpg", "b.png"], (await ReadAsync(source with { Recursive = false })).Select(item => item.Item.Spec.CustomId));
        Assert.Equal(["a/z.JPG", "a.jpg"], (await ReadAsync(source with { Pattern = "*.jpg" })).Select(item => item.Item.Spec.CustomId));
        Assert.Equal(["a/b/c.webp", "a/z.JPG"], (await ReadAsync(source with { Pattern = "a/*" })).Select(item => item.Item.Spec.CustomId));
        await AssertResumableAsync(source);
    }

    [Fact]
    public async Task A_link_to_a_file_outside_is_an_item_that_failed_and_a_linked_folder_is_not_entered()
    {
        Write("good.png", "");
        await File.WriteAllTextAsync(Path.Combine(Outside, "secret.png"), "");
        File.CreateSymbolicLink(Path.Combine(Root, "link.png"), Path.Combine(Outside, "secret.png"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "folder"), Outside);

        var items = await ReadAsync(new() { Kind = SourceKind.Folder, Path = Root });

        Assert.Equal([("good.png", null), ("link.png", PathNotAllowedException.Code)], items.Select(item => (item.Item.Spec.CustomId, item.Item.Rejection?.Code)));
    }

    [Fact]
    public async Task A_manifest_gives_an_item_per_line_whatever_names_its_fields_have()
    {
        WriteImages("a.png", "sub/b.png");
        SourceDescription source = new()
        {
            Kind = SourceKind.Manifest,
            Path = Write("m.jsonl",
                """{"image":"a.png","prompt":"P","custom_id":"one","category":"c"}""",
                "",
                """{"images":["a.png","sub/b.png"],"question":"Q","id":2}""",
                """{"text":"no image","question_id":"three"}""",
                """{"image":"a.png"}"""),
        };

        var specs = (await ReadAsync(source)).Select(item => item.Item.Spec).ToList();

        Assert.Equal(["one", "2", "three", "line-5"], specs.Select(spec => spec.CustomId));
        Assert.Equal(["P", "Q", "no image", null], specs.Select(spec => spec.Prompt));
        Assert.Equal([Path.Combine(Root, "a.png"), Path.Combine(Root, "sub", "b.png")], specs[1].Images);
        Assert.Empty(specs[2].Images);
        Assert.Equal("c", specs[0].Category);
        await AssertResumableAsync(source);
    }

    [Theory]
    [InlineData("{not json", "Line 2")]
    [InlineData("[1,2]", "an object was expected")]
    [InlineData("{}", "neither an 'image'")]
    [InlineData("""{"image":5}""", "'image'")]
    [InlineData("""{"image":"a.png","prompt":{}}""", "'prompt' is a JSON object")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]", "depth")]
    public async Task A_line_that_cannot_be_used_becomes_an_item_that_names_line_and_reason(string line, string reason)
    {
        WriteImages("a.png", "b.png");
        var path = Write("m.jsonl", """{"image":"a.png"}""", line, """{"image":"b.png"}""");

        var items = await ReadAsync(new() { Kind = SourceKind.Manifest, Path = path });

        Assert.Equal([null, "invalid_line", null], items.Select(item => item.Item.Rejection?.Code));
        Assert.Contains(reason, items[1].Item.Rejection!.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Line 2", items[1].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.Contains(path, items[1].Item.Rejection!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_byte_order_mark_carriage_returns_and_a_missing_last_newline_do_not_matter()
    {
        WriteImages("ä.png", "b.png");
        var path = Path.Combine(Root, "m.jsonl");
        await File.WriteAllTextAsync(path, "\uFEFF{\"image\":\"ä.png\"}\r\n\r\n  {\"image\":\"b.png\"}", new System.Text.UTF8Encoding(false));
        SourceDescription source = new() { Kind = SourceKind.Manifest, Path = path };

        var items = await ReadAsync(source);

        Assert.Equal(["ä.png", "b.png"], items.Select(item => Path.GetFileName(item.Item.Spec.Images[0])));
        Assert.Equal("line-3", items[1].Item.Spec.CustomId);
        await AssertResumableAsync(source);
    }

    [Fact]
    public async Task A_long_manifest_reads_on_from_anywhere()
    {
        SourceDescription source = new()
        {
            Kind = SourceKind.Manifest,
            Path = Write("m.jsonl", [.. Enumerable.Range(0, 300).Select(i => $$"""{"id":"{{i}}","prompt":"{{new string('x', i * 7)}}"}""")]),
        };

        await AssertResumableAsync(source);
    }

    [Fact]
    public async Task A_question_file_must_have_its_fields_and_takes_its_images_from_the_image_folder()
    {
        WriteImages("val/x.jpg");
        SourceDescription source = new()
        {
            Kind = SourceKind.Questions,
            ImageFolder = Path.Combine(Root, "val"),
            Path = Write("q.jsonl",
                """{"question_id":7,"image":"x.jpg","text":"What?","category":"conv"}""",
                """{"question_id":8,"text":"Why?"}""",
                """{"image":"x.jpg","text":"What?"}""",
                """{"question_id":9,"image":"x.jpg"}"""),
        };

        var items = await ReadAsync(source);

        Assert.Equal(("7", "What?", "conv"), (items[0].Item.Spec.CustomId, items[0].Item.Spec.Prompt, items[0].Item.Spec.Category));
        Assert.Equal(Path.Combine(Root, "val", "x.jpg"), items[0].Item.Spec.Images[0]);
        Assert.Equal([null, null, "invalid_line", "invalid_line"], items.Select(item => item.Item.Rejection?.Code));
    }

    [Fact]
    public async Task A_list_is_one_image_or_a_file_of_paths()
    {
        var image = Write("one.png", "");
        WriteImages("sub/two.png");
        SourceDescription one = new() { Kind = SourceKind.List, Path = image };
        SourceDescription many = new() { Kind = SourceKind.List, Path = Write("list.txt", "one.png", "", "sub/two.png", "../root-evil/x.png", "ftp://host/x.png") };

        Assert.Equal(image, Assert.Single(Assert.Single(await ReadAsync(one)).Item.Spec.Images));
        Assert.Equal(["one.png", "sub/two.png", "../root-evil/x.png", "ftp://host/x.png"], (await ReadAsync(many)).Select(item => item.Item.Spec.CustomId));
        Assert.Equal([null, null, PathNotAllowedException.Code, PathNotAllowedException.Code], (await ReadAsync(many)).Select(item => item.Item.Rejection?.Code));
        await AssertResumableAsync(one);
        await AssertResumableAsync(many);
    }

    [Fact]
    public async Task A_list_of_URLs_keeps_each_as_it_is_and_fails_lines_that_are_none()
    {
        SourceDescription urls = new() { Kind = SourceKind.Urls, Path = Write("urls.txt", "https://host/x.png#1+2", "one.png", "", "HTTP://host/y") };

        var items = await ReadAsync(urls);

        Assert.Equal([null, "invalid_line", null], items.Select(item => item.Item.Rejection?.Code));
        Assert.Equal(["https://host/x.png#1+2", "HTTP://host/y"], items.SelectMany(item => item.Item.Spec.Images));
        await AssertResumableAsync(urls);
    }

    [Theory]
    [InlineData(SourceKind.Folder, "missing", "source_not_found")]
    [InlineData(SourceKind.Manifest, "missing.jsonl", "source_not_found")]
    [InlineData(SourceKind.Folder, "../root-evil", PathNotAllowedException.Code)]
    [InlineData(SourceKind.List, "/etc/passwd", PathNotAllowedException.Code)]
    public async Task A_source_that_is_missing_or_outside_is_refused_as_a_whole(SourceKind kind, string path, string code)
    {
        SourceDescription source = new() { Kind = kind, Path = Path.Combine(Root, path) };

        Assert.Equal(code, (await Assert.ThrowsAsync<SourceException>(() => ReadAsync(source))).Code);
    }
}
