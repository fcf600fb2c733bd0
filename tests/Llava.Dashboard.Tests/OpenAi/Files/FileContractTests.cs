using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.OpenAi.Files;

/// <summary>The wire format of files, beyond what the published libraries show.</summary>
public sealed class FileContractTests(WireServer wire) : IClassFixture<WireServer>
{
    [Fact]
    public async Task A_file_has_every_key_and_is_ready_at_once()
    {
        var file = await wire.SendAsync("{}\n");

        Assert.Equal(["bytes", "created_at", "expires_at", "filename", "id", "object", "purpose", "status", "status_details"], file.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal(("file", 3, "lines.jsonl", "batch", "processed"), (
            file.GetProperty("object").GetString(), file.GetProperty("bytes").GetInt32(), file.GetProperty("filename").GetString(), file.GetProperty("purpose").GetString(), file.GetProperty("status").GetString()));
        Assert.Equal(file.GetProperty("created_at").GetInt64() + (30 * 24 * 3600), file.GetProperty("expires_at").GetInt64(), 1.0);
        Assert.Equal(JsonValueKind.Null, (await wire.SendAsync("x", "vision")).GetProperty("expires_at").ValueKind);
    }

    [Theory]
    [InlineData("expires_after[anchor]=created_at", "expires_after[seconds]=7200")]
    [InlineData("expires_after={\"anchor\":\"created_at\",\"seconds\":7200}")]
    public async Task An_expiry_is_understood_in_every_librarys_spelling(params string[] fields)
    {
        using var form = WireServer.Form("x", "user_data", more: [.. fields.Select(field => (field[..field.IndexOf('=', StringComparison.Ordinal)], field[(field.IndexOf('=', StringComparison.Ordinal) + 1)..]))]);
        var file = await WireServer.AnswerAsync(wire.Caller.PostAsync(At("/v1/files"), form));

        Assert.Equal(7200, file.GetProperty("expires_at").GetInt64() - file.GetProperty("created_at").GetInt64(), 1.0);
    }

    [Theory]
    [InlineData("purpose", "batch_output", "invalid_value", "purpose")]
    [InlineData("purpose", null, "missing_required_parameter", "purpose")]
    [InlineData("expires_after[seconds]", "1", "invalid_value", "expires_after[anchor]")]
    [InlineData("expires_after", "[]", "invalid_value", "expires_after")]
    public async Task A_wrong_field_is_refused_by_name(string field, string? value, string code, string param)
    {
        using var form = WireServer.Form("x", field == "purpose" ? value : "batch", more: field == "purpose" ? [] : [(field, value!)]);

        Assert.Equal((400, code, param), await WireServer.RefusalAsync(wire.Caller.PostAsync(At("/v1/files"), form)));
    }

    [Fact]
    public async Task What_is_no_form_or_too_long_or_cut_off_is_refused_and_leaves_nothing()
    {
        var before = (await wire.PageAsync("/v1/files")).Ids.Count;
        using StringContent noForm = new("{}", Encoding.UTF8, "application/json");
        using var tooLong = WireServer.Form(new string('x', 100_001), "batch");
        using StringContent cut = new("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf");
        cut.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");

        Assert.Equal((400, "invalid_form", null), await WireServer.RefusalAsync(wire.Caller.PostAsync(At("/v1/files"), noForm)));
        Assert.Equal(413, (await WireServer.RefusalAsync(wire.Caller.PostAsync(At("/v1/files"), tooLong))).Status);
        Assert.Equal((400, "invalid_form", null), await WireServer.RefusalAsync(wire.Caller.PostAsync(At("/v1/files"), cut)));
        Assert.Equal(before, (await wire.PageAsync("/v1/files")).Ids.Count);
    }

    [Fact]
    public async Task Bytes_are_read_whole_or_in_part_and_need_no_read_again()
    {
        var id = (await wire.SendAsync("0123456789")).GetProperty("id").GetString();
        using var caller = wire.Decorated();
        using var whole = await caller.GetAsync(At($"/v1/files/{id}/content"));
        using HttpRequestMessage rest = new(HttpMethod.Get, $"/v1/files/{id}/content") { Headers = { Range = new(7, null) } };
        using var part = await wire.Caller.SendAsync(rest);
        using HttpRequestMessage known = new(HttpMethod.Get, $"/v1/files/{id}/content") { Headers = { IfNoneMatch = { whole.Headers.ETag! } } };
        using var same = await wire.Caller.SendAsync(known);

        Assert.Equal((HttpStatusCode.OK, "0123456789"), (whole.StatusCode, await whole.Content.ReadAsStringAsync()));
        Assert.Equal((HttpStatusCode.PartialContent, "789"), (part.StatusCode, await part.Content.ReadAsStringAsync()));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
    }

    [Fact]
    public async Task A_list_walks_through_all_files_in_an_order_that_deletions_do_not_change()
    {
        using var caller = await wire.Server.CallerAsync(AccessRole.Operator, "lists");
        List<string> sent = [];
        for (var number = 0; number < 4; number++)
        {
            sent.Add((await wire.SendAsync("x", "evals", caller: caller)).GetProperty("id").GetString()!);
        }

        async Task<List<string>> IdsAsync(string query) => [.. (await WireServer.AnswerAsync(caller.GetAsync(At("/v1/files?" + query)))).GetProperty("data").EnumerateArray().Select(file => file.GetProperty("id").GetString()!)];
        Assert.Equal([sent[3], sent[2]], await IdsAsync("limit=2"));
        (await caller.DeleteAsync(At($"/v1/files/{sent[2]}"))).Dispose();
        Assert.Equal([sent[1], sent[0]], await IdsAsync($"limit=2&after={sent[2]}"));
        Assert.Empty(await IdsAsync($"after={sent[0]}"));
        Assert.Equal([sent[0], sent[1]], await IdsAsync("order=asc&limit=2"));
        Assert.Empty(await IdsAsync("purpose=batch"));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=10001", "limit")]
    [InlineData("order=up", "order")]
    [InlineData("purpose=mischief", "purpose")]
    public async Task A_wrong_query_is_refused_by_name(string query, string param) =>
        Assert.Equal((400, "invalid_value", param), await WireServer.RefusalAsync(wire.Caller.GetAsync(At("/v1/files?" + query))));

    [Fact]
    public async Task Another_tenants_file_is_not_there()
    {
        var id = (await wire.SendAsync("x")).GetProperty("id").GetString();
        using var other = await wire.Server.CallerAsync(AccessRole.Operator, "others");

        foreach (var asked in new[] { other.GetAsync(At($"/v1/files/{id}")), other.GetAsync(At($"/v1/files/{id}/content")), other.DeleteAsync(At($"/v1/files/{id}")) })
        {
            Assert.Equal((404, "file_not_found", "file_id"), await WireServer.RefusalAsync(asked));
        }
    }

    [Fact]
    public async Task Unknown_queries_are_passed_over_methods_are_named_and_nothing_is_redirected()
    {
        (await WireServer.AnswerAsync(wire.Caller.GetAsync(At("/v1/files?include=everything")))).GetProperty("data");
        using var wrong = await wire.Caller.PatchAsync(At("/v1/files"), null);
        using var slash = await wire.Caller.GetAsync(At("/v1/files/"));

        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, POST"), (wrong.StatusCode, string.Join(", ", wrong.Content.Headers.Allow.Order())));
        Assert.Equal(HttpStatusCode.OK, slash.StatusCode);
    }
}
