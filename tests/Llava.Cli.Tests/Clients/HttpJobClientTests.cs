using System.Globalization;
using System.Text.Json;
using Llava.Cli.Clients;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Microsoft.AspNetCore.Http;

namespace Llava.Cli.Tests.Clients;

/// <summary>The client against servers and proxies that do not behave.</summary>
public sealed class HttpJobClientTests
{
    private static readonly JobId Job = JobId.New(DateTimeOffset.UnixEpoch.AddYears(50));

    private static readonly JobRequest Request = new() { Model = "m", Source = new() { Kind = SourceKind.Folder, Path = "/d" }, IdempotencyKey = "once" };

    [Fact]
    public async Task An_answer_that_got_lost_is_asked_for_again_with_the_same_key()
    {
        await using var server = await OddServer.StartAsync(Cut, Job200);
        await using var client = server.Client();

        var submitted = await client.SubmitAsync(Request, default);

        Assert.Equal((Job, false), (submitted.Id, submitted.IsNew));
        Assert.Equal(2, server.Asked.Count);
        Assert.Single(server.Asked.Distinct());
        Assert.Contains("\"idempotency_key\":\"once\"", server.Asked.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_without_a_key_is_not_sent()
    {
        await using var server = await OddServer.StartAsync();
        await using var client = server.Client();

        await Assert.ThrowsAsync<ArgumentException>(() => client.SubmitAsync(Request with { IdempotencyKey = null }, default));

        Assert.Empty(server.Asked);
    }

    [Fact]
    public async Task A_part_whose_answer_got_lost_is_sent_again_with_its_key_and_one_without_is_not_sent()
    {
        PartRequest part = new() { Source = new() { Kind = SourceKind.Folder, Path = "/more" }, IdempotencyKey = "once" };
        PartDocument added = new() { Number = 3, Source = part.Source, State = PartState.Failed, Items = 2, CreatedAt = DateTimeOffset.UnixEpoch, Error = new("source_unreadable", "why") };
        await using var server = await OddServer.StartAsync(Cut, context => context.Response.WriteAsJsonAsync(added, RequestJson.Options));
        await using var client = server.Client();

        var appended = await client.AppendAsync(Job, part, default);

        Assert.Equivalent(new Ledger.Jobs.AppendedPart(new() { Number = 3, Source = part.Source, State = PartState.Failed, ItemCount = 2, CreatedAt = DateTimeOffset.UnixEpoch, Failure = new("source_unreadable", "why") }, false), appended, strict: true);
        Assert.Equal(2, server.Asked.Count);
        Assert.Equal($"POST /api/v1/jobs/{Job}/parts {JsonSerializer.Serialize(part, RequestJson.Options)}", Assert.Single(server.Asked.Distinct()));
        await Assert.ThrowsAsync<ArgumentException>(() => client.AppendAsync(Job, part with { IdempotencyKey = null }, default));
    }

    [Fact]
    public async Task A_server_that_is_busy_for_a_moment_is_asked_again()
    {
        await using var server = await OddServer.StartAsync(Error(503, "ledger_unreachable"), Error(429, "rate_limit_exceeded"), Job200);
        await using var client = server.Client();

        Assert.Equal(JobState.Running, (await client.ReadAsync(Job, default)).Job.State);
        Assert.Equal(3, server.Asked.Count);
    }

    [Fact]
    public async Task Results_that_are_cut_off_go_on_after_the_last_whole_one()
    {
        await using var server = await OddServer.StartAsync(
            context => Lines(isCut: true, First(context), First(context) + 1)(context),
            async context =>
            {
                context.Response.ContentType = "application/x-ndjson";
                await context.Response.WriteAsync(Line(First(context)) + "\n" + Line(First(context) + 1)[..20]); // a proxy that ends what was cut as if it were whole
            },
            context => Lines(isCut: false, [.. Enumerable.Range(First(context), 5 - First(context))])(context));
        await using var client = server.Client();
        List<int> items = [];
        await foreach (var result in client.ResultsAsync(Job))
        {
            items.Add(result.ItemNo);
        }

        // How much of a cut answer arrives is the network's business; none may be missing and none twice.
        Assert.Equal([0, 1, 2, 3, 4], items);
        Assert.Equal(3, server.Asked.Count);

        static int First(HttpContext context) => int.Parse(context.Request.Query["after"]!, CultureInfo.InvariantCulture) + 1;
    }

    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    public async Task A_page_instead_of_an_answer_is_told_from_one(int status)
    {
        await using var server = await OddServer.StartAsync(Page(status), Page(status));
        await using var client = server.Client();

        var read = await Assert.ThrowsAsync<ServerException>(() => client.ReadAsync(Job, default));
        var results = await Assert.ThrowsAsync<ServerException>(async () => await client.ResultsAsync(Job).GetAsyncEnumerator().MoveNextAsync());

        Assert.All([read, results], failure => Assert.Contains($"status {status} with text/html", failure.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_redirect_is_named_and_not_followed_with_the_key()
    {
        await using var server = await OddServer.StartAsync(context =>
        {
            context.Response.Redirect("https://elsewhere.example/");
            return Task.CompletedTask;
        });
        await using var client = server.Client();

        Assert.Contains("https://elsewhere.example/", (await Assert.ThrowsAsync<ServerException>(() => client.ReadAsync(Job, default))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_refused_key_is_told_with_its_origin_and_never_itself(int status)
    {
        await using var server = await OddServer.StartAsync(Error(status, "invalid_api_key"));
        await using var client = server.Client(new("llava_the_secret", "the file '/run/key'"));

        var failure = await Assert.ThrowsAsync<ServerException>(() => client.ReadAsync(Job, default));

        Assert.Contains("the file '/run/key'", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("llava_the_secret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_the_users_to_put_right()
    {
        await using var server = await OddServer.StartAsync(Error(422, "invalid_request"));
        await using var client = server.Client();

        Assert.Equal("why", (await Assert.ThrowsAsync<UsageException>(() => client.SubmitAsync(Request, default))).Message);
    }

    [Fact]
    public async Task Pages_of_jobs_are_put_together()
    {
        await using var server = await OddServer.StartAsync(
            context => context.Response.WriteAsJsonAsync(new JobPage([Document()], Job), RequestJson.Options),
            context => context.Response.WriteAsJsonAsync(new JobPage([Document()], null), RequestJson.Options));
        await using var client = server.Client();

        Assert.Equal(2, (await client.ListAsync(50, default)).Count);
        Assert.Contains($"after={Job}", server.Asked.Last(), StringComparison.Ordinal);
    }

    private static Task Cut(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    private static Task Job200(HttpContext context) => context.Response.WriteAsJsonAsync(Document(), RequestJson.Options);

    private static JobDocument Document() => new() { Id = Job, State = JobState.Running, Request = Request, Counts = new(), CreatedAt = DateTimeOffset.UnixEpoch };

    private static RequestDelegate Error(int status, string code) => context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new ErrorDocument(new("why", "invalid_request_error", code, null)), RequestJson.Options);
    };

    private static RequestDelegate Page(int status) => context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync("<html><title>Welcome</title></html>");
    };

    private static RequestDelegate Lines(bool isCut, params int[] items) => async context =>
    {
        context.Response.ContentType = "application/x-ndjson";
        foreach (var item in items)
        {
            await context.Response.WriteAsync(Line(item) + "\n");
        }

        if (isCut)
        {
            await context.Response.Body.FlushAsync();
            context.Abort();
        }
    };

    private static string Line(int item) =>
        JsonSerializer.Serialize(new ResultDocument { ItemNo = item, CustomId = $"item-{item}", Images = [], Outcome = ItemOutcome.Succeeded }, RequestJson.Options);
}
