using Llava.Contracts.Requests;
using Parquet;
using Parquet.Schema;

namespace Llava.Scheduler.Tests.Sources;

public sealed class ParquetTests : SourceFolder
{
    private static readonly DataField<string> Image = new("image");
    private static readonly DataField<string> Prompt = new("prompt");

    [Theory]
    [InlineData(CompressionMethod.None)]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Zstd)]
    [InlineData(CompressionMethod.Gzip)]
    public async Task Rows_of_all_groups_are_items_however_they_are_packed(CompressionMethod compression)
    {
        WriteImages("a.png", "b.png");
        DataField<long> id = new("id");
        DataField<double?> score = new("score");
        DataField<bool> isGood = new("good");
        var source = await WriteAsync([Image, id, score, isGood], compression, groups: 3, async (group, number) =>
        {
            await group.WriteAsync(Image, new[] { "a.png", "b.png", null! });
            await group.WriteAsync<long>(id, new long[] { (number * 10) + 1, (number * 10) + 2, (number * 10) + 3 });
            await group.WriteAsync<double>(score, new double?[] { 0.5, null, 1 });
            await group.WriteAsync<bool>(isGood, new[] { true, false, true });
        });

        var items = await ReadAsync(source);

        Assert.Equal(["1", "2", "row-3", "11", "12", "row-6", "21", "22", "row-9"], items.Select(item => item.Item.Spec.CustomId));
        Assert.Equal([null, null, "invalid_row"], items.Take(3).Select(item => item.Item.Rejection?.Code));
        Assert.Contains("Row 3 of", items[2].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.Equal(("0.5", "True"), (items[0].Fields["score"], items[0].Fields["good"]));
        Assert.False(items[1].Fields.ContainsKey("score"));
        await AssertResumableAsync(source);
    }

    [Fact]
    public async Task A_missing_image_is_per_item_with_its_row()
    {
        WriteImages("a.png");
        var source = await WriteAsync([Image, Prompt], CompressionMethod.Snappy, groups: 1, async (group, _) =>
        {
            await group.WriteAsync(Image, new[] { "a.png", "none.png", "../root-evil/x.png" });
            await group.WriteAsync(Prompt, new[] { "1", "2", "3" });
        });

        var items = await ReadAsync(source);

        Assert.Equal([null, "image_not_found", "path_not_allowed"], items.Select(item => item.Item.Rejection?.Code));
        Assert.StartsWith("Row 2 of", items[1].Item.Rejection!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_column_of_pictures_instead_of_paths_is_refused_as_a_whole()
    {
        DataField<byte[]> pictures = new("image");

        var source = await WriteAsync([pictures], CompressionMethod.Snappy, groups: 1, (group, _) => group.WriteAsync(pictures, new byte[][] { [1, 2] }));

        Assert.Equal("unsupported_column", await CodeOfAsync(source));
    }

    [Fact]
    public async Task What_is_no_parquet_or_cut_off_is_refused_as_a_whole()
    {
        var source = await WriteAsync([Image], CompressionMethod.Snappy, groups: 1, (group, _) => group.WriteAsync(Image, new[] { "a.png" }));
        await using (var file = File.OpenWrite(source.Path))
        {
            file.SetLength(file.Length / 2);
        }

        Assert.Equal("invalid_parquet", await CodeOfAsync(source));
        Assert.Equal("invalid_parquet", await CodeOfAsync(source with { Path = Write("text.parquet", "image", "a.png") }));
    }

    private async Task<SourceDescription> WriteAsync(Field[] fields, CompressionMethod compression, int groups, Func<ParquetRowGroupWriter, int, Task> write)
    {
        var path = Path.Combine(Root, "items.parquet");
        await using var file = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), file, new() { CompressionMethod = compression });
        for (var number = 0; number < groups; number++)
        {
            using var group = writer.CreateRowGroup();
            await write(group, number);
        }

        return new() { Kind = SourceKind.Parquet, Path = path };
    }
}
