using System.Text;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger;
using Llava.Ledger.Files;
using Llava.Scheduler.Sources;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Scheduler.Tests.Sources;

/// <summary>Files that were sent, as sources and as images: only to their tenant, and without a word about where they lie.</summary>
public sealed class SentSourceTests : SourceFolder
{
    [Fact]
    public async Task A_sent_file_is_read_by_its_tenants_jobs_with_its_images_in_place_and_those_that_were_sent()
    {
        await using var ledger = Ledger();
        var files = ledger.GetRequiredService<FileStore>();
        var image = await SendAsync(files, "archive", "picture");
        var batch = await SendAsync(files, "archive", string.Join('\n', Line("inside", "data:image/png;base64,AAEC"), Line("sent", $"file-id:{image.Id}"), Line("theirs", "file-id:file-none"), Line("path", "file:///etc/passwd"), "nonsense"));

        var items = await ReadAsync(files, "archive", batch.Id);

        Assert.Equal([null, null, "file_not_found", "path_not_allowed", "invalid_line"], items.Select(item => item.Item.Rejection?.Code));
        Assert.Equal([0, 1, 2], await ImageLocation.Parse(items[0].Item.Spec.Images[0]).ReadAsync(default));
        Assert.Equal("picture", Encoding.UTF8.GetString(await ImageLocation.Parse(items[1].Item.Spec.Images[0]).ReadAsync(default)));
        Assert.StartsWith($"Line 5 of '{batch.Id}'", items[4].Item.Rejection!.Message, StringComparison.Ordinal);
        Assert.All(items, item => Assert.DoesNotContain(Outside, item.Item.Rejection?.Message ?? "", StringComparison.Ordinal));
        Assert.Equal("others", Assert.Single(await ReadAsync(files, "archive", (await SendAsync(files, "archive", Line("others", "file-id:" + (await SendAsync(files, "others", "x")).Id))).Id), item => item.Item.Rejection?.Code == "file_not_found").Item.Spec.CustomId);
    }

    [Fact]
    public async Task Another_tenants_file_is_not_there_nor_may_one_be_named_by_its_place()
    {
        await using var ledger = Ledger();
        var files = ledger.GetRequiredService<FileStore>();
        var batch = await SendAsync(files, "archive", Line("one", "data:image/png;base64,AAEC"));

        Assert.Equal("file_not_found", (await Assert.ThrowsAsync<SourceException>(() => ReadAsync(files, "others", batch.Id))).Code);
        Assert.Equal("path_not_allowed", (await Assert.ThrowsAsync<SourceException>(() => ReadAsync(files, "archive", files.PathOf(batch), isPath: true))).Code);
    }

    [Fact]
    public async Task A_file_of_another_kind_is_refused_without_its_place()
    {
        await using var ledger = Ledger();
        var files = ledger.GetRequiredService<FileStore>();
        var batch = await files.CreateAsync("archive", new("a", "batch"), new MemoryStream([0xFF, 0xFE, 0, 0]), 100);

        var refused = await Assert.ThrowsAsync<SourceException>(() => ReadAsync(files, "archive", batch.Id));

        Assert.Equal("wrong_encoding", refused.Code);
        Assert.Contains($"'{batch.Id}'", refused.Message, StringComparison.Ordinal);
    }

    private static string Line(string id, string url) =>
        $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"{{{url}}}"}}]}]}}""";

    private static Task<FileRecord> SendAsync(FileStore files, string tenant, string text) => files.CreateAsync(tenant, new("a", "batch"), new MemoryStream(Encoding.UTF8.GetBytes(text)), 100_000);

    private ServiceProvider Ledger() => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, "ledger.db")))
        .AddLlavaFiles()
        .BuildServiceProvider();

    private async Task<List<SourceItem>> ReadAsync(FileStore files, string tenant, string id, bool isPath = false)
    {
        JobRequest request = new() { Model = "m", Tenant = tenant, Source = new() { Kind = SourceKind.OpenAiBatch, Path = isPath ? id : SourceDescription.FileId + id } };
        List<SourceItem> items = [];
        await foreach (var item in new SourceReader(Roots, files).ReadAsync(request, null, default))
        {
            items.Add(item);
        }

        return items;
    }
}
