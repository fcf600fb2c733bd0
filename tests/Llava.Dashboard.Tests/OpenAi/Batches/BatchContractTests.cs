using System.Net.Http.Json;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Batches;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.OpenAi.Batches;

/// <summary>The wire format of batches in each of their states, beyond what the published libraries show.</summary>
public sealed class BatchContractTests(WireServer wire) : IClassFixture<WireServer>
{
    private const string Line = """{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"scenes","messages":[{"role":"user","content":"What?"}]}}""";

    private static readonly string[] Keys =
    [
        "cancelled_at", "cancelling_at", "completed_at", "completion_window", "created_at", "endpoint", "error_file_id", "errors", "expired_at", "expires_at", "failed_at", "finalizing_at",
        "id", "in_progress_at", "input_file_id", "metadata", "model", "object", "output_file_id", "request_counts", "status", "usage", "x_job", "x_queue",
    ];

    [Fact]
    public async Task A_batch_goes_through_its_states_with_every_key_in_each()
    {
        var batch = await CreateAsync();
        AssertState(batch, "validating", "created_at", "expires_at");
        Assert.True(batch.GetProperty("x_queue").GetProperty("position").GetInt32() >= 0);
        Assert.Equal(JsonValueKind.Null, batch.GetProperty("x_queue").GetProperty("eta_seconds").ValueKind);

        var job = JobOf(batch);
        await ExpandAsync(job, 3);
        AssertState(await ReadAsync(batch), "in_progress", "created_at", "expires_at", "in_progress_at");

        var claimed = (await Get<ChunkLeases>().ClaimAsync(job, 0, 0, "w"))!;
        Assert.Equal(0, (await ReadAsync(batch)).GetProperty("x_queue").GetProperty("position").GetInt32());
        FinishedItem[] finished = [Answered(0), Answered(1), FinishedItem.Failed(2, new("invalid_image", "why"))];
        Assert.True(await Get<ResultWriter>().CommitAsync(claimed.Lease, finished, completesChunk: true));
        Assert.Single(await LinesAsync(batch, "errors"));
        Assert.Equal(2, (await LinesAsync(batch, "output")).Count);

        await EndAsync();
        AssertState(await ReadAsync(batch), "finalizing", "created_at", "expires_at", "in_progress_at", "finalizing_at");
        await Get<BatchPublication>().PublishAsync();
        var done = await ReadAsync(batch);
        AssertState(done, "completed", "created_at", "expires_at", "in_progress_at", "finalizing_at", "completed_at");
        Assert.Equal("""{"total":3,"completed":2,"failed":1}""", done.GetProperty("request_counts").GetRawText());
        Assert.Equal(
            """{"input_tokens":20,"input_tokens_details":{"cached_tokens":4},"output_tokens":10,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":30}""",
            done.GetProperty("usage").GetRawText());
        Assert.Equal(JsonValueKind.Null, done.GetProperty("x_queue").ValueKind);
        Assert.Equal(2, (await wire.Caller.GetStringAsync(At($"/v1/files/{done.GetProperty("output_file_id").GetString()}/content"))).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(400, (await WireServer.RefusalAsync(wire.PostAsync($"/v1/batches/{Id(batch)}/cancel", new { }))).Status);
    }

    [Fact]
    public async Task A_cancelled_batch_is_over_once_its_files_are_there()
    {
        var batch = await CreateAsync();
        await ExpandAsync(JobOf(batch), 2);
        AssertState(await WireServer.AnswerAsync(wire.Caller.PostAsync(At($"/v1/batches/{Id(batch)}/cancel"), null)), "cancelling", "created_at", "expires_at", "in_progress_at", "cancelling_at");
        AssertState(await WireServer.AnswerAsync(wire.Caller.PostAsync(At($"/v1/batches/{Id(batch)}/cancel"), null)), "cancelling", "created_at", "expires_at", "in_progress_at", "cancelling_at");
        await EndAsync();
        Assert.Equal("cancelling", (await ReadAsync(batch)).GetProperty("status").GetString());
        await Get<BatchPublication>().PublishAsync();

        var over = await ReadAsync(batch);
        AssertState(over, "cancelled", "created_at", "expires_at", "in_progress_at", "cancelling_at", "cancelled_at");
        Assert.Equal((JsonValueKind.Null, JsonValueKind.String), (over.GetProperty("output_file_id").ValueKind, over.GetProperty("error_file_id").ValueKind));
    }

    [Fact]
    public async Task A_refused_input_is_told_with_its_lines()
    {
        var batch = await CreateAsync();
        await Get<JobExpansion>().FailAsync(JobOf(batch), new("invalid_source", "Bad."), [new(new("invalid_line", "Line 1: bad"), 1), new(new("mismatched_model", "Line 2: other") { Param = "model" }, 2)]);
        await EndAsync();
        await Get<BatchPublication>().PublishAsync();

        var failed = await ReadAsync(batch);
        AssertState(failed, "failed", "created_at", "expires_at", "failed_at");
        Assert.Equal(
            """{"data":[{"code":"invalid_json_line","message":"Line 1: bad","param":null,"line":1},{"code":"mismatched_model","message":"Line 2: other","param":"model","line":2}],"object":"list"}""",
            failed.GetProperty("errors").GetRawText());
    }

    [Theory]
    [InlineData("24h", 86_400)]
    [InlineData("1h", 3600)]
    [InlineData("7d", 604_800)]
    [InlineData("90m", 5400)]
    [InlineData("none", null)]
    public async Task A_window_is_counted_from_the_creation(string window, int? seconds)
    {
        var batch = await CreateAsync(("completion_window", window));

        Assert.Equal(window, batch.GetProperty("completion_window").GetString());
        Assert.Equal(seconds, batch.GetProperty("expires_at").ValueKind == JsonValueKind.Null ? null : (int)(batch.GetProperty("expires_at").GetInt64() - batch.GetProperty("created_at").GetInt64()));
    }

    [Theory]
    [InlineData("0h")]
    [InlineData("-1h")]
    [InlineData("h")]
    [InlineData("")]
    [InlineData("1w")]
    [InlineData("99999h")]
    public async Task A_window_that_is_none_is_refused(string window) =>
        Assert.Equal((400, "invalid_value", "completion_window"), await WireServer.RefusalAsync(PostAsync(("completion_window", window))));

    [Fact]
    public async Task Azures_spelling_and_unknown_fields_are_taken()
    {
        var batch = await CreateAsync(("endpoint", "/chat/completions"), ("some_field_of_next_week", 1), ("metadata", new Dictionary<string, string> { ["a"] = "b" }));

        Assert.Equal(("/v1/chat/completions", """{"a":"b"}"""), (batch.GetProperty("endpoint").GetString(), batch.GetProperty("metadata").GetRawText()));
        Assert.Equal(("scenes", "archive"), (batch.GetProperty("model").GetString(), (await Get<JobReader>().ReadAsync(JobOf(batch))).Request.Tenant));
    }

    [Fact]
    public async Task The_model_is_the_first_that_is_named_even_behind_a_mark_and_lines_that_are_none()
    {
        foreach (var (text, model) in new[] { ("\uFEFF" + Line, "scenes"), ("nonsense\n\n{}\n" + Line, "scenes"), ("nonsense", "unknown"), ("", "unknown") })
        {
            Assert.Equal(model, (await CreateAsync(await wire.SendAsync(text))).GetProperty("model").GetString());
        }
    }

    [Fact]
    public async Task Whoever_waits_is_told_when_to_look_again()
    {
        var batch = await CreateAsync();
        using var waiting = await wire.Caller.GetAsync(At($"/v1/batches/{Id(batch)}"));
        await Get<JobExpansion>().FailAsync(JobOf(batch), new("empty_source", "Nothing."));
        using var over = await wire.Caller.GetAsync(At($"/v1/batches/{Id(batch)}"));

        Assert.Equal((TimeSpan.FromSeconds(5), null), (waiting.Headers.RetryAfter?.Delta, over.Headers.RetryAfter));
        Assert.Equal("empty_file", (await ReadAsync(batch)).GetProperty("errors").GetProperty("data")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_list_has_pages_and_shows_nobody_elses_batches()
    {
        var ids = new[] { Id(await CreateAsync()), Id(await CreateAsync()), Id(await CreateAsync()) };
        var (first, hasMore) = await wire.PageAsync("/v1/batches?limit=2");
        Assert.Equal([ids[2], ids[1]], first);
        Assert.True(hasMore);
        Assert.Equal(ids[0], (await wire.PageAsync($"/v1/batches?limit=2&after={first[1]}")).Ids[0]);
        Assert.Empty((await wire.PageAsync("/v1/batches?after=batch_0")).Ids);
        using var other = await wire.Server.CallerAsync(AccessRole.Operator, "others");

        Assert.Empty((await WireServer.AnswerAsync(other.GetAsync(At("/v1/batches")))).GetProperty("data").EnumerateArray());
        foreach (var asked in new[] { other.GetAsync(At($"/v1/batches/{ids[0]}")), other.GetAsync(At($"/v1/batches/{ids[0]}/output")), other.PostAsync(At($"/v1/batches/{ids[0]}/cancel"), null) })
        {
            Assert.Equal((404, "batch_not_found", "batch_id"), await WireServer.RefusalAsync(asked));
        }

        Assert.Equal((404, "file_not_found", "file_id"), await WireServer.RefusalAsync(other.PostAsJsonAsync("/v1/batches", new { input_file_id = await InputAsync(), endpoint = "/v1/chat/completions", completion_window = "24h" })));
    }

    private T Get<T>()
        where T : notnull => wire.Server.Get<T>();

    private static string Id(JsonElement batch) => batch.GetProperty("id").GetString()!;

    private static JobId JobOf(JsonElement batch) => JobId.Parse(batch.GetProperty("x_job").GetString()!);

    private static FinishedItem Answered(int item) => new() { ItemNo = item, Outcome = ItemOutcome.Succeeded, Text = "A ball.", FinishReason = "stop", Usage = new(10, 5, 2) };

    /// <summary>Every key is there, and of the times those that were reached, in Unix seconds (R10, R11).</summary>
    private static void AssertState(JsonElement batch, string status, params string[] times)
    {
        Assert.Equal(Keys, batch.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal(("batch", status), (batch.GetProperty("object").GetString(), batch.GetProperty("status").GetString()));
        Assert.Equal(times.Order(), batch.EnumerateObject().Where(field => field.Name.EndsWith("_at", StringComparison.Ordinal) && field.Value.ValueKind != JsonValueKind.Null).Select(field => field.Name).Order());
        Assert.All(times, time => Assert.True(batch.GetProperty(time).GetInt64() > 1_700_000_000));
        Assert.All(batch.GetProperty("request_counts").EnumerateObject(), count => Assert.True(count.Value.TryGetInt32(out _)));
    }

    private async Task<string> InputAsync() => Id(await wire.SendAsync(Line));

    private async Task<HttpResponseMessage> PostAsync(params (string Name, object Value)[] fields)
    {
        Dictionary<string, object> body = new() { ["input_file_id"] = await InputAsync(), ["endpoint"] = "/v1/chat/completions", ["completion_window"] = "24h" };
        foreach (var (name, value) in fields)
        {
            body[name] = value;
        }

        return await wire.PostAsync("/v1/batches", body);
    }

    private Task<JsonElement> CreateAsync(params (string Name, object Value)[] fields) => WireServer.AnswerAsync(PostAsync(fields));

    private Task<JsonElement> CreateAsync(JsonElement file) => CreateAsync(("input_file_id", Id(file)));

    private Task<JsonElement> ReadAsync(JsonElement batch) => WireServer.AnswerAsync(wire.Caller.GetAsync(At($"/v1/batches/{Id(batch)}")));

    private async Task<List<JsonElement>> LinesAsync(JsonElement batch, string which) =>
        [.. (await wire.Caller.GetStringAsync(At($"/v1/batches/{Id(batch)}/{which}"))).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    private async Task ExpandAsync(JobId job, int items)
    {
        Assert.True(await Get<JobExpansion>().AppendAsync(job, 0, [new([.. Enumerable.Range(0, items).Select(item => new ExpandedItem(new($"item-{item}", [], "What?")))], 1)], "end"));
        Assert.True(await Get<JobExpansion>().FinishAsync(job));
    }

    private async Task EndAsync()
    {
        await Get<JobEnding>().AdvanceAsync();
        foreach (var ended in await Get<JobEnding>().UnannouncedAsync())
        {
            await Get<JobEnding>().AnnounceAsync(ended, _ => Task.CompletedTask);
        }
    }
}
