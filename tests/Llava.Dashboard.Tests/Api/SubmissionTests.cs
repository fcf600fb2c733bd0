using System.Net;
using System.Net.Http.Json;
using System.Text;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Api;

public sealed class SubmissionTests(Server server) : IClassFixture<Server>
{
    private const string Jobs = "/api/v1/jobs";

    [Fact]
    public async Task The_documented_request_becomes_a_job_of_the_keys_tenant()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);

        using var response = await PostAsync(caller, """
            {"model": "llava-v1.5-7b", "prompt": "Describe the image.", "source": {"kind": "folder", "path": "/data/photos"}, "generation": {"max_new_tokens": 64}, "priority": 3}
            """);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var json = await Server.JsonAsync(response);
        Assert.Equal($"{Jobs}/{json.GetProperty("id").GetString()}", response.Headers.Location!.ToString());
        Assert.Equal("validating", json.GetProperty("state").GetString());
        var job = await server.Get<JobReader>().ReadAsync(JobId.Parse(json.GetProperty("id").GetString()!));
        Assert.Equal((Server.Tenant, "llava-v1.5-7b", 64, 3, SourceKind.Folder), (job.Request.Tenant, job.Request.Model, job.Request.Generation.MaxNewTokens, job.Request.Priority, job.Request.Source.Kind));
    }

    [Fact]
    public async Task The_same_key_in_header_or_body_makes_one_job_and_another_request_with_it_is_a_conflict()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        const string body = """{"model":"m","source":{"kind":"folder","path":"/d"},"idempotency_key":"once"}""";
        const string bare = """{"model":"m","source":{"kind":"folder","path":"/d"}}""";

        using var first = await PostAsync(caller, body);
        using var again = await PostAsync(caller, bare, "once");
        using var different = await PostAsync(caller, bare.Replace("/d", "/e", StringComparison.Ordinal), "once");
        using var two = await PostAsync(caller, body, "twice");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        Assert.Equal((await Server.JsonAsync(first)).GetProperty("id").GetString(), (await Server.JsonAsync(again)).GetProperty("id").GetString());
        Assert.Equal((HttpStatusCode.Conflict, "idempotency_conflict"), ((await Server.ErrorAsync(different)).Status, (await Server.ErrorAsync(different)).Code));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_key"), ((await Server.ErrorAsync(two)).Status, (await Server.ErrorAsync(two)).Param));
    }

    [Fact]
    public async Task A_key_acts_for_its_own_tenant_only_and_an_admins_for_any()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using var admin = await server.CallerAsync(AccessRole.Admin);
        static string For(string tenant) => $$"""{"model":"m","source":{"kind":"folder","path":"/d"},"tenant":"{{tenant}}"}""";

        using var own = await PostAsync(caller, For(Server.Tenant));
        using var foreign = await PostAsync(caller, For("default"));
        using var any = await PostAsync(admin, For("default"));

        Assert.Equal(HttpStatusCode.Created, own.StatusCode);
        Assert.Equal((HttpStatusCode.Forbidden, "tenant_forbidden"), ((await Server.ErrorAsync(foreign)).Status, (await Server.ErrorAsync(foreign)).Code));
        Assert.Equal("default", (await Server.JsonAsync(any)).GetProperty("request").GetProperty("tenant").GetString());
    }

    [Fact]
    public async Task Every_finding_of_a_validation_is_told()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);

        using var response = await PostAsync(caller, """{"model":"","source":{"kind":"folder","path":""},"priority":1000,"generation":{"temperature":1e400,"top_p":0}}""");

        var error = await Server.ErrorAsync(response);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "invalid_request"), (error.Status, error.Code));
        Assert.Equal(
            ["generation.temperature", "generation.top_p", "model", "priority", "source.path"],
            (await Server.JsonAsync(response)).GetProperty("error").GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("field").GetString()!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(400, "invalid_json", null, "")]
    [InlineData(400, "invalid_json", null, "{")]
    [InlineData(400, "invalid_json", null, """{"model":"m","model":"n"}""")]
    [InlineData(422, "invalid_request", null, "[]")]
    [InlineData(422, "invalid_request", null, "null")]
    [InlineData(422, "invalid_request", null, """{"model":"m"}""")]
    [InlineData(422, "invalid_request", "modle", """{"modle":"m","source":{"kind":"folder","path":"/d"}}""")]
    [InlineData(422, "invalid_request", "source", """{"model":"m","source":null}""")]
    [InlineData(422, "invalid_request", "source.kind", """{"model":"m","source":{"kind":"ftp","path":"/d"}}""")]
    [InlineData(422, "invalid_request", "generation.seed", """{"model":"m","source":{"kind":"folder","path":"/d"},"generation":{"seed":"x"}}""")]
    [InlineData(422, "invalid_request", "generation", """{"model":"m","source":{"kind":"folder","path":"/d"},"generation":null}""")]
    [InlineData(422, "invalid_request", "model", """{"model":"\ud800","source":{"kind":"folder","path":"/d"}}""")]
    [InlineData(400, "invalid_json", null, """{"\ud800":1}""")]
    [InlineData(422, "invalid_request", "model", """{"model":"m\u0000","source":{"kind":"folder","path":"/d"}}""")]
    public async Task A_bad_body_is_refused_with_the_field_that_is_wrong(int status, string code, string? param, string body)
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);

        using var response = await PostAsync(caller, body);

        var error = await Server.ErrorAsync(response);
        Assert.Equal((status, code, param), ((int)error.Status, error.Code, error.Param));
        Assert.DoesNotContain("Llava.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_too_deep_or_too_long_is_refused()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);

        using var deep = await PostAsync(caller, new string('[', 5000));
        using var large = await PostAsync(caller, $$"""{"model":"m","prompt":"{{new string('x', 11 << 20)}}"}""");

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_json"), ((await Server.ErrorAsync(deep)).Status, (await Server.ErrorAsync(deep)).Code));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "body_too_large"), ((await Server.ErrorAsync(large)).Status, (await Server.ErrorAsync(large)).Code));
    }

    [Theory]
    [InlineData("GET", "/api/v1/nothing", 404)]
    [InlineData("DELETE", "/api/v1/jobs", 404)]
    [InlineData("GET", "/api/v1/jobs/nonsense", 404)]
    [InlineData("GET", "/api/v1/jobs?limit=0", 422)]
    [InlineData("GET", "/api/v1/jobs?limit=many", 422)]
    [InlineData("GET", "/api/v1/jobs?state=done", 422)]
    [InlineData("GET", "/api/v1/jobs?after=x", 422)]
    public async Task Whatever_is_refused_is_refused_in_the_same_form(string method, string path, int status)
    {
        using var caller = await server.CallerAsync(AccessRole.Admin);
        using var message = new HttpRequestMessage(HttpMethod.Parse(method), path);

        using var response = await caller.SendAsync(message);

        Assert.Equal(status, (int)(await Server.ErrorAsync(response)).Status);
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient caller, string body, string? key = null)
    {
        HttpRequestMessage message = new(HttpMethod.Post, Jobs) { Headers = { ExpectContinue = true }, Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        return caller.SendAsync(message);
    }
}
