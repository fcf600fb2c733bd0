using Llava.Contracts.Requests;

namespace Llava.Scheduler.Tests.Sources;

/// <summary>Files that are one JSON document: COCO's and LLaVA's conversations.</summary>
public sealed class JsonTests : SourceFolder
{
    [Fact]
    public async Task Coco_gives_its_images_from_the_image_folder_wherever_they_stand_in_the_file()
    {
        WriteImages("val/1.jpg", "val/2.jpg");
        var source = Json(SourceKind.Coco, """
            {"info":{"images":["no"]},"annotations":[{"id":1,"image_id":7,"images":[1]}],
             "images" : [ {"id":7,"file_name":"1.jpg","width":640,"license":null}
                        , {"id":"eight","file_name":"2.jpg","nested":{"images":[]}} ],
             "licenses":[]}
            """) with { ImageFolder = Path.Combine(Root, "val") };

        var items = await ReadAsync(source);

        Assert.Equal([("7", Path.Combine(Root, "val", "1.jpg")), ("eight", Path.Combine(Root, "val", "2.jpg"))], items.Select(item => (item.Item.Spec.CustomId, item.Item.Spec.Images[0])));
        Assert.Equal("640", items[0].Fields["width"]);
        await AssertResumableAsync(source);
    }

    [Fact]
    public async Task Coco_entries_that_cannot_be_used_are_counted_and_named()
    {
        WriteImages("a.jpg");

        var items = await ReadAsync(Json(SourceKind.Coco, """{"images":[{"id":1,"file_name":"a.jpg"},{"id":2},5,{"id":3,"file_name":"none.jpg"}]}"""));

        Assert.Equal([null, "invalid_image", "invalid_image", "image_not_found"], items.Select(item => item.Item.Rejection?.Code));
        Assert.Contains("Image 2 of", items[1].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.Contains("'file_name'", items[1].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.Contains("Image 4 of", items[3].Item.Rejection!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conversations_ask_their_first_human_turn_with_the_image_in_front()
    {
        WriteImages("a.jpg");
        var source = Json(SourceKind.Conversations, """
            [{"id":"x","image":"a.jpg","conversations":[{"from":"human","value":"<image>\nWhat is it?"},{"from":"gpt","value":"A cat."},{"from":"human","value":"Why?"}]},
             {"id":"x","image":"a.jpg","conversations":[{"from":"system","value":"s"},{"from":"human","value":"What colour?\n<image>"}]},
             {"id":3,"conversations":[{"from":"human","value":"Tell a story."}]},
             {"id":4,"conversations":[{"from":"human","value":"<image>\nWhat?"}]},
             {"id":5,"image":"a.jpg","conversations":[{"from":"gpt","value":"?"}]},
             {"id":6,"image":"a.jpg"}]
            """);

        var items = await ReadAsync(source);

        Assert.Equal(["What is it?", "What colour?", "Tell a story."], items.Take(3).Select(item => item.Item.Spec.Prompt));
        Assert.Equal(["x", "x", "3", "record-4", "record-5", "record-6"], items.Select(item => item.Item.Spec.CustomId));
        Assert.Equal([null, null, null, "invalid_record", "invalid_record", "invalid_record"], items.Select(item => item.Item.Rejection?.Code));
        await AssertResumableAsync(source);
    }

    [Theory]
    [InlineData("""[{"id":1},{"id":2}""")]
    [InlineData("""[{"id":1} {"id":2}]""")]
    [InlineData("""[{"id":1},{"id":2]""")]
    [InlineData("""[{"id":1},{"id":""")]
    public async Task A_broken_document_is_refused_from_the_place_where_it_breaks(string text)
    {
        var refused = await Assert.ThrowsAsync<Llava.Scheduler.Sources.SourceException>(() => ReadAsync(Json(SourceKind.Conversations, text)));

        Assert.Equal("invalid_json", refused.Code);
        Assert.Matches("beyond byte [0-9]+, after [12] records", refused.Message);
    }

    [Theory]
    [InlineData(SourceKind.Coco, """{"annotations":[]}""")]
    [InlineData(SourceKind.Coco, """[{"id":1}]""")]
    [InlineData(SourceKind.Conversations, """{"id":1}""")]
    [InlineData(SourceKind.Conversations, "")]
    public async Task A_document_of_another_shape_is_refused_as_a_whole(SourceKind kind, string text) =>
        Assert.Equal("invalid_json", await CodeOfAsync(Json(kind, text)));

    [Fact]
    public async Task A_long_document_reads_on_from_anywhere_and_bytes_that_are_no_utf8_hurt_one_record()
    {
        var path = Path.Combine(Root, "long.json");
        await using (var file = File.Create(path))
        {
            file.Write([0xEF, 0xBB, 0xBF, (byte)'[']);
            for (var i = 0; i < 400; i++)
            {
                file.Write(System.Text.Encoding.UTF8.GetBytes($$"""{{(i == 0 ? "" : " ,\n")}}{"id":{{i}},"conversations":[{"from":"human","value":"{{new string('x', i * 13)}}ä"""));
                file.Write(i == 200 ? [0xE9, .. "\"}]}"u8] : "?\"}]}"u8.ToArray());
            }

            file.Write("]"u8);
        }

        SourceDescription source = new() { Kind = SourceKind.Conversations, Path = path };
        var items = await ReadAsync(source);

        Assert.Equal(Enumerable.Range(0, 400).Select(i => i == 200 ? "record-201" : $"{i}"), items.Select(item => item.Item.Spec.CustomId));
        Assert.Equal("invalid_record", Assert.Single(items, item => item.Item.Rejection is not null).Item.Rejection!.Code);
        await AssertResumableAsync(source);
    }

    private SourceDescription Json(SourceKind kind, string text) => new() { Kind = kind, Path = Write("source.json", text) };
}
