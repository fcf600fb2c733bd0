using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.OpenAi.Files;

/// <summary>The wire format of files in parts, beyond what the published libraries show.</summary>
public sealed class UploadContractTests(WireServer wire) : IClassFixture<WireServer>
{
    [Fact]
    public async Task An_upload_has_every_key_in_every_state()
    {
        var upload = await CreateAsync(4);
        Assert.Equal(["bytes", "created_at", "expires_at", "file", "filename", "id", "object", "purpose", "status"], upload.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal(("upload", "pending", 3600L, JsonValueKind.Null), (
            upload.GetProperty("object").GetString(),
            upload.GetProperty("status").GetString(),
            upload.GetProperty("expires_at").GetInt64() - upload.GetProperty("created_at").GetInt64(),
            upload.GetProperty("file").ValueKind));
        var part = await AddAsync(upload, "data");
        Assert.Equal(["created_at", "id", "object", "upload_id"], part.EnumerateObject().Select(field => field.Name).Order());

        var done = await WireServer.AnswerAsync(CompleteAsync(upload, part));
        Assert.Equal(("completed", "file", 4), (done.GetProperty("status").GetString(), done.GetProperty("file").GetProperty("object").GetString(), done.GetProperty("file").GetProperty("bytes").GetInt32()));
    }

    [Fact]
    public async Task Asked_again_it_answers_the_same_and_parts_too_late_are_refused()
    {
        var upload = await CreateAsync(4);
        var part = await AddAsync(upload, "data");
        var done = await WireServer.AnswerAsync(CompleteAsync(upload, part));

        Assert.Equal(done.GetProperty("file").GetProperty("id").GetString(), (await WireServer.AnswerAsync(CompleteAsync(upload, part))).GetProperty("file").GetProperty("id").GetString());
        Assert.Equal(400, (await WireServer.RefusalAsync(PartAsync(upload, "more"))).Status);
        Assert.Equal(400, (await WireServer.RefusalAsync(wire.PostAsync($"/v1/uploads/{Id(upload)}/cancel", new { }))).Status);
    }

    [Fact]
    public async Task Parts_make_the_file_in_the_order_asked_for_and_must_be_what_was_said()
    {
        var upload = await CreateAsync(4);
        var (first, second) = (await AddAsync(upload, "ab"), await AddAsync(upload, "cd"));

        Assert.Equal((400, "md5"), await CodeAsync(wire.PostAsync($"/v1/uploads/{Id(upload)}/complete", new { part_ids = new[] { Id(first), Id(second) }, md5 = "00" })));
        Assert.Equal(400, (await CodeAsync(CompleteAsync(upload, first))).Status);
        Assert.Equal(400, (await CodeAsync(CompleteAsync(upload, first, first))).Status);
        const string Md5 = "ba8920719baed64ead4b2ee37770c56a";
        var done = await WireServer.AnswerAsync(wire.PostAsync($"/v1/uploads/{Id(upload)}/complete", new { part_ids = new[] { Id(second), Id(first) }, md5 = Md5 }));
        Assert.Equal("cdab", await wire.Caller.GetStringAsync(At($"/v1/files/{Id(done.GetProperty("file"))}/content")));
    }

    [Fact]
    public async Task What_is_too_long_or_missing_is_refused()
    {
        var upload = await CreateAsync(4);
        using MultipartFormDataContent empty = new() { { new StringContent("x"), "other" } };

        Assert.Equal(413, (await WireServer.RefusalAsync(PartAsync(upload, new string('x', 2001)))).Status);
        Assert.Equal((400, "data"), await CodeAsync(wire.Caller.PostAsync(At($"/v1/uploads/{Id(upload)}/parts"), empty)));
        Assert.Equal((400, "bytes"), await CodeAsync(wire.PostAsync("/v1/uploads", new { filename = "a", purpose = "batch", bytes = 0, mime_type = "text/plain" })));
        Assert.Equal((400, "filename"), await CodeAsync(wire.PostAsync("/v1/uploads", new { purpose = "batch", bytes = 1, mime_type = "text/plain" })));
        Assert.Equal(413, (await WireServer.RefusalAsync(wire.PostAsync("/v1/uploads", new { filename = "a", purpose = "batch", bytes = 200_001, mime_type = "text/plain" }))).Status);
        Assert.Equal((404, "upload_id"), await CodeAsync(wire.PostAsync("/v1/uploads/upload_none/complete", new { part_ids = Array.Empty<string>() })));
    }

    private static string? Id(JsonElement thing) => thing.GetProperty("id").GetString();

    private static async Task<(int Status, string? Param)> CodeAsync(Task<HttpResponseMessage> asked)
    {
        var (status, _, param) = await WireServer.RefusalAsync(asked);
        return (status, param);
    }

    private Task<JsonElement> CreateAsync(int bytes) => WireServer.AnswerAsync(wire.PostAsync("/v1/uploads", new { filename = "a.txt", purpose = "user_data", bytes, mime_type = "text/plain" }));

    private Task<JsonElement> AddAsync(JsonElement upload, string text) => WireServer.AnswerAsync(PartAsync(upload, text));

    private async Task<HttpResponseMessage> PartAsync(JsonElement upload, string text)
    {
        using MultipartFormDataContent form = new() { { new ByteArrayContent(Encoding.UTF8.GetBytes(text)), "data", "part" } };
        return await wire.Caller.PostAsync(At($"/v1/uploads/{Id(upload)}/parts"), form);
    }

    private Task<HttpResponseMessage> CompleteAsync(JsonElement upload, params JsonElement[] parts) => wire.PostAsync($"/v1/uploads/{Id(upload)}/complete", new { part_ids = parts.Select(Id) });
}
